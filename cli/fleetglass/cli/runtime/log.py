"""The log, on stderr or in a file."""

import logging
import sys

FILE_BYTES = 10 * 1024 * 1024
FILES = 5


def start_log(command: str, level: str, file: str | None = None) -> None:
    """Log from `level` up, one line each: the time, the command, and the level where it is worth a look.

    A file is renamed when it holds 10 MiB, and five older ones are kept.

    Raises:
        OSError: the file cannot be written.
    """
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file is not None:
        from logging.handlers import RotatingFileHandler  # noqa: PLC0415 - an agent never loads it

        handler = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES)
    handler.setFormatter(_Formatter(command, "%H:%M:%S" if file is None else "%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)


def plain(text: str) -> str:
    """Escape what would end the line or command the terminal: texts of others are logged, too."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class _Formatter(logging.Formatter):
    def __init__(self, command: str, date_format: str) -> None:
        super().__init__(datefmt=date_format)
        self._command = command

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f" {record.levelname.lower()}"
        line = f"{self.formatTime(record, self.datefmt)} {self._command}{level}: {plain(record.getMessage())}"
        if record.exc_info:
            # The traceback belongs to the debug level; elsewhere its last line says enough.
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                return f"{line}\n{self.formatException(record.exc_info)}"
            error = record.exc_info[1]
            return f"{line}: {type(error).__name__}: {plain(str(error))}"
        return line
