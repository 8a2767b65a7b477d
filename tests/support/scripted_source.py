"""A source that says what a test tells it to, and remembers what was selected."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from fleetglass.client.source import Interrupted
from fleetglass.wire.protocol import (
    BridgeMessage,
    Fleet,
    Host,
    HostEntry,
    Limits,
    LiveFrame,
    PulseFrame,
    Watch,
    Welcome,
)
from support.samples import MadeUpHost, Payload


class ScriptedSource:
    """Yields what is put into it; an exception is raised."""

    def __init__(self) -> None:
        self.selections: list[Watch] = []
        self._said: asyncio.Queue[BridgeMessage | Interrupted | Exception] = asyncio.Queue()

    async def select(self, watch: Watch) -> None:
        """Remember it."""
        self.selections.append(watch)

    async def messages(self) -> AsyncIterator[BridgeMessage | Interrupted]:
        """Yield what is said."""
        while True:
            message = await self._said.get()
            if isinstance(message, Exception):
                raise message
            yield message

    def say(self, *messages: BridgeMessage | Interrupted | Exception) -> None:
        """Let it say these."""
        for message in messages:
            self._said.put_nowait(message)


def raw(payload: Payload) -> msgspec.Raw:
    """Return a payload as it comes from a host."""
    return msgspec.Raw(json.dumps(payload).encode())


def welcome(now: float, **changes: Any) -> Welcome:
    """Return the first message of a bridge."""
    told: dict[str, Any] = {
        "version": "1",
        "time": now,
        "broker": "connected",
        "broker_since": now,
        "viewers": 1,
        "limits": Limits(),
    }
    return Welcome(**(told | changes))


def fleet(hosts: list[MadeUpHost], now: float, **states: Any) -> Fleet:
    """Return the list of hosts, each with its info; live, unless `states` says otherwise by id."""
    return Fleet(
        time=now,
        hosts=[
            HostEntry(
                id=host.id, state=states.get(host.id, "live"), since=now - 100, info=raw(host.info(now))
            )
            for host in hosts
        ],
    )


def pulses(hosts: list[MadeUpHost], now: float, **changes: Any) -> PulseFrame:
    """Return one frame of pulses; `changes` are values of all of them."""
    return PulseFrame(time=now, hosts={host.id: raw(host.pulse(now, **changes)) for host in hosts})


def live(host: MadeUpHost, now: float, **groups: Payload) -> LiveFrame:
    """Return the groups of one tick; `groups` are put in place of the usual ones."""
    return LiveFrame(
        host=host.id, samples={name: raw(one) for name, one in (host.live(now) | groups).items()}
    )


def changed(host_id: str, state: Any, since: float) -> Host:
    """Return the news of a state."""
    return Host(id=host_id, state=state, since=since)
