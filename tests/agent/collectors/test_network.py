import pytest
from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.network import NetworkCollector, interface_use, outer_interfaces
from fleetglass.agent.readings.types import InterfaceCounters, Link, NetworkReading
from fleetglass.wire.payloads import Network


def counters(received: int, transmitted: int = 0) -> InterfaceCounters:
    return InterfaceCounters(received, transmitted, received // 100, transmitted // 100, 1, 2, 3, 4)


def test_rates_are_over_the_elapsed_time() -> None:
    """5000 bytes in 2 s are 2500 per second, and what the link says is passed on."""
    message = interface_use(counters(1000), counters(6000), Link(up=True, speed=125_000_000), 2.0)
    assert message.receive_bytes_per_second == 2500
    assert message.receive_packets_per_second == 25
    assert message.transmit_bytes_per_second == 0
    assert message.receive_drops_total == 3
    assert message.up is True
    assert message.speed_bytes_per_second == 125_000_000


def test_a_counter_that_went_backwards_gives_no_rate() -> None:
    """An interface that was reset has no rate in the one direction that shows it."""
    message = interface_use(counters(1000, 1), counters(10, 300), None, 1.0)
    assert message.receive_bytes_per_second is UNSET
    assert message.transmit_bytes_per_second == 299
    assert message.up is UNSET


def test_interfaces_come_and_go() -> None:
    """A cable that is pulled vanishes; a new one has totals only, and is asked for its link at once."""
    left = [
        NetworkReading(1.0, {"eth0": counters(100), "wlan0": counters(100)}),
        NetworkReading(2.0, {"eth0": counters(300), "usb0": counters(50)}),
        NetworkReading(3.0, {"eth0": counters(300), "usb0": counters(60)}),
    ]
    asked = []

    def links() -> dict[str, Link]:
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
    collector.collect(3.0, 2)
    assert len(asked) == 2


def test_inner_interfaces_are_not_summed() -> None:
    """Loopback, bridges, virtual cables, bonds, VLANs and tunnels would count the same bytes twice."""
    inner = ["lo", "docker0", "br-1a2b", "br0", "veth12", "virbr0", "bond0", "eth0.10", "wg0", "ifb0"]
    assert outer_interfaces([*inner, "eth0", "wlp3s0", "enp0s31f6", "broadcom"]) == [
        "eth0",
        "wlp3s0",
        "enp0s31f6",
        "broadcom",
    ]


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
