"""A file of lines that is renamed when it is full, so that all of them together stay bounded."""

import os
import stat
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

LOG_ROTATION_SIZE: Final = 10 * 1024 * 1024
LOG_ROTATION_FILES: Final = 5


class RotatingFile:
    """Appends lines to `path`; a full one becomes `path.1`, that `path.2`, and the last is overwritten.

    Every line is with the kernel when `write` returns, so that a kill loses none.

    Args:
        path: the file, which may exist. What is no plain file, such as a pipe, is never renamed.
        size_bytes: what it may hold. A longer line has a file of its own.
        files: how many older ones are kept.

    Raises:
        OSError: the file cannot be written, here and in `write`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size_bytes: int = LOG_ROTATION_SIZE,
        files: int = LOG_ROTATION_FILES,
    ) -> None:
        self.path = Path(path)
        self._size_bytes = size_bytes
        self._files = files
        self._file = self._open()
        self._is_regular = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        self._held_bytes = self._file.seek(0, os.SEEK_END) if self._is_regular else 0
        if self._held_bytes and not self._ends_with_newline():
            self._append(b"\n")  # what a crash cut off must not spoil the next line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, line: bytes) -> None:
        """Append one line, given without its newline."""
        if self._is_regular and self._held_bytes and self._held_bytes + len(line) + 1 > self._size_bytes:
            self._rotate()
        self._append(line + b"\n")

    def write_json(self, message: Mapping[str, Any]) -> None:
        """Append a message as one line of JSON."""
        self.write(msgspec.json.encode(message))

    def close(self) -> None:
        """Close the file; nothing can be written any more."""
        self._file.close()

    def _open(self) -> FileIO:
        return self.path.open("ab", buffering=0)

    def _ends_with_newline(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"

    def _append(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._held_bytes += len(content)

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._files - 1, 0, -1):
            if (older := self._numbered(number)).exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))
        self._file = self._open()
        self._held_bytes = 0

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
