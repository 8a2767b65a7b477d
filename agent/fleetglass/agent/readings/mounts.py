"""What a mounted filesystem is, on any system: an image, a view of another filesystem, or out of reach."""

import errno
import re
from typing import Final

# What nobody can write to is always full. A FUSE filesystem is named after its program: AppImages mount
# themselves.
_IMAGES = re.compile(
    r"squashfs|erofs|iso9660|cd9660|cdfs|cramfs|romfs|axfs|composefs"
    r"|fuse\.(.*\.appimage|squashfuse(_ll)?|snapfuse|erofsfuse|fuseiso|isofuse|archivemount|fuse-archive"
    r"|mount-zip|ratarmount|dwarfs2?|rar2fs|(mount\.)?composefs)",
    re.IGNORECASE,
)
# What is written to these is stored by another filesystem, which is told itself, unless a container sees
# nothing else of it.
_LAYERS = frozenset(("overlay", "overlayfs", "aufs", "unionfs", "shiftfs", "fuse.fuse-overlayfs"))
_SNAPSHOTS = "/.zfs/snapshot/"
# The mount is gone, belongs to somebody else, or has no sizes. Any other error is the filesystem's own: its
# program ended (ENOTCONN), its server lost it (ESTALE), its disk is gone (EIO).
_SILENT: Final = frozenset(
    getattr(errno, name, None)
    for name in (  # noqa: SIM905 - a list would take fourteen lines
        "ENOENT ENOTDIR EACCES EPERM ENOSYS EOVERFLOW ENAMETOOLONG"
        " ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED"
    ).split()
)


def is_image(*, kind: str, device: str, mount: str, options: str) -> bool:
    """Return whether a filesystem is an image, or a view of what another one stores.

    `options` are those of the filesystem itself, separated by commas, and not those of one mount.
    """
    if _IMAGES.fullmatch(kind):
        return True
    if kind in _LAYERS:
        return mount != "/" or (is_read_only(options) and "upperdir=" not in options)
    if kind.lower() == "udf":  # of a disc; a stick can be written to
        return is_read_only(options)
    return (kind == "zfs" and "@" in device) or _SNAPSHOTS in f"{mount}/" or _SNAPSHOTS in f"{device}/"


def is_full_image(*, kind: str, options: str, free_blocks: int) -> bool:
    """Return whether the numbers of a filesystem that a program serves are those of an image."""
    return (kind == "fuse" or kind.startswith("fuse.")) and is_read_only(options) and free_blocks == 0


def is_read_only(options: str) -> bool:
    """Return whether nobody can write to a filesystem, however it is mounted."""
    return "ro" in options.split(",")


def is_out_of_reach(error: OSError) -> bool:
    """Return whether a filesystem is there, and answers with an error of its own."""
    return error.errno not in _SILENT
