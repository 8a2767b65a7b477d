"""Readings of IP addresses and routes. An address has the length of its network's prefix: `192.0.2.9/24`."""

import array
import contextlib
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

_SIOCGIFCONF, _SIOCGIFNETMASK = 0x8912, 0x891B
_NAME_BYTES = 16
# struct ifreq of <linux/if.h>: a name and a union whose largest member holds two longs and more.
_IFREQ_BYTES = 40 if struct.calcsize("P") == 8 else 32
_ADDRESS = slice(_NAME_BYTES + 4, _NAME_BYTES + 8)
_MAX_ADDRESSES = 512
_RTF_UP, _RTF_REJECT = 0x1, 0x200


class Route(NamedTuple):
    """One route of IPv4, as numbers in network order."""

    interface: str
    destination: int
    mask: int
    gateway: int
    metric: int

    @property
    def is_default(self) -> bool:
        """Whether it leads everywhere."""
        return not self.destination and not self.mask


def own_ipv4_addresses() -> dict[str, list[str]]:
    """Ask the kernel for the IPv4 addresses of this process's network, by interface (netdevice(7))."""
    import fcntl  # Windows has none

    answer = array.array("B", bytes(_IFREQ_BYTES * _MAX_ADDRESSES))
    place, length = answer.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        filled = fcntl.ioctl(asking, _SIOCGIFCONF, struct.pack("iP", length, place))

        def ask_mask(request: bytes) -> bytes | None:
            try:
                return fcntl.ioctl(asking, _SIOCGIFNETMASK, request)
            except OSError:
                return None  # gone meanwhile

        return parse_ifconf(answer.tobytes()[: struct.unpack("iP", filled)[0]], ask_mask)


def parse_ifconf(answer: bytes, ask_mask: Callable[[bytes], bytes | None]) -> dict[str, list[str]]:
    """Return the addresses in the kernel's answer by interface: a second one may be named `eth0:1`.

    `ask_mask` passes an entry back to the kernel, which finds the very address by it.
    """
    found: dict[str, list[str]] = {}
    for start in range(0, len(answer), _IFREQ_BYTES):
        entry = answer[start : start + _IFREQ_BYTES]
        name = entry[:_NAME_BYTES].partition(b"\0")[0].partition(b":")[0]
        text = socket.inet_ntoa(entry[_ADDRESS])
        if mask := ask_mask(entry):
            text += f"/{int.from_bytes(mask[_ADDRESS], 'big').bit_count()}"
        found.setdefault(name.decode(errors="replace"), []).append(text)
    return found


def parse_ipv4(fib_trie: str, route: str) -> dict[str, list[str]]:
    """Return the addresses that the texts of `/proc/net/fib_trie` and `/proc/net/route` tell by interface.

    Routing tables do not say which interface an address is of: it is the one of its narrowest network. An
    address in no network of an interface is left out.
    """
    networks = [("lo", 0x7F000000, 0xFF000000)]
    networks += [(one.interface, one.destination, one.mask) for one in parse_routes(route) if not one.gateway]
    networks = sorted((one for one in networks if one[2]), key=lambda network: -network[2])
    found: dict[str, list[str]] = {}
    for address in dict.fromkeys(_local_addresses(fib_trie)):
        number = _number(address)
        for name, destination, mask in networks:
            if number & mask == destination:
                found.setdefault(name, []).append(f"{address}/{mask.bit_count()}")
                break
    return found


def parse_routes(text: str) -> list[Route]:
    """Return the routes in the text of `/proc/net/route` that lead somewhere."""
    routes = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        with contextlib.suppress(ValueError, IndexError, OverflowError):
            destination, gateway, mask = (_host_order(fields[number]) for number in (1, 2, 7))
            if int(fields[3], 16) & (_RTF_UP | _RTF_REJECT) == _RTF_UP:
                routes.append(Route(fields[0], destination, mask, gateway, int(fields[6])))
    return routes


def main_address_of(routes: list[Route], ipv6_routes: str, addresses: dict[str, list[str]]) -> str | None:
    """Return the address from which a host reaches the world, as its routes and addresses tell.

    That is the one in the network of its gateway, else the first of the same interface; of IPv6, by the text
    of `/proc/net/ipv6_route`, only where IPv4 has no way out.
    """
    for route in sorted((one for one in routes if one.is_default), key=lambda one: one.metric):
        own = [one for one in addresses.get(route.interface, []) if ":" not in one]
        own.sort(key=lambda one: not _is_in_network(route.gateway, one))
        if own:
            return own[0].partition("/")[0]
    for name in _ipv6_default_interfaces(ipv6_routes):
        for address in addresses.get(name, []):
            if ":" in address and not address.startswith("fe80:"):
                return address.partition("/")[0]
    return None


def parse_ipv6(text: str) -> dict[str, list[str]]:
    """Return the addresses in the text of `/proc/net/if_inet6` by interface (proc(5))."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        fields = line.split()
        with contextlib.suppress(ValueError, IndexError):
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[0]))
            found.setdefault(fields[5], []).append(f"{address}/{int(fields[2], 16)}")
    return found


def _ipv6_default_interfaces(text: str) -> Iterator[str]:
    for line in text.splitlines():
        fields = line.split()
        with contextlib.suppress(ValueError, IndexError):
            if fields[1] == "00" and not int(fields[0], 16) and not int(fields[8], 16) & _RTF_REJECT:
                yield fields[9]


def _host_order(text: str) -> int:
    """Return the number of an address that the kernel printed as one in its own byte order."""
    return int.from_bytes(int(text, 16).to_bytes(4, sys.byteorder), "big")


def _number(address: str) -> int:
    return int.from_bytes(socket.inet_aton(address), "big")


def _is_in_network(number: int, address: str) -> bool:
    text, _, length = address.partition("/")
    mask = -1 << (32 - int(length or 32))
    return number & mask == _number(text) & mask


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
