import asyncio
import gzip
import shutil
import subprocess
import time
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from fleetglass.bridge.loop_lag import WINDOW_SECONDS, LoopLag
from fleetglass.bridge.metrics import HOSTS_PER_SLICE, Metrics
from fleetglass.bridge.viewers.viewer import ViewerCounts
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.fleet.periodic_tasks import ADVANCE_SECONDS
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.wire import Topics, encode
from fleetglass.wire.payloads import Info, Pulse
from support.bridge import publisher, pulse, running_bridge
from support.mosquitto import Mosquitto
from support.waiting import wait_until

OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"


class Clock:
    """A monotonic clock that stands where the test puts it."""

    now = 0.0


def make_relay(clock: Clock) -> Relay:
    relay = Relay(
        (Topics("fleet"),),
        history=HistoryStore(10**6),
        history_all_hosts=0,
        monotonic=lambda: clock.now,
        wall=lambda: 1_800_000_000.0 + clock.now,
    )
    relay.on_connected(True)
    return relay


def full_pulse(**values: Any) -> bytes:
    told = {
        "cpu_percent": 12.5,
        "load_1m": 0.5,
        "memory_percent": 40.0,
        "process_count": 200,
        "disk_read_bytes_per_second": 10**12,
    }
    return encode(Pulse(time=1_800_000_000.0, tick=1, session="a", **(told | values)))


async def exposed(metrics: Metrics, accept: str = "") -> str:
    return (await metrics.expose(accept, gzip=False)).body.decode()


