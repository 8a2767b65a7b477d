"""What may be done with messages: keep them, show them, write them to a file.

A handler is any object with `handle_message(message)`, which takes the envelopes of `snapshot.py`, and, if it
likes, `get_stats()`.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from fleetglass.client.compat.rotating_file import LOG_ROTATION_FILES, LOG_ROTATION_SIZE, RotatingFile
from fleetglass.client.formatting.formatters import Formatter

Message = Mapping[str, Any]

MAX_HISTORY_SIZE: Final = 1000


@runtime_checkable
class Handler(Protocol):
    """What takes messages."""

    def handle_message(self, message: Message) -> Any:
        """Take one message; it may be a coroutine function."""


class MonitoringHandler:
    """Keeps the last message of each host, and if wanted the last of all hosts in order.

    Args:
        keep: says which messages are taken; all, without it.
        store_history: whether to keep more than the last.
        history_size: the most that is kept; the oldest goes first.
        formatter: how messages are shown.
        show: given the text of each message; without it nothing is shown.

    It may be asked from any thread.
    """

    def __init__(
        self,
        *,
        keep: Callable[[Message], bool] | None = None,
        store_history: bool = False,
        history_size: int = MAX_HISTORY_SIZE,
        formatter: Formatter | None = None,
        show: Callable[[str], Any] | None = None,
    ) -> None:
        self.formatter = formatter
        self.message_count = 0
        self._keep = keep
        self._show = show
        self._lock = threading.Lock()
        self._newest: Message | None = None
        self._last: dict[str, Message] = {}
        self._history: deque[Message] | None = deque(maxlen=history_size) if store_history else None

    def handle_message(self, message: Message) -> None:
        """Keep a message of the type `monitoring_data`, and show it."""
        if self._keep is not None and not self._keep(message):
            return
        with self._lock:
            self.message_count += 1
            self._newest = self._last[message["host"]] = message
            if self._history is not None:
                self._history.append(message)
        if self._show is not None and self.formatter is not None:
            self._show(self.formatter.format_monitoring_data(message))

    def forget(self, host: str) -> None:
        """Drop the last message of a host that is no more."""
        with self._lock:
            self._last.pop(host, None)

    def get_last_data(self, host: str | None = None) -> Message | None:
        """Return the last message, of one host or of all; None when there was none."""
        with self._lock:
            return self._newest if host is None else self._last.get(host)

    def get_history(self, host: str | None = None) -> list[Message]:
        """Return what is kept, oldest first, of one host or of all.

        Raises:
            ValueError: no history is kept.
        """
        with self._lock:
            if self._history is None:
                raise ValueError("history: got none, expected store_history=True when the client was made")
            return [message for message in self._history if host is None or message["host"] == host]

    def get_stats(self) -> dict[str, Any]:
        """Return `message_count`, `hosts` and `history_size`."""
        with self._lock:
            kept = len(self._history or ())
            return {"message_count": self.message_count, "hosts": len(self._last), "history_size": kept}


class LoggingHandler:
    """Writes one message a line to a file, which is renamed to `.1` and so on when it is full.

    Args:
        log_file: the file; it is appended to.
        formatter: how a line looks; without one it is the message as JSON.
        name: what the handler is called where there are several.
        size_bytes: what a file may hold.
        files: how many full ones are kept.

    Raises:
        OSError: the file cannot be written, here and in `handle_message`.
    """

    def __init__(
        self,
        log_file: str | Path,
        *,
        formatter: Formatter | None = None,
        name: str = "logging",
        size_bytes: int = LOG_ROTATION_SIZE,
        files: int = LOG_ROTATION_FILES,
    ) -> None:
        self.log_file = Path(log_file)
        self.name = name
        self.message_count = 0
        self._formatter = formatter
        self._open = partial(RotatingFile, self.log_file, size_bytes, files)
        self._file: RotatingFile | None = self._open()

    def handle_message(self, message: Message) -> None:
        """Write a message of the type `monitoring_data`."""
        if self._file is None:
            self._file = self._open()
        if self._formatter is None:
            self._file.write_json(message)
        else:
            self._file.write(self._formatter.format_monitoring_data(message).encode())
        self.message_count += 1

    def get_stats(self) -> dict[str, Any]:
        """Return `message_count` and `log_file`."""
        return {"message_count": self.message_count, "log_file": str(self.log_file)}

    def close(self) -> None:
        """Close the file; a further message opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None
