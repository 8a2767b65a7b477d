from collections.abc import Collection

import pytest
from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.network import NetworkCollector, interface_use
from fleetglass.agent.readings.types import InterfaceCounters, Link, NetworkReading
from fleetglass.wire.payloads import Network


def counters(received: int, transmitted: int = 0) -> InterfaceCounters:
    return InterfaceCounters(received, transmitted, received // 100, transmitted // 100, 1, 2, 3, 4)


def test_rates_are_over_the_elapsed_time() -> None:
    """5000 bytes in 2 s are 2500 per second, and what the link says is passed on."""
    message = interface_use(counters(1000), counters(6000), Link(up=True, speed=125_000_000, signal=-61), 2.0)
    assert message.receive_bytes_per_second == 2500
    assert message.receive_packets_per_second == 25
    assert message.transmit_bytes_per_second == 0
    assert message.receive_drops_total == 3
    assert message.up is True
    assert message.speed_bytes_per_second == 125_000_000
    assert message.signal_dbm == -61


def test_a_counter_that_went_backwards_gives_no_rate() -> None:
    """An interface that was reset has no rate in the one direction that shows it."""
    message = interface_use(counters(1000, 1), counters(10, 300), None, 1.0)
    assert message.receive_bytes_per_second is UNSET
    assert message.transmit_bytes_per_second == 299
    assert message.up is UNSET


def test_interfaces_come_and_go() -> None:
    """A cable that is pulled vanishes; a new one has totals only, and is asked for its link."""
    left = [
        NetworkReading(1.0, {"eth0": counters(100), "wlan0": counters(100)}),
        NetworkReading(2.0, {"eth0": counters(300), "usb0": counters(50)}),
        NetworkReading(3.0, {"eth0": counters(300), "usb0": counters(60)}),
    ]
    asked = []

    def links(_: Collection[str]) -> dict[str, Link]:
        asked.append(True)
        return {"eth0": Link(up=True, speed=None), "usb0": Link(up=False, speed=None)}

    collector = NetworkCollector(lambda: left.pop(0), links=links, tcp=lambda: {"established": 7})
    collector.collect(1.0, 0)
    message = collector.collect(2.0, 1)
    assert isinstance(message, Network)
    assert set(message.interfaces) == {"eth0", "usb0"}
    assert message.interfaces["eth0"].receive_bytes_per_second == 200
    assert message.interfaces["usb0"].receive_bytes_per_second is UNSET
    assert message.interfaces["usb0"].up is False
    assert message.tcp_connections == {"established": 7}
    assert len(asked) == 2


@pytest.mark.parametrize("error", [None, PermissionError("not yours")])
def test_sockets_are_told_without_interfaces(error: OSError | None) -> None:
    """They come from other files than the counters; without them either, the refusal counts."""

    def read() -> NetworkReading:
        if error is not None:
            raise error
        return NetworkReading(1.0, {})

    found = NetworkCollector(read, tcp=lambda: {"established": 7}).collect(1.0, 1)
    assert isinstance(found, Partial)
    assert isinstance(found.message, Network)
    assert (found.message.tcp_connections, found.reason) == (
        {"established": 7},
        str(error or ""),
    )
    if error is not None:
        with pytest.raises(PermissionError):
            NetworkCollector(read).collect(1.0, 1)


def test_links_are_asked_for_when_something_changes_and_when_it_has_settled() -> None:
    """A new interface has no master yet: it is looked at at once, a second later, and then every 10 s."""
    names = ["eth0"]
    at = 0.0
    asked: list[float] = []

    def links(_: Collection[str]) -> dict[str, Link]:
        asked.append(at)
        return {}

    collector = NetworkCollector(
        lambda: NetworkReading(at, {name: counters(1) for name in names}), links=links
    )
    for second in range(30):
        at = float(second)
        if second == 15:
            names.append("eth1")
        collector.collect(at, second)
    assert asked == [0, 1, 11, 15, 16, 26]


def test_the_sums_are_of_what_is_counted() -> None:
    """A bridge repeats what its port received, so it is told but not counted."""
    host = Scripted(eth0=(1000, 10), br0=(1000, 10))
    first = host.collect()
    assert (first.receive_total_bytes, first.transmit_total_bytes) == (1000, 10)
    assert first.receive_bytes_per_second is UNSET
    message = host.collect(eth0=(1500, 30), br0=(1500, 30))
    assert (message.receive_bytes_per_second, message.transmit_bytes_per_second) == (500, 20)
    assert (message.receive_total_bytes, message.transmit_total_bytes) == (1500, 30)
    assert {name: one.in_total for name, one in message.interfaces.items()} == {"eth0": True, "br0": False}


def test_an_interface_that_comes_or_goes_moves_no_sum() -> None:
    """One that comes brings no bytes of its past; one that goes leaves its own in the total."""
    host = Scripted(eth0=(1000, 0))
    host.collect()
    come = host.collect(eth0=(1100, 0), usb0=(9_000_000, 0))
    assert (come.receive_bytes_per_second, come.receive_total_bytes) == (100, 1100)
    both = host.collect(eth0=(1200, 0), usb0=(9_000_050, 0))
    assert (both.receive_bytes_per_second, both.receive_total_bytes) == (150, 1250)
    gone = host.collect(eth0=(1300, 0))
    assert (gone.receive_bytes_per_second, gone.receive_total_bytes) == (100, 1350)


def test_a_counter_that_starts_anew_moves_no_sum() -> None:
    """A card that was reset is left out of one rate, and the total does not go down."""
    host = Scripted(eth0=(1000, 0), eth1=(5000, 0))
    host.collect()
    reset = host.collect(eth0=(1100, 0), eth1=(3, 0))
    assert (reset.receive_bytes_per_second, reset.receive_total_bytes) == (100, 6100)
    after = host.collect(eth0=(1200, 0), eth1=(53, 0))
    assert (after.receive_bytes_per_second, after.receive_total_bytes) == (150, 6250)


def test_a_host_without_a_network_has_no_sums() -> None:
    """What is not there carries nothing that could be told."""
    host = Scripted(lo=(1000, 1000))
    host.collect()
    message = host.collect(lo=(2000, 2000))
    assert message.receive_bytes_per_second is UNSET
    assert message.receive_total_bytes is UNSET
    assert message.interfaces["lo"].in_total is False
    back = host.collect(lo=(2000, 2000), eth0=(70, 0))
    assert back.receive_total_bytes == 70


def test_only_the_interfaces_that_are_told_are_asked_for_their_links() -> None:
    """What the selection leaves out is not read."""
    asked = []

    def links(names: Collection[str]) -> dict[str, Link]:
        asked.append(sorted(names))
        return {}

    NetworkCollector(
        lambda: NetworkReading(1.0, {"eth0": counters(1), "lo": counters(1)}), links=links
    ).collect(1.0, 1)
    assert asked == [["eth0", "lo"]]


class Scripted:
    """A host whose counters, received and transmitted, are told from second to second."""

    def __init__(self, **interfaces: tuple[int, int]) -> None:
        self._now = interfaces
        self._at = 0.0
        self._collector = NetworkCollector(self._read)

    def collect(self, **interfaces: tuple[int, int]) -> Network:
        """Let a second pass, with these counters at its end."""
        self._now = interfaces or self._now
        self._at += 1
        message = self._collector.collect(self._at, int(self._at))
        assert isinstance(message, Network)
        return message

    def _read(self) -> NetworkReading:
        return NetworkReading(self._at, {name: counters(*one) for name, one in self._now.items()})
