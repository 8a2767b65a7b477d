"""Whether files were changed, as far as their metadata tells."""

from pathlib import Path


class FileChange:
    """Remembers how some files looked when last asked."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._seen = self._look()

    def happened(self) -> bool:
        """Whether one of the files, or who may read it, was changed since the last time."""
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> list[tuple[int, ...] | None]:
        return [_state(path) for path in self._paths]


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
