"""What a bridge says, made from the topics themselves: for who has a broker and no bridge.

This is the bridge's own relay with a single viewer in the same process, so that states, frames and history
are the same whichever way they come. It only reads: it publishes nothing, and asks no host for more detail.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Final, NoReturn

from fleetglass.client.source import Interrupted
from fleetglass.client.statistics import Traffic
from fleetglass.fleet.expected_host_list import ExpectedHostList
from fleetglass.fleet.fanout import Subscriber
from fleetglass.fleet.periodic_tasks import ADVANCE_SECONDS, every, run_relay
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.backoff import CAP_SECONDS, FIRST_SECONDS, Backoff
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.feed import Feed
from fleetglass.wire import Topics
from fleetglass.wire.codec import decode_text
from fleetglass.wire.errors import AccessError, CertificateError, MqttError, Refused, Unreachable
from fleetglass.wire.protocol import BridgeMessage, Watch, as_json
from fleetglass.wire.topics import DEFAULT_PREFIX
from fleetglass.wire.version import VERSION

HISTORY_BYTES: Final = 16 * 1024 * 1024
"""Memory for the past of what came; the oldest goes first."""
SETTLE_SECONDS: Final = 1.5
"""At most so long after connecting, the fleet is told: by then each host that lives has been heard."""

_SETTLE_LEAST_SECONDS = 0.25
_END = b""


class BrokerSource:
    """What a bridge would send, from a broker, over one connection after the other.

    Who takes messages too slowly gets the newest of each kind and host, as a bridge's viewer does.

    Args:
        broker: its address, `mqtt://[user@]host[:1883]` or `mqtts://…`, or a `BrokerAccess` where password,
            files for TLS or several nodes are to be said.
        watch: the selection at first; without one, the pulses of the whole fleet.
        prefix: of the topics; several may be given.
        reconnect: whether a broken connection is tried again.
        reconnect_interval: seconds before the second try, as of a bridge's source.
        max_reconnects: after how many tries in vain to give up; without it, never.
        expected: hosts that are listed even when they were never heard.

    Raises:
        ContractError: the address or the prefix breaks its rule.
    """

    def __init__(
        self,
        broker: str | BrokerAccess,
        watch: Watch | None = None,
        *,
        prefix: str | Iterable[str] = DEFAULT_PREFIX,
        reconnect: bool = True,
        reconnect_interval: float = FIRST_SECONDS,
        max_reconnects: int | None = None,
        expected: ExpectedHostList | None = None,
    ) -> None:
        self.traffic = Traffic()
        """Of messages as a bridge would send them."""
        self._access = BrokerAccess(url=BrokerURL.parse(broker)) if isinstance(broker, str) else broker
        self._watch = watch or Watch(fleet=True)
        self._most_tries = (math.inf if max_reconnects is None else max_reconnects) if reconnect else 0
        self._reconnect_interval = reconnect_interval
        prefixes = (prefix,) if isinstance(prefix, str) else tuple(prefix)
        self._relay = Relay(
            tuple(Topics(one) for one in prefixes), history=HistoryStore(HISTORY_BYTES), history_all_hosts=0
        )
        self._expected = expected or ExpectedHostList()
        self._relay.expect(self._expected.hosts)
        self._connected = asyncio.Event()
        self._subscriber: Subscriber | None = None
        """The one viewer, while it takes part."""

    async def select(self, watch: Watch) -> None:
        """Replace the selection, now and for every connection to come."""
        self._watch = watch
        if self._subscriber is not None:
            self._relay.watch(self._subscriber, watch)

    async def messages(self) -> AsyncIterator[BridgeMessage | Interrupted]:
        """Yield what comes; after each break, one `Interrupted` and another try.

        Raises:
            Refused: a file for TLS cannot be used, or the broker does not let us in at the first try.
            Unreachable: the broker does not answer, or the connection broke, and it is not to be tried again.
        """
        try:
            feed = Feed(
                self._access,
                self._relay.fleet_filters(),
                self._relay.inbox,
                self._on_connected,
                name="fleetglass-client",
            )
        except CertificateError as error:
            raise Refused(str(error)) from error
        loop = asyncio.get_running_loop()
        backoff = Backoff(max(CAP_SECONDS, self._reconnect_interval), self._reconnect_interval)
        let_in = False
        while True:
            started_at = loop.time()
            url = feed.url
            broken = MqttError("the connection ended")
            try:
                async with aclosing(self._once(feed)) as messages:  # type: ignore[type-var] # it is a generator
                    async for message in messages:
                        let_in = True
                        yield message
            except MqttError as error:
                broken = error
            refused = "refused: " if broken.end in ("refused", "version") else ""
            reason = f"broker: {refused}{broken} ({url})"
            if isinstance(broken, AccessError) and not let_in:
                raise Refused(reason) from broken
            delay = backoff.after(loop.time() - started_at)
            if backoff.failures > self._most_tries:
                raise Unreachable(reason) from broken
            yield Interrupted(reason, delay)
            await asyncio.sleep(delay)

    async def _once(self, feed: Feed) -> AsyncIterator[BridgeMessage]:
        """Yield what comes until the connection ends, which raises MqttError."""
        subscriber = Subscriber()
        tasks = [
            asyncio.create_task(feed.connect(), name="broker connection"),
            asyncio.create_task(self._serve(subscriber, feed), name="broker fleet"),
        ]
        for task in tasks:
            task.add_done_callback(lambda _: subscriber.outbox.put("end", "", _END))
        try:
            while (frame := await subscriber.outbox.take()) != _END:
                self.traffic.received(len(frame))
                message: BridgeMessage = decode_text(frame, BridgeMessage)  # type: ignore[arg-type] # a union is no type to mypy
                yield message
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._leave()

    async def _serve(self, subscriber: Subscriber, feed: Feed) -> NoReturn:
        """Be the bridge of one viewer, from when the broker is there."""
        relay = self._relay
        await self._connected.wait()
        await self._settle()
        subscriber.outbox.put("welcome", "", as_json(relay.welcome(VERSION)).encode())
        relay.join(subscriber)
        self._subscriber = subscriber
        relay.watch(subscriber, self._watch)
        relay.send_pulses()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.send_past(subscriber), name="broker past")
            tasks.create_task(run_relay(relay, self._expected, feed.want), name="broker relay")
            tasks.create_task(
                every(ADVANCE_SECONDS, "selection", self._select_anew, relay.errors),
                name="broker selection",
            )
        raise AssertionError

    async def _settle(self) -> None:
        """Wait until what is retained has come, and the pulses, if asked for, of hosts that are online."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        least = _SETTLE_LEAST_SECONDS if self._watch.fleet else _SETTLE_LEAST_SECONDS / 2
        count = 0
        while (waited := loop.time() - began) < SETTLE_SECONDS:
            self._relay.advance()
            fleet = self._relay.fleet
            heard = fleet.heard.values()
            is_awaited = self._watch.fleet and any(
                host.state == "waiting" and host.presence.said == "online" for host in heard
            )
            is_complete = len(heard) == count and waited >= least
            if heard and not is_awaited and is_complete:
                return
            count = len(heard)
            await asyncio.sleep(_SETTLE_LEAST_SECONDS / 5)

    def _select_anew(self) -> None:
        """Take in a selected host that was not yet known when it was selected."""
        relay, subscriber = self._relay, self._subscriber
        if subscriber is not None and any(
            host not in subscriber.hosts and relay.fleet.get(host) is not None for host in self._watch.hosts
        ):
            relay.watch(subscriber, self._watch)

    def _on_connected(self, connected: bool) -> None:  # noqa: FBT001 - the one argument of a callback
        if connected:
            self._connected.set()
        else:
            self._connected.clear()
            self._leave()  # who iterates is told by `Interrupted`, not of a bridge without its broker
        self._relay.on_connected(connected)

    def _leave(self) -> None:
        if self._subscriber is not None:
            self._relay.leave(self._subscriber)
            self._subscriber = None
