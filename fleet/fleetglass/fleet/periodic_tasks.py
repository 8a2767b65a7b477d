"""What a relay does again and again: the same in a bridge and in a program that reads a broker itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from fleetglass.fleet.expected_host_list import ExpectedHostList
from fleetglass.fleet.relay import Relay, Say, Want
from fleetglass.wire.unexpected_errors import UnexpectedErrors

ADVANCE_SECONDS = 0.25
PULSE_SECONDS = 1.0
DELIVERY_SECONDS = 5.0
EXPECTED_SECONDS = 1.0


async def run_relay(relay: Relay, expected: ExpectedHostList, want: Want, say: Say | None = None) -> NoReturn:
    """Let time pass for a relay, send what is due, and ask the broker as `Relay.ask` does.

    `expected` is read again when its file changes.
    """

    async def refresh() -> None:
        if await expected.refresh():
            relay.expect(expected.hosts)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.ask(want, say), name="broker requests")
        for seconds, name, action in (
            (ADVANCE_SECONDS, "advance", relay.advance),
            (PULSE_SECONDS, "fleet frames", relay.send_pulses),
            (DELIVERY_SECONDS, "delivery", relay.send_deliveries),
            (EXPECTED_SECONDS, "expected hosts", refresh),
        ):
            tasks.create_task(every(seconds, name, action, relay.errors), name=name)
    raise AssertionError  # none of the tasks ends


async def every(
    seconds: float, task: str, action: Callable[[], Awaitable[None] | None], errors: UnexpectedErrors
) -> NoReturn:
    """Do something every so many seconds; what it raises is counted, and `task` names it in the log."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + seconds, loop.time())
        await asyncio.sleep(due - loop.time())
        with errors.caught(f"running the task {task}"):
            waiting = action()
            if waiting is not None:
                await waiting
