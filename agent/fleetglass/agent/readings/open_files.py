import os
import stat

_CHUNK = 16_384


class OpenFiles:
    """Reads the files that are read at every tick. They stay open: opening costs as much as reading.

    Only files of `/proc` do, told by their size of 0: they are made anew whenever they are read from the
    beginning. One that does not answer any more is opened again, as another may have taken its place.
    """

    def __init__(self) -> None:
        self._descriptors: dict[str, int] = {}

    def __del__(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)

    def read(self, path: str) -> bytes:
        """Return the whole of a file.

        Raises:
            OSError: it is not there, or does not answer.
        """
        descriptor = self._descriptors.get(path)
        if descriptor is not None:
            try:
                return _whole(descriptor)
            except OSError:
                os.close(self._descriptors.pop(path))
        descriptor = os.open(path, os.O_RDONLY)
        kind = os.fstat(descriptor)
        if kind.st_size or not stat.S_ISREG(kind.st_mode):
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                return file.read()
        self._descriptors[path] = descriptor
        return _whole(descriptor)


def _whole(descriptor: int) -> bytes:
    text = os.pread(descriptor, _CHUNK, 0)
    end = len(text)
    # What has many lines comes in pages, and only an empty read is the end.
    while more := os.pread(descriptor, _CHUNK, end):
        text += more
        end += len(more)
    return text
