"""Whatever a broker delivers, the bridge goes on, and a host is changed by its own topics alone."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.fleet.fanout import Subscriber
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.wire import Topics
from fleetglass.wire.protocol import Watch
from support.waiting import wait_until

HOST = "web-1"
PULSE = b'{"time":1000,"tick":1,"session":"a","cpu_percent":5}'
INFO = b'{"time":1,"session":"a","host_name":"a","agent_version":"1","interval_seconds":1,"groups":{}}'

numbers = st.one_of(st.integers(), st.floats(), st.none(), st.booleans(), st.text(max_size=5))
words = st.text(max_size=5)
stamps = st.sampled_from(["time", "tick", "session"])
objects = st.fixed_dictionaries(
    {},
    optional={
        "time": st.one_of(st.floats(0, 2e9), numbers),
        "tick": st.one_of(st.integers(0, 2**40), numbers),
        "session": st.one_of(st.sampled_from(["a", "b", ""]), numbers),
        "state": st.one_of(st.sampled_from(["online", "stopped", "lost", "?"]), numbers),
        "host_name": words,
        "agent_version": st.just("1"),
        "interval_seconds": st.one_of(st.floats(), numbers),
        "groups": st.dictionaries(words, st.dictionaries(words, numbers), max_size=2),
        "pulses": st.lists(
            st.dictionaries(st.sampled_from(["time", "tick", "session"]), numbers), max_size=3
        ),
        "demand": numbers,
    },
)
payloads = st.one_of(st.binary(max_size=200), objects.map(lambda value: json.dumps(value).encode()))
leaves = st.sampled_from(
    ["status", "info", "pulse", "backfill", "summary", "demand", "live/cpu", "live/", "live/a/b"]
)
prefixes = st.sampled_from(["fleet", "fleet/paris", "Fleet", ""])
others = st.sampled_from(["web-2", "web-3", "WEB-1", "web-1 ", "web-1/x"])
topics = st.one_of(
    st.text(max_size=40),
    st.builds("{}/{}/{}".format, prefixes, st.text(max_size=8), leaves),
    st.builds("{}/{}/{}".format, prefixes, others, leaves),
    st.builds("fleet/paris/web-1/{}".format, leaves),
)


def make_relay() -> tuple[Relay, list[float]]:
    """Return a relay that knows one host, and its clock."""
    now = [0.0]
    relay = Relay(
        (Topics("fleet"), Topics("fleet/paris")),
        history=HistoryStore(1_000_000),
        history_all_hosts=32,
        monotonic=lambda: now[0],
        wall=lambda: 1000.0 + now[0],
    )
    relay.on_connected(True)
    relay.on_message(f"fleet/{HOST}/info", INFO)
    relay.on_message(f"fleet/{HOST}/pulse", PULSE)
    relay.advance()
    return relay, now


@given(st.lists(st.tuples(topics, payloads), max_size=20))
def test_nothing_of_others_changes_a_host(messages: list[tuple[str, bytes]]) -> None:
    """Any topics but its own, with any payloads, raise nothing and leave a host as it was."""
    relay, now = make_relay()
    before = relay.entry(HOST)
    for topic, payload in messages:
        relay.on_message(topic, payload)
        now[0] += 0.1
    relay.advance()
    relay.send_pulses()
    assert relay.entry(HOST) == before
    assert [bytes(payload) for payload in relay.history.since(HOST, "pulse", 900, now[0])] == [PULSE]
    assert relay.received == len(messages) + 2


@pytest.mark.parametrize("value", ["[" * 970 + "]" * 970, "[" * 40 + "]" * 40, "1e308", "9" * 5000])
@pytest.mark.parametrize("leaf", ["status", "info", "pulse", "backfill", "live/cpu", "live/custom-x"])
def test_what_no_reader_could_take_is_kept_from_all(leaf: str, value: str) -> None:
    """Absurd depths and numbers in an unknown field are counted on every topic and relayed from none."""
    message = '{"state":"lost","pulses":[],%s,"time":1000.5,"tick":2,"unknown":%s}'
    ordinary, _ = make_relay()
    ordinary.on_message(f"fleet/{HOST}/{leaf}", (message % (INFO[1:-1].decode(), 5)).encode())
    assert ordinary.rejections.total == 0
    relay, now = make_relay()
    before = msgspec.json.encode(relay.entries())
    relay.on_message(f"fleet/{HOST}/{leaf}", (message % (INFO[1:-1].decode(), value)).encode())
    late = f'{{"time":1001,"tick":3,"session":"a","unknown":{value}}}'
    relay.on_message(
        f"fleet/{HOST}/backfill", f'{{"time":1,"tick":9,"session":"a","pulses":[{late}]}}'.encode()
    )
    assert relay.rejections.total == 2
    relay.on_message(f"fleet/{HOST}/backfill", b'{"time":1001,"tick":9,"session":"a","pulses":[%b]}' % PULSE)
    relay.advance()
    assert msgspec.json.encode(relay.entries()) == before
    assert relay.history.last(HOST) == {"pulse": PULSE}
    assert relay.history.since(HOST, "pulse", 900, now[0]) == [PULSE]


@given(st.lists(st.tuples(leaves, payloads), max_size=20))
def test_nothing_that_a_host_says_is_raised(messages: list[tuple[str, bytes]]) -> None:
    """Any payloads on a host's own topics leave the bridge able to tell of every host, and to go on."""
    relay, now = make_relay()
    for leaf, payload in messages:
        relay.on_message(f"fleet/{HOST}/{leaf}", payload)
        relay.advance()
        now[0] += 0.1
    relay.send_pulses()
    json.loads(msgspec.json.encode(relay.entries()))
    relay.on_message("fleet/web-2/pulse", PULSE)
    relay.advance()
    assert relay.entry("web-2").state == "live"


