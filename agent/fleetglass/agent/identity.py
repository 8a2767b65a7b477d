"""Who publishes: this start of this agent on this machine."""

import contextlib
import random
import re
import socket
import string
from pathlib import Path

from fleetglass.agent.own_container import own_container
from fleetglass.agent.readings.files import read_file
from fleetglass.agent.readings.types import printable

# As the standard library's `random` does: hashlib would load the 3 MiB of OpenSSL for one hash.
try:
    from _sha256 import sha256 as _sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha2 import sha256 as _sha256  # type: ignore[import-not-found] # since Python 3.12
    except ImportError:
        from hashlib import sha256 as _sha256

# machine-id(5) asks never to show the id itself, and to hash it with something of the application's own.
_SALT = b"fleetglass machine"
_MACHINE_ID_FILES = ("etc/machine-id", "var/lib/dbus/machine-id")
_NOT_YET = b"uninitialized"
_ID = re.compile(rb"[0-9a-f]{32}")
_ID_BYTES = 64
_MEMORY = frozenset(("tmpfs", "ramfs"))
_POD_FOLDER = "kubernetes.io~empty-dir"
"""Where Kubernetes keeps what goes with a pod, on the disk of its node."""


def new_session() -> str:
    """Return a name for this start that no other start has."""
    return "".join(random.SystemRandom().choices(string.ascii_lowercase + string.digits, k=8))


def machine_id_hash(root: str = "/") -> str | None:
    """Return what is the same on this machine for ever and on no other, and gives no secret away."""
    for file in _MACHINE_ID_FILES:
        try:
            machine_id = Path(root, file).read_bytes().strip()
        except OSError:
            continue
        if machine_id and machine_id != _NOT_YET:
            return _hash(machine_id)
    return None


def kept_id_hash(folder: Path, mounts: str = "/proc/self/mountinfo") -> str | None:
    """Return the same for a container, which is no machine: the id is made once and kept in a folder.

    Only a folder on a volume outlives the container; there is no id without one. `mounts` tells which is.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_on_volume(str(folder.resolve()), read_file(mounts).decode(errors="replace")):
            return None
        return _hash(_kept_id(folder))
    except (OSError, ValueError, IndexError):  # the latter two of lines unlike those of Linux
        return None


def digest(content: bytes) -> str:
    """Return what is the same for the same content only, and does not reveal it."""
    return str(_sha256(content).hexdigest())


def host_name(root: str = "/") -> str:
    """Return the name that a host gives itself.

    Of a host whose files lie under another folder only `/etc/hostname` tells it: asked through `/proc`, the
    kernel names who asks. Where that has no name, one is made of the machine's id.
    """
    own = printable(socket.gethostname())
    if root == "/":
        return own
    with contextlib.suppress(OSError):
        if name := Path(root, "etc/hostname").read_text("utf-8", errors="replace").strip():
            return name
    machine = machine_id_hash(root)
    return f"host-{machine[:8]}" if machine is not None and own_container() else own


def _is_on_volume(folder: str, mounts: str) -> bool:
    """Return whether a folder outlives the container: proc_pid_mountinfo(5)."""
    longest, is_lasting = "", False
    for line in mounts.splitlines():
        fields, _, described = line.partition(" - ")
        source, mount = fields.split()[3:5]
        if f"{folder}/".startswith(f"{mount.rstrip('/')}/") and len(mount) >= len(longest):
            longest = mount
            is_lasting = described.split()[0] not in _MEMORY and _POD_FOLDER not in source
    return is_lasting and longest != "/"


def _kept_id(folder: Path) -> bytes:
    """Return the id in a folder, where it is whole, or a new one."""
    file = folder / "machine-id"
    try:
        kept = read_file(str(file), _ID_BYTES)
    except FileNotFoundError:
        kept = b""
    if _ID.fullmatch(kept.strip()):
        return kept.strip()
    made = b"%032x" % random.SystemRandom().getrandbits(128)
    # Others may begin on this volume now, each with the same process id.
    new = folder / f".machine-id.{new_session()}"
    new.write_bytes(made + b"\n")
    new.replace(file)
    return made


def _hash(machine_id: bytes) -> str:
    return digest(_SALT + machine_id)[:16]
