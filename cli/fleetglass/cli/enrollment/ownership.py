"""Whether another user could put a folder of their own in place of one on the path to a file."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAX_LINKS: Final = 40  # as Linux has it


def changeable_folder(path: Path) -> Path | None:
    """Return the first folder on an absolute path that another user may change; None where none is.

    Every folder must be of root or of the user who calls, and writable by nobody else, as sshd wants it.
    One that is sticky, such as /tmp, is as good: there nobody may rename what belongs to others. Links are
    followed. What does not exist yet is passed over, and so is the last part of the path.

    Raises:
        OSError: a folder cannot be looked at, or there are too many links.
    """
    if not hasattr(os, "geteuid"):  # Windows has other rights
        return None
    trusted = {0, os.geteuid()}
    for folder in _folders_to(path):
        found = folder.stat()
        may_be_written = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        if found.st_uid not in trusted or may_be_written:
            return folder
    return None


def _folders_to(path: Path) -> Iterator[Path]:
    """Yield every folder in which the system looks up a part of the path."""
    at, links = Path(path.anchor), 0
    waiting = list(path.parts[1:])
    while waiting:
        yield at
        part = waiting.pop(0)
        if part == "..":
            at = at.parent
            continue
        following = at / part
        if following.is_symlink():
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = following.readlink()
            waiting[:0] = target.parts[1:] if target.is_absolute() else target.parts
            at = Path(target.anchor) if target.is_absolute() else at
        elif following.is_dir():
            at = following
        else:
            return
