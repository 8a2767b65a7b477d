"""Who publishes: this start of this agent on this machine."""

import hashlib
import random
import socket
import string
from collections.abc import Sequence
from pathlib import Path

from fleetglass.agent.readings.kinds import printable

# machine-id(5) asks never to show the id itself, and to hash it with something of the application's own.
_SALT = b"fleetglass machine"
_MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def new_session() -> str:
    """Return a name for this start that no other start has."""
    return "".join(random.SystemRandom().choices(string.ascii_lowercase + string.digits, k=8))


def machine_id_hash(files: Sequence[Path] = _MACHINE_ID_FILES) -> str | None:
    """Return what is the same on this machine for ever and on no other, and gives no secret away."""
    for file in files:
        try:
            machine_id = file.read_bytes().strip()
        except OSError:
            continue
        if machine_id:
            return hashlib.sha256(_SALT + machine_id).hexdigest()[:16]
    return None


def host_name() -> str:
    """Return the name that the host gives itself."""
    return printable(socket.gethostname())
