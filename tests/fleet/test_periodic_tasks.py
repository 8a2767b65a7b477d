import asyncio
from pathlib import Path

import pytest

from fleetglass.fleet import periodic_tasks
from fleetglass.fleet.expected_host_list import ExpectedHostList
from fleetglass.fleet.fanout import Subscriber
from fleetglass.fleet.periodic_tasks import every, run_relay
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.wire import Topics
from fleetglass.wire.protocol import Watch
from fleetglass.wire.unexpected_errors import UnexpectedErrors
from support.waiting import wait_until

NOBODY = ExpectedHostList()
PULSE = b'{"time":1000,"tick":1,"session":"a"}'
INFO = (
    b'{"time":1,"session":"a","host_name":"a","agent_version":"1","interval_seconds":1,'
    b'"groups":{"process":{"interval_seconds":5}},"demand":true}'
)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    """Return a relay whose time passes quickly, with one host that takes leases."""
    for name in ("ADVANCE_SECONDS", "PULSE_SECONDS", "DELIVERY_SECONDS", "EXPECTED_SECONDS"):
        monkeypatch.setattr(periodic_tasks, name, 0.01)
    relay = Relay((Topics("fleet"),), history=HistoryStore(1_000_000), history_all_hosts=0)
    relay.on_connected(True)
    relay.on_message("fleet/web-1/info", INFO)
    relay.on_message("fleet/web-1/pulse", PULSE)
    return relay


async def test_everything_that_is_due_is_done_until_the_end(relay: Relay) -> None:
    """States, fleet frames and deliveries come to the viewer, and its detail is asked of the broker."""
    viewer = Subscriber()
    relay.join(viewer)
    wanted: list[frozenset[str]] = []
    said: list[str] = []
    running = asyncio.create_task(
        run_relay(relay, NOBODY, wanted.append, lambda topic, _: said.append(topic))
    )
    relay.watch(viewer, Watch(fleet=True, hosts={"web-1": ["process"]}))
    frames: list[bytes] = []

    def has_come(*words: bytes) -> bool:
        frames.extend(viewer.outbox.pop() for _ in range(len(viewer.outbox)))
        return any(all(word in frame for word in words) for frame in frames)

    await wait_until(lambda: has_come(b'"pulse"', b'"hosts"'), "the fleet frame")
    await wait_until(lambda: has_come(b'"live"', b'"web-1"'), "the state")
    await wait_until(lambda: has_come(b'"delivery"'), "the delivery")
    await wait_until(lambda: said == ["fleet/web-1/demand"], "the lease")
    assert wanted[-1] == {"fleet/web-1/live/#"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"advance", "broker requests"})


async def test_a_new_list_of_expected_hosts_is_taken_up(relay: Relay, tmp_path: Path) -> None:
    """Hosts that are added to the file are listed without a new start."""
    file = tmp_path / "hosts.yaml"
    file.write_text("[]")
    expected = ExpectedHostList(file=file)
    running = asyncio.create_task(run_relay(relay, expected, lambda _: None))
    file.write_text("[web-7]")
    await wait_until(lambda: relay.fleet.get("web-7") is not None, "the host that is expected now")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_reader_asks_for_no_more_detail(relay: Relay) -> None:
    """Without a way to publish no lease is made, and a selection is still subscribed."""
    viewer = Subscriber()
    relay.join(viewer)
    wanted: list[frozenset[str]] = []
    running = asyncio.create_task(run_relay(relay, NOBODY, wanted.append))
    relay.watch(viewer, Watch(hosts={"web-1": "*"}))
    await wait_until(lambda: {"fleet/web-1/live/#"} in wanted, "the subscription")
    assert relay.errors.total == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_selection_is_asked_for_before_the_next_advance(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A viewer that opens a host does not wait for the time to pass."""
    monkeypatch.setattr(periodic_tasks, "ADVANCE_SECONDS", 3600.0)
    viewer = Subscriber()
    relay.join(viewer)
    wanted: list[frozenset[str]] = []
    running = asyncio.create_task(run_relay(relay, NOBODY, wanted.append))
    relay.watch(viewer, Watch(hosts={"web-1": "*"}))
    await wait_until(lambda: {"fleet/web-1/live/#"} in wanted, "the subscription")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_an_action_raises_is_counted_and_does_not_end_the_task() -> None:
    """An action may be a function or a coroutine function."""
    errors = UnexpectedErrors()
    calls = 0

    def act() -> None:
        nonlocal calls
        calls += 1
        raise KeyError("nobody foresaw it")

    async def act_later() -> None:
        await asyncio.sleep(0)
        act()

    tasks = [
        asyncio.create_task(every(0.001, "now", act, errors)),
        asyncio.create_task(every(0.001, "later", act_later, errors)),
    ]
    await wait_until(lambda: calls >= 6, "each goes on")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert errors.total == calls
