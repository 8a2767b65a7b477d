"""The file in which the helper, which runs as root, tells an agent without privileges how the disks are."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fleetglass.wire.bounds import check_bounds
from fleetglass.wire.codec import decode_text
from fleetglass.wire.errors import CollectionError, ContractError
from fleetglass.wire.payloads import StorageDisk
from fleetglass.wire.payloads.common import Time

REPORT: Final = Path("run/fleetglass/storage.json")
"""Where it lies, below the root."""

_MAX_BYTES = 512 * 1024

_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Names = Annotated[dict[_Name, _Name], Meta(max_length=256)]


class StorageReport(msgspec.Struct, kw_only=True):
    """What the helper found, and what its next run is to know of this one."""

    time: Time
    disks: Annotated[dict[_Name, StorageDisk], Meta(max_length=256)]
    problems: Annotated[list[Annotated[str, Meta(max_length=2000)]], Meta(max_length=256)] = []
    identities: Annotated[dict[_Name, Annotated[str, Meta(max_length=300)]], Meta(max_length=256)] = {}
    left_over: Annotated[dict[_Name, Annotated[int, Meta(gt=0)]], Meta(max_length=256)] = {}


def read_report(path: Path) -> StorageReport | None:
    """Return what the helper wrote, or None where it has written nothing.

    Raises:
        CollectionError: anybody but root and the agent's user may have written it, or it is no report.
    """
    try:
        # Neither a link nor a pipe that somebody may have put there is followed or waited for.
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CollectionError(f"{path}: {error.strerror}") from error
    with os.fdopen(file, "rb", buffering=0) as stream:
        found = os.fstat(file)
        owners = {0, os.geteuid()} if hasattr(os, "geteuid") else {found.st_uid}
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o022:
            raise CollectionError(f"{path}: expected a file that only root or the agent's user may write")
        content = stream.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise CollectionError(f"{path}: got more than {_MAX_BYTES} bytes")
    try:
        check_bounds(content)
        return decode_text(content, StorageReport)
    except (ContractError, ValueError) as error:
        raise CollectionError(f"{path}: not written by fleetglass storage: {error}") from error


def write_report(report: StorageReport, path: Path) -> None:
    """Write the file in one piece, for everybody to read.

    Raises:
        OSError: it cannot be written.
    """
    file, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(file, "wb") as stream:
            Path(name).chmod(0o644)
            stream.write(msgspec.json.encode(report))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