LIVE = b'{"time":1000,"tick":1}'
LATE = b'{"time":1000,"tick":5,"session":"a","pulses":[{"time":999,"tick":0,"session":"a"}]}'
LOST = b'{"state":"lost","session":"a","time":1}'
ONLINE = b'{"state":"online","session":"a","time":1}'
PARTS = {
    "history": ("append", "merge", "forget"),
    "fleet": (
        "hear_pulse",
        "hear_status",
        "hear_info",
        "hear_summary",
        "hear_site",
        "advance",
        "take_changes",
        "without_info",
        "without_last_sign",
    ),
    "fanout": ("pulse", "live", "backfill", "host_changed", "broker_changed", "delivery", "send_pulses"),
    "_watching": ("hosts",),
    "rejections": ("count",),
}
known_messages = st.sampled_from(
    [
        (f"fleet/{host}/{leaf}", payload)
        for host in (HOST, "web-2")
        for leaf, payload in (
            *(("pulse", PULSE), ("info", INFO), ("status", ONLINE), ("status", b""), ("backfill", LATE)),
            *(("live/cpu", LIVE), ("live/collector", LIVE), ("pulse", b"rubbish")),
            *(("status", LOST), ("summary", LIVE)),
        )
    ]
    + [("fleet/site", b"0"), ("fleet/site", b"1"), ("fleet/site", b"2"), ("other", b""), ("fleet/a/b/c", b"")]
)
turns = st.sampled_from(["advance", "send_pulses", "send_deliveries", "entries"])
faults = st.lists(st.sampled_from([None, None, KeyError, RecursionError, MemoryError]), max_size=60)


@given(st.lists(known_messages | turns | st.booleans(), max_size=30), faults)
async def test_whatever_a_part_raises_the_relay_goes_on(
    steps: list[tuple[str, bytes] | str | bool], kinds: list[type[Exception] | None]
) -> None:
    """Errors in history, registry, fan-out and publishing are counted, and cost what was being done."""
    relay, now = make_relay()
    viewer = Subscriber()
    relay.join(viewer)
    relay.watch(viewer, Watch(fleet=True, hosts={HOST: "*"}))
    left, raised = iter(kinds), [0]
    for name, methods in PARTS.items():
        part = getattr(relay, name)
        for method in methods:
            setattr(part, method, _failing(getattr(part, method), left, raised))
    want, say = (_failing(lambda *_: None, left, raised) for _ in range(2))
    asking = asyncio.create_task(relay.ask(want, say))
    for step in steps:
        now[0] += 0.3
        match step:
            case bool():
                relay.on_connected(step)
            case str():
                getattr(relay, step)()
            case topic, payload:
                relay.on_message(topic, payload)
        await asyncio.sleep(0)
    assert relay.errors.total == raised[0]
    assert relay.received == 2 + sum(isinstance(step, tuple) for step in steps)
    list(left)
    relay.on_connected(True)
    relay.on_message("fleet/site", b"")
    relay.on_message("fleet/web-9/pulse", PULSE)
    relay.advance()
    relay.send_pulses()
    await wait_until(lambda: not relay.fanout.waiting, "what is sent in slices")
    assert relay.entry("web-9").state == "live"
    assert "web-9" in [entry.id for entry in relay.entries()]
    frames = [viewer.outbox.pop() for _ in range(len(viewer.outbox))]
    assert any(b'"pulse"' in frame and b"web-9" in frame for frame in frames)
    relay.leave(viewer)
    asking.cancel()
    assert (len(relay.fanout), len(relay.fanout.watched_in_detail)) == (0, 0)


def _failing(
    function: Callable[..., Any], kinds: Iterator[type[Exception] | None], raised: list[int]
) -> Callable[..., Any]:
    def failing(*arguments: Any, **options: Any) -> Any:
        kind = next(kinds, None)
        if kind is not None:
            raised[0] += 1
            raise kind("nobody foresaw it")
        return function(*arguments, **options)

    return failing
