import re
from collections.abc import Callable, Collection

from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.rates import known, rate
from fleetglass.agent.readings.types import InterfaceCounters, Link, NetworkReading
from fleetglass.wire.payloads import Network, NetworkInterface

_LINKS_SECONDS = 10.0  # asking every interface for its state costs more than all counters
# What passes these never leaves the host, or passes another interface too: loopback, bridges, the virtual
# cables of containers and virtual machines, bonds, tunnels.
_INNER = re.compile(
    r"(lo\d*|Loopback.*|veth.*|br-.*|br\d+|bridge\d*|docker\d+|virbr.*|vmbr.*|lxcbr.*|lxdbr.*|vnet.*|tap.*"
    r"|cni.*|flannel.*|cali.*|ifb\d+|dummy\d+|bond\d+|team\d+|tun.*|utun.*|wg.*|tailscale.*|zt.*)\Z"
)


class NetworkCollector:
    """Traffic of every network interface, and TCP sockets by state."""

    group = "network"
    interval = 0.0

    def __init__(
        self,
        read: Callable[[], NetworkReading],
        *,
        links: Callable[[], dict[str, Link]] = dict,
        tcp: Callable[[], dict[str, int] | None] = lambda: None,
    ) -> None:
        self._read = read
        self._read_links = links
        self._read_tcp = tcp
        self._before: NetworkReading | None = None
        self._links: dict[str, Link] = {}
        self._links_until = float("-inf")

    def collect(self, time: float, tick: int) -> Network | Partial | None:
        """Return the traffic since the last call."""
        try:
            now = self._read()
        except OSError as error:
            return self._sockets_alone(time, tick, error)
        before, self._before = self._before, now
        if not now.interfaces:
            return self._sockets_alone(time, tick)
        earlier = before.interfaces if before is not None else {}
        if now.at >= self._links_until or earlier.keys() != now.interfaces.keys():
            self._links = self._read_links()
            self._links_until = now.at + _LINKS_SECONDS
        elapsed = now.at - before.at if before is not None else 0.0
        return Network(
            time=time,
            tick=tick,
            interfaces={
                name: interface_use(earlier.get(name), counters, self._links.get(name), elapsed)
                for name, counters in now.interfaces.items()
            },
            tcp_connections=known(self._read_tcp()),
        )

    def _sockets_alone(self, time: float, tick: int, error: OSError | None = None) -> Partial | None:
        tcp = self._read_tcp()
        if tcp is not None:
            message = Network(time=time, tick=tick, interfaces={}, tcp_connections=tcp)
            return Partial(message, str(error or ""))
        if error is not None:
            raise error
        return None


def interface_use(
    before: InterfaceCounters | None, now: InterfaceCounters, link: Link | None, elapsed: float
) -> NetworkInterface:
    """Return the traffic of `elapsed` seconds; an interface seen for the first time has only totals."""
    message = NetworkInterface(
        receive_total_bytes=now.received_bytes,
        transmit_total_bytes=now.transmitted_bytes,
        receive_packets_total=now.received_packets,
        transmit_packets_total=now.transmitted_packets,
        receive_errors_total=now.receive_errors,
        transmit_errors_total=now.transmit_errors,
        receive_drops_total=now.receive_drops,
        transmit_drops_total=now.transmit_drops,
        up=UNSET if link is None else link.up,
        speed_bytes_per_second=UNSET if link is None else known(link.speed),
    )
    if before is not None:
        message.receive_bytes_per_second = rate(before.received_bytes, now.received_bytes, elapsed)
        message.transmit_bytes_per_second = rate(before.transmitted_bytes, now.transmitted_bytes, elapsed)
        message.receive_packets_per_second = rate(before.received_packets, now.received_packets, elapsed)
        message.transmit_packets_per_second = rate(
            before.transmitted_packets, now.transmitted_packets, elapsed
        )
    return message


def outer_interfaces(names: Collection[str]) -> list[str]:
    """Return the interfaces whose sum is the host's traffic, without what would be counted twice.

    A VLAN such as `eth0.10` is counted with the interface it runs over.
    """
    return [
        name
        for name in names
        if not _INNER.match(name) and not ("." in name and name.partition(".")[0] in names)
    ]
