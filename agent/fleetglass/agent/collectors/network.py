from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.rates import known, rate
from fleetglass.agent.collectors.summed_interfaces import summed_interfaces
from fleetglass.agent.readings.types import InterfaceCounters, Link, NetworkReading
from fleetglass.wire.payloads import Network, NetworkInterface

_LINKS_SECONDS = 10.0  # asking every interface for its state costs more than all counters
_SETTLING_SECONDS = 1.0  # one that comes is renamed, switched on and put below its master a moment later


class NetworkCollector:
    """Traffic of every network interface, and TCP sockets by state."""

    group = "network"
    interval = 0.0

    def __init__(
        self,
        read: Callable[[], NetworkReading],
        *,
        links: Callable[[Collection[str]], dict[str, Link]] = lambda _: {},
        tcp: Callable[[], dict[str, int] | None] = lambda: None,
    ) -> None:
        self._read = read
        self._read_links = links
        self._read_tcp = tcp
        self._before: NetworkReading | None = None
        self._links: dict[str, Link] = {}
        self._links_until = float("-inf")
        self._summed: set[str] = set()
        self._received: int | None = None
        self._transmitted = 0

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
        has_changed = earlier.keys() != now.interfaces.keys()
        if has_changed or now.at >= self._links_until:
            self._links = self._read_links(now.interfaces)
            self._links_until = now.at + (_SETTLING_SECONDS if has_changed else _LINKS_SECONDS)
            self._summed = summed_interfaces(now.interfaces, self._links)
        self._add_up(earlier, now.interfaces)
        elapsed = now.at - before.at if before is not None else 0.0
        message = Network(
            time=time,
            tick=tick,
            interfaces={
                name: interface_use(earlier.get(name), counters, self._links.get(name), elapsed)
                for name, counters in now.interfaces.items()
            },
            receive_total_bytes=known(self._received),
            transmit_total_bytes=UNSET if self._received is None else self._transmitted,
            tcp_connections=known(self._read_tcp()),
        )
        for name, one in message.interfaces.items():
            one.in_total = name in self._summed
        counted = [message.interfaces[name] for name in self._summed]
        message.receive_bytes_per_second = _sum(one.receive_bytes_per_second for one in counted)
        message.transmit_bytes_per_second = _sum(one.transmit_bytes_per_second for one in counted)
        return message

    def _add_up(self, before: Mapping[str, InterfaceCounters], now: Mapping[str, InterfaceCounters]) -> None:
        """Count on. An interface that comes adds only what passes it from then on, one that goes stays in."""
        if not self._summed:
            return
        if self._received is None:
            self._received = sum(now[name].received_bytes for name in self._summed)
            self._transmitted = sum(now[name].transmitted_bytes for name in self._summed)
            return
        for name in self._summed & before.keys():
            self._received += max(0, now[name].received_bytes - before[name].received_bytes)
            self._transmitted += max(0, now[name].transmitted_bytes - before[name].transmitted_bytes)

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
        up=UNSET if link is None else known(link.up),
        speed_bytes_per_second=UNSET if link is None else known(link.speed),
        signal_dbm=UNSET if link is None else known(link.signal),
    )
    if before is not None:
        message.receive_bytes_per_second = rate(before.received_bytes, now.received_bytes, elapsed)
        message.transmit_bytes_per_second = rate(before.transmitted_bytes, now.transmitted_bytes, elapsed)
        message.receive_packets_per_second = rate(before.received_packets, now.received_packets, elapsed)
        message.transmit_packets_per_second = rate(
            before.transmitted_packets, now.transmitted_packets, elapsed
        )
    return message


def _sum(values: Iterable[int | UnsetType]) -> int | UnsetType:
    told = [value for value in values if not isinstance(value, UnsetType)]
    return sum(told) if told else UNSET
