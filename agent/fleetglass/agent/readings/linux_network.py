"""Readings of network interfaces other than their counters.

Kernel: Documentation/ABI/testing/sysfs-class-net and Documentation/networking/operstates.rst.
"""

import array
import contextlib
import socket
import struct
import sys
from collections.abc import Iterator

from fleetglass.agent.readings.files import list_folder, read_text, read_whole
from fleetglass.agent.readings.types import Link, printable

_IFF_UP = 1
_SIOCGIFCONF = 0x8912
_NAME_BYTES = 16
# struct ifreq of <linux/if.h>: a name and a union whose largest member holds two longs and more.
_IFREQ_BYTES = 40 if struct.calcsize("P") == 8 else 32
_MAX_ADDRESSES = 512


def read_links(folder: str) -> dict[str, Link]:
    """Return the state of every interface in `/sys/class/net`."""
    links = {}
    for name in list_folder(folder):
        state = read_text(f"{folder}/{name}/operstate")
        if state is None:
            continue  # a file such as bonding_masters, or gone meanwhile
        up = state in {"up", "unknown"} and _flags(f"{folder}/{name}/flags") & _IFF_UP != 0
        # In megabits; what has no speed says -1, or the same without a sign, or refuses.
        speed = read_whole(f"{folder}/{name}/speed") or 0
        links[printable(name)] = Link(up, speed * 125_000 if 0 < speed < 2**31 and speed != 65535 else None)
    return links


def own_ipv4_addresses() -> dict[str, list[str]]:
    """Ask the kernel for the IPv4 addresses of this process's network, by interface (netdevice(7))."""
    import fcntl  # Windows has none

    answer = array.array("B", bytes(_IFREQ_BYTES * _MAX_ADDRESSES))
    place, length = answer.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        filled = fcntl.ioctl(asking, _SIOCGIFCONF, struct.pack("iP", length, place))
    return parse_ifconf(answer.tobytes()[: struct.unpack("iP", filled)[0]])


def parse_ifconf(answer: bytes) -> dict[str, list[str]]:
    """Return the addresses in the kernel's answer by interface: a second one may be named `eth0:1`."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(answer), _IFREQ_BYTES):
        name = answer[start : start + _NAME_BYTES].partition(b"\0")[0].partition(b":")[0]
        address = answer[start + _NAME_BYTES + 4 : start + _NAME_BYTES + 8]
        found.setdefault(name.decode(errors="replace"), []).append(socket.inet_ntoa(address))
    return found


def parse_ipv4(fib_trie: str, route: str) -> dict[str, list[str]]:
    """Return the addresses that the texts of `/proc/net/fib_trie` and `/proc/net/route` tell by interface.

    Routing tables do not say which interface an address is of: it is the one of its narrowest network. An
    address in no network of an interface is left out.
    """
    networks = [("lo", 0x7F000000, 0xFF000000)]
    for line in route.splitlines()[1:]:
        fields = line.split()
        with contextlib.suppress(ValueError, IndexError, OverflowError):
            destination, gateway, mask = (_host_order(fields[number]) for number in (1, 2, 7))
            if not gateway and mask:
                networks.append((fields[0], destination, mask))
    networks.sort(key=lambda network: -network[2])
    found: dict[str, list[str]] = {}
    for address in dict.fromkeys(_local_addresses(fib_trie)):
        number = int.from_bytes(socket.inet_aton(address), "big")
        for name, destination, mask in networks:
            if number & mask == destination:
                found.setdefault(name, []).append(address)
                break
    return found


def parse_ipv6(text: str) -> dict[str, list[str]]:
    """Return the addresses in the text of `/proc/net/if_inet6` by interface (proc(5))."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        fields = line.split()
        with contextlib.suppress(ValueError, IndexError):
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[0]))
            found.setdefault(fields[5], []).append(address)
    return found


def _flags(path: str) -> int:
    with contextlib.suppress(ValueError):
        return int(read_text(path) or "", 16)
    return 0


def _host_order(text: str) -> int:
    """Return the number of an address that the kernel printed as one in its own byte order."""
    return int.from_bytes(int(text, 16).to_bytes(4, sys.byteorder), "big")


def _local_addresses(fib_trie: str) -> Iterator[str]:
    address = ""
    for line in fib_trie.splitlines():
        fields = line.split()
        match fields:
            case ["|--", address]:
                pass
            case ["/32", "host", "LOCAL"]:
                with contextlib.suppress(OSError, ValueError):
                    socket.inet_pton(socket.AF_INET, address)
                    yield address
            case _:
                pass