def by_sample(families: Any) -> dict[tuple[str, str], float]:
    """Return every sample by name and host, or another label."""
    found: list[Metric] = list(families)
    return {
        (sample.name, ",".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in found
        for sample in family.samples
    }


def metrics_of(relay: Relay) -> Metrics:
    return Metrics(relay, ViewerCounts(connected=3, refusals=Counter(bad_token=2)), LoopLag(), "1.2.3")


async def test_values_are_those_of_the_last_pulse_of_live_hosts() -> None:
    """Each under its own name with the host as label; what a host did not say is absent."""
    clock = Clock()
    relay = make_relay(clock)
    relay.on_message("fleet/web-1/pulse", full_pulse(swap_percent=0.0))
    relay.on_message("fleet/web-2/pulse", full_pulse(cpu_percent=99.9))
    found = by_sample(parse_text(await exposed(metrics_of(relay))))
    assert found["fleetglass_host_cpu_percent", "web-1"] == 12.5
    assert found["fleetglass_host_cpu_percent", "web-2"] == 99.9
    assert found["fleetglass_host_swap_percent", "web-1"] == 0
    assert ("fleetglass_host_swap_percent", "web-2") not in found
    assert ("fleetglass_host_gpu_percent", "web-1") not in found
    assert found["fleetglass_host_processes", "web-1"] == 200
    assert found["fleetglass_host_disk_read_bytes_per_second", "web-1"] == 10**12
    assert found["fleetglass_host_pulses_received_total", "web-2"] == 1
    assert found["fleetglass_host_state", "web-1,live"] == 1
    assert found["fleetglass_host_state", "web-1,lost"] == 0
    assert found["fleetglass_hosts", "live"] == 2
    assert found["fleetglass_messages_received_total", ""] == 2
    assert found["fleetglass_viewers_accepted_total", ""] == 3
    assert found["fleetglass_refused_total", "bad_token"] == 2
    assert found["fleetglass_broker_connected", ""] == 1
    assert found["fleetglass_pulse_latency_seconds_count", ""] == 2


async def test_updates_and_reboots_are_told_as_far_as_the_host_tells_them() -> None:
    """They come with the inventory, and go with it."""
    clock = Clock()
    relay = make_relay(clock)
    info = Info(time=1.0, session="a", host_name="web", agent_version="1", interval_seconds=1.0, groups={})
    told = msgspec.structs.replace(info, pending_updates=12, security_updates=0, reboot_required=True)
    relay.on_message("fleet/web-1/info", encode(told))
    relay.on_message("fleet/web-2/info", encode(info))
    metrics = Metrics(relay, ViewerCounts(), LoopLag(), "1")
    samples = by_sample(parse_text(await exposed(metrics)))
    names = ("pending_updates", "security_updates", "reboot_required")
    assert [samples[f"fleetglass_host_{name}", "web-1"] for name in names] == [12, 0, 1]
    assert not [host for name, host in samples if name.endswith("_updates") and host != "web-1"]
    relay.on_message("fleet/web-1/info", b"")
    assert "pending_updates{" not in await exposed(metrics)


async def test_expected_hosts_are_told_apart() -> None:
    """One that waits has its state alone; who is not on the list has no sample of it."""
    relay = make_relay(Clock())
    relay.expect([ExpectedHost("web-1", name="Shop"), ExpectedHost("db-2", notes='"')])
    for host in ("web-1", "web-2"):
        relay.on_message(f"fleet/{host}/pulse", full_pulse())
    for parse, accept in ((parse_text, ""), (parse_open_metrics, OPEN_METRICS)):
        found = by_sample(parse(await exposed(metrics_of(relay), accept)))
        expected = {
            host: value for (name, host), value in found.items() if name == "fleetglass_host_expected"
        }
        assert expected == {"web-1": 1, "db-2": 1}
        of_waiting = {key: value for key, value in found.items() if key[1].startswith("db-2,")}
        assert of_waiting == {
            ("fleetglass_host_state", f"db-2,{state}"): state == "waiting"
            for state in ("live", "late", "lost", "suspended", "stopped", "waiting")
        }
        assert found["fleetglass_hosts", "waiting"] == 1
        assert ("fleetglass_host_cpu_percent", "db-2") not in found


@pytest.mark.parametrize("gone", ["late", "broker"])
async def test_a_value_is_never_stale(gone: str) -> None:
    """No value of a host that is not live, and of none while the broker is away; states are told always."""
    clock = Clock()
    relay = make_relay(clock)
    relay.on_message("fleet/web-1/pulse", full_pulse())
    if gone == "late":
        while clock.now < 5:
            clock.now += 0.25
            relay.advance()
    else:
        relay.on_connected(False)
    found = by_sample(parse_text(await exposed(metrics_of(relay))))
    assert not [key for key in found if key[0] == "fleetglass_host_cpu_percent"]
    assert ("fleetglass_host_state", "web-1,live") in found
    assert found["fleetglass_host_state", "web-1,late"] == (gone == "late")
    assert found["fleetglass_broker_connected", ""] == (gone != "broker")


async def test_a_site_that_is_cut_off_is_told() -> None:
    """With the prefix as label, and no value of its hosts meanwhile; without sites there is nothing."""
    clock = Clock()
    relay, found = make_relay(clock), {}
    relay.on_message("fleet/web-1/pulse", full_pulse())
    assert "fleetglass_site_connected{" not in await exposed(metrics_of(relay))
    for said, expected in ((b"0", 0), (b"broken", 0), (b"1", 1)):
        clock.now += 1
        relay.on_message("fleet/site", said)
        found = by_sample(parse_text(await exposed(metrics_of(relay))))
        assert found["fleetglass_site_connected", "fleet"] == expected
        assert ("fleetglass_host_cpu_percent", "web-1") not in found
    assert found["fleetglass_host_state", "web-1,late"] == 1
    assert relay.rejections.total == 1


async def test_open_metrics_is_spoken_when_asked_for() -> None:
    """With its end mark, its names of counters and its type, and read by its own parser."""
    relay = make_relay(Clock())
    relay.on_message("fleet/web-1/pulse", full_pulse())
    told = await metrics_of(relay).expose(OPEN_METRICS, gzip=False)
    assert told.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert told.body.endswith(b"# EOF\n")
    found = by_sample(parse_open_metrics(told.body.decode()))  # type: ignore[no-untyped-call]
    assert found["fleetglass_host_pulses_received_total", "web-1"] == 1
    assert found["fleetglass_host_cpu_percent", "web-1"] == 12.5


async def test_it_is_compressed_where_asked() -> None:
    """The same text, in a fraction of the bytes."""
    relay = make_relay(Clock())
    for number in range(HOSTS_PER_SLICE * 3):
        relay.on_message(f"fleet/web-{number}/pulse", full_pulse())
    metrics = metrics_of(relay)
    plain = await metrics.expose("", gzip=False)
    packed = await metrics.expose("", gzip=True)
    assert (plain.encoding, packed.encoding) == (None, "gzip")

    def lines(body: bytes) -> list[bytes]:
        return [line for line in body.splitlines() if not line.startswith(b"process_")]

    assert lines(gzip.decompress(packed.body)) == lines(plain.body)
    assert len(packed.body) < len(plain.body) / 10


async def test_others_run_between_the_slices() -> None:
    """However many hosts there are, the event loop turns after every few of them."""
    relay = make_relay(Clock())
    hosts = 20 * HOSTS_PER_SLICE
    for number in range(hosts):
        relay.on_message(f"fleet/web-{number}/pulse", full_pulse())
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        loop.call_soon(turn)

    loop = asyncio.get_running_loop()
    loop.call_soon(turn)
    body = await exposed(metrics_of(relay))
    assert turns >= hosts / HOSTS_PER_SLICE + body.count("# TYPE fleetglass_host_")


async def test_a_host_may_come_and_go_while_it_is_exposed() -> None:
    """What was there when it began is told to the end, and nothing breaks."""
    relay = make_relay(Clock())
    for number in range(3 * HOSTS_PER_SLICE):
        relay.on_message(f"fleet/web-{number}/pulse", full_pulse())
    loop = asyncio.get_running_loop()
    exposing = loop.create_task(exposed(metrics_of(relay)))
    for number in range(3 * HOSTS_PER_SLICE):
        await asyncio.sleep(0)
        relay.on_message(f"fleet/web-{number}/status", b"")
        relay.on_message(f"fleet/new-{number}/pulse", full_pulse())
    assert list(parse_text(await exposing))


@given(
    st.text(alphabet='abc-_09"\\\n{}=,ABCäé/+#', min_size=1, max_size=12),
    st.one_of(
        st.floats(allow_nan=True, allow_infinity=True),
        st.integers(),
        st.text(),
        st.none(),
        st.sampled_from(["1e400", "-1e400", "NaN", "1e-320", "0x10"]),
    ),
)
def test_no_host_breaks_the_format(host: str, value: Any) -> None:
    """Whatever a publisher calls itself or says, both parsers read all of it."""
    relay = make_relay(Clock())
    relay.on_message("fleet/good/pulse", full_pulse())
    relay.on_message(
        f"fleet/{host}/pulse",
        f'{{"time":1,"tick":1,"session":"x","cpu_percent":{value},"load_1m":{value}}}'.encode(),
    )
    metrics = metrics_of(relay)
    for accept, parse in (("", parse_text), (OPEN_METRICS, parse_open_metrics)):
        found = by_sample(parse(asyncio.run(exposed(metrics, accept))))
        assert found["fleetglass_host_cpu_percent", "good"] == 12.5


async def test_promtool_has_nothing_to_say() -> None:
    """Prometheus's own check of names, types, units and help."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool: apt-get install prometheus")
    relay = make_relay(Clock())
    every = {
        name: 1
        for name in Pulse.__struct_fields__
        if name not in ("time", "tick", "session", "core_percents", "core_numbers")
    }
    relay.on_message("fleet/web-1/pulse", full_pulse(**every))
    text = await exposed(metrics_of(relay))
    checked = await asyncio.to_thread(
        subprocess.run,
        [promtool, "check", "metrics"],
        input=text,
        text=True,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr, checked.stdout) == (0, "", "")


def test_the_lag_is_the_worst_of_the_last_minute() -> None:
    """A long wait is told for half a minute at least, and forgotten after a minute."""
    lag = LoopLag()
    lag.observe(0.5, now=100.0)
    lag.observe(0.001, now=101.0)
    assert lag.worst == 0.5
    lag.observe(0.001, now=100.0 + WINDOW_SECONDS)
    assert lag.worst == 0.5
    lag.observe(0.002, now=100.0 + 2 * WINDOW_SECONDS)
    assert lag.worst == 0.002


async def test_a_loop_that_is_blocked_is_seen() -> None:
    """The wait that a call causes which blocks the event loop is measured."""
    lag = LoopLag()
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(0)
    time.sleep(0.3)  # noqa: ASYNC251 - this is what is to be seen
    await wait_until(lambda: _as_awaitable(lag.worst > 0.1), "the wait is seen")
    watching.cancel()


async def _as_awaitable(value: bool) -> bool:  # noqa: FBT001 - it is the value
    return value


async def test_prometheus_is_answered_over_http(mosquitto: Mosquitto, prefix: str) -> None:
    """`/metrics` is served with its content type, compressed, and off loopback only with the token."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1, cpu_percent=7.5))
        await bridge.until_known("web-1")
        status, body, headers = await bridge.get("/metrics", Accept_Encoding="gzip")
        assert (status, headers["Content-Encoding"]) == (200, "gzip")
        assert headers["Content-Type"].startswith("text/plain; version=")
        found = by_sample(parse_text(gzip.decompress(body).decode()))
        assert found["fleetglass_host_state", "web-1,live"] == 1
        assert (await bridge.get("/metrics", method="HEAD"))[:2] == (200, b"")
        assert (await bridge.health())["event_loop_lag_seconds"] < 100 * ADVANCE_SECONDS
