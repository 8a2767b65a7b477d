"""Whether an interface can be used at all; asked by name, which costs the same however many there are."""

import socket
import struct
import sys
from pathlib import Path

_SIOCGIFFLAGS, _SIOCGIFADDR = 0x8913, 0x8915
_REQUEST_BYTES = 40
_FLAGS = struct.Struct("16xH")  # after the name, netdevice(7)
_UP_AND_RUNNING = 0x1 | 0x40
_LINK_SCOPE = "20"


def has_address(name: str) -> bool:
    """Whether an interface exists, is up with a link, and has an address of IPv4, or one of IPv6 that is
    of more than its link: every interface that is up has one of those.
    """  # noqa: D205 - one sentence
    if sys.platform != "linux":
        return _has_address_by_psutil(name)
    import fcntl  # Windows has none

    request = name.encode().ljust(_REQUEST_BYTES, b"\0")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            (flags,) = _FLAGS.unpack_from(fcntl.ioctl(probe, _SIOCGIFFLAGS, request))
            if flags & _UP_AND_RUNNING != _UP_AND_RUNNING:
                return False
            try:
                fcntl.ioctl(probe, _SIOCGIFADDR, request)
            except OSError:
                return name in interfaces_beyond_link(Path("/proc/net/if_inet6").read_text("utf-8"))
    except OSError:  # no such interface, or no IPv6 in this kernel
        return False
    return True


def interfaces_beyond_link(text: str) -> set[str]:
    """Return the interfaces with an address of more than link scope.

    `text` is of `/proc/net/if_inet6`: address, index, prefix, scope and flags in hexadecimal, name.
    """
    rows = (line.split(None, 5) for line in text.split("\n"))  # any other character may stand in a name
    return {row[5] for row in rows if len(row) == 6 and row[3] != _LINK_SCOPE}


def _has_address_by_psutil(name: str) -> bool:
    import psutil  # only where it is asked

    stats = psutil.net_if_stats().get(name)
    if stats is None or not stats.isup:
        return False
    return any(
        one.family == socket.AF_INET
        or (one.family == socket.AF_INET6 and not one.address.lower().startswith("fe80:"))
        for one in psutil.net_if_addrs().get(name, [])
    )
