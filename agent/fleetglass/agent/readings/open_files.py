import os
import stat

_CHUNK = 16_384


class OpenFiles:
    """Reads the files that are read at every tick. They stay open: opening costs as much as reading.

    Only files of `/proc` do, told by their size of 0: they are made anew whenever they are read from the
    beginning. One that does not answer any more is opened again, as another may have taken its place.

    Several threads may read, even the same file. No lock is held meanwhile: a file that never answers must
    hold up nobody but who reads it. A file is closed when nobody knows or reads it any more.
    """

    def __init__(self) -> None:
        self._files: dict[str, _OpenFile] = {}

    def read(self, path: str) -> bytes:
        """Return the whole of a file.

        Raises:
            OSError: it is not there, or does not answer.
        """
        file = self._files.get(path)
        if file is not None:
            try:
                return file.read()
            except OSError:
                self._files.pop(path, None)
        file = _OpenFile(os.open(path, os.O_RDONLY))
        text = file.read()
        if file.is_made_when_read():
            self._files[path] = file
        return text


class _OpenFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)

    def is_made_when_read(self) -> bool:
        kind = os.fstat(self._descriptor)
        return kind.st_size == 0 and stat.S_ISREG(kind.st_mode)

    def read(self) -> bytes:
        text = os.pread(self._descriptor, _CHUNK, 0)
        end = len(text)
        # What has many lines comes in pages, and only an empty read is the end.
        while more := os.pread(self._descriptor, _CHUNK, end):
            text += more
            end += len(more)
        return text
