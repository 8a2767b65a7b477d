"""What draws on a terminal that may go away, as when ssh is cut off."""

from collections.abc import Callable
from typing import Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver


class TopDriver(LinuxDriver):
    """Ends the app when the terminal is gone.

    Textual's own thread that writes would die of the first error, and whoever has more to write would wait
    for it for ever.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = cast("Any", Forgiving(cast("TextIO", self._file), self._end))

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._app.exit)


class Forgiving:
    """A file whose errors are told, not raised."""

    def __init__(self, file: TextIO, failed: Callable[[], None]) -> None:
        self._file = file
        self._failed = failed

    def write(self, text: str) -> None:
        """Write, or tell that it failed."""
        try:
            self._file.write(text)
        except OSError:
            self._failed()

    def flush(self) -> None:
        """Flush, or tell that it failed."""
        try:
            self._file.flush()
        except OSError:
            self._failed()

    def fileno(self) -> int:
        """Return the number of the file."""
        return self._file.fileno()
