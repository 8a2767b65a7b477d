from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.cli.simulator.synthetic_host import make_host
from fleetglass.cli.simulator.synthetic_messages import EVERY_TICK, SLOW_SECONDS, make_info, make_messages
from fleetglass.wire import decode, encode, is_host_id
from fleetglass.wire.payloads import GROUPS, MAX_PAYLOAD_BYTES, Disk, Group, Info, Network, Pulse

NOW = 1_790_000_000.0
ALL = frozenset(SLOW_SECONDS)


@given(number=st.integers(1, 10_000), cores=st.integers(1, 256), time=st.floats(1.7e9, 2e9))
def test_messages_are_of_the_contract(number: int, cores: int, time: float) -> None:
    """Whatever the host and the moment, every message decodes to itself, in range, and fits a relay."""
    host = make_host(number, cores=cores, now=time)
    assert is_host_id(host.id)
    pulse, groups = make_messages(host, round(time, 3), 7, "abc123", ALL)
    assert {name: GROUPS[name] for name in groups} == {name: type(group) for name, group in groups.items()}
    gpus = {"gpu"} if host.role.gpus else set()
    assert set(groups) == {*EVERY_TICK, *SLOW_SECONDS} | gpus
    messages: list[Pulse | Group] = [pulse, *groups.values()]
    for message in messages:
        payload = encode(message)
        assert len(payload) <= MAX_PAYLOAD_BYTES
        assert decode(payload, type(message)) == message
        assert (message.time, message.tick) == (round(time, 3), 7)
        check_ranges(msgspec.to_builtins(message))


def check_ranges(value: Any, name: str = "") -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            check_ranges(inner, key)
    elif isinstance(value, list):
        for inner in value:
            check_ranges(inner, name)
    elif isinstance(value, int | float):
        assert value >= 0, name
        if name.endswith(("_percent", "_percents")) and name != "cpu_percent":
            assert value <= 100, name


def test_same_seed_same_host() -> None:
    """Seed, number and time decide every value; another seed gives another host."""
    one, same = (make_host(3, cores=4, now=NOW + more) for more in (0, 3600))
    other = make_host(3, cores=4, now=NOW, seed=1)
    assert make_messages(one, NOW, 1, "s", ALL) == make_messages(same, NOW, 1, "s", ALL)
    assert make_messages(one, NOW, 1, "s") != make_messages(other, NOW, 1, "s")
    assert one.boot_time == same.boot_time < NOW


def test_slow_groups_come_when_due() -> None:
    """Filesystems and processes come only on their turn."""
    host = make_host(1, cores=4, now=NOW)
    assert set(make_messages(host, NOW, 1, "s")[1]) == set(EVERY_TICK)
    assert "process" in make_messages(host, NOW, 1, "s", frozenset({"process"}))[1]


def test_counters_fit_the_rates() -> None:
    """Over ten seconds the counters gain about what the rates say, and never go back."""
    host = make_host(2, cores=4, now=NOW)
    ticks = [make_messages(host, NOW + second, second, "s")[1] for second in range(11)]
    for group, field, rate, total in [
        ("disk", "devices", "read_bytes_per_second", "read_total_bytes"),
        ("network", "interfaces", "receive_bytes_per_second", "receive_total_bytes"),
    ]:
        [devices] = [[next(iter(getattr(tick[group], field).values())) for tick in ticks]]
        totals = [getattr(device, total) for device in devices]
        rates = [getattr(device, rate) for device in devices]
        assert totals == sorted(totals)
        assert (totals[-1] - totals[0]) == pytest.approx(sum(rates) - (rates[0] + rates[-1]) / 2, rel=0.25)


def test_info_says_that_it_is_synthetic() -> None:
    """The info is marked, complete and says what is published how often."""
    host = make_host(1, cores=8, now=NOW)
    info = make_info(host, NOW, "s", "1.0", 2.0)
    assert decode(encode(info), Info) == info
    assert info.synthetic is True
    assert info.logical_cores == 8
    intervals = {name: group.interval_seconds for name, group in info.groups.items()}
    assert intervals == dict.fromkeys(EVERY_TICK, 2.0) | SLOW_SECONDS
    _, groups = make_messages(host, NOW, 1, "s", ALL)
    assert isinstance(groups["disk"], Disk)
    assert isinstance(groups["network"], Network)
    assert info.devices is not msgspec.UNSET
    assert list(groups["disk"].devices) == info.devices["disk"]
