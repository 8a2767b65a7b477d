"""The log on stderr."""

import logging
import sys


def start_log(command: str, level: str) -> None:
    """Log from `level` up, one line each: the time, the command, and the level where it is worth a look."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(command))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)


class _Formatter(logging.Formatter):
    def __init__(self, command: str) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._command = command

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f" {record.levelname.lower()}"
        line = (
            f"{self.formatTime(record, self.datefmt)} {self._command}{level}: {_plain(record.getMessage())}"
        )
        if record.exc_info:
            # The traceback belongs to the debug level; elsewhere its last line says enough.
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                return f"{line}\n{self.formatException(record.exc_info)}"
            error = record.exc_info[1]
            return f"{line}: {type(error).__name__}: {_plain(str(error))}"
        return line


def _plain(text: str) -> str:
    """Escape what would end the line or command the terminal: texts of others are logged, too."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
