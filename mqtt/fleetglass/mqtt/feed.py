"""The bridge's connection to the broker: connects, subscribes what is wanted, hands over what comes."""

import asyncio
import logging
import random
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NoReturn

from fleetglass.fleet.inbox import Inbox
from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.mqtt.backoff import backoff_seconds
from fleetglass.mqtt.hand_written import REFUSED, Connection, MqttError, connected
from fleetglass.mqtt.tls import tls_context
from fleetglass.wire import CertificateError
from fleetglass.wire.errors import BridgeError

KEEPALIVE_SECONDS = 15
TIMEOUT_SECONDS = 10.0
NODE_TIMEOUT_SECONDS = 5.0
"""While a cluster elects leaders, the next node may well answer sooner than the one that was asked."""
STABLE_SECONDS = 10.0
"""A connection that lasted this long starts the backoff anew."""
LONGEST_WAIT_SECONDS = 0.7
"""Agents send what they kept a second after they are back; a bridge is to be there by then."""
REFUSED_SECONDS = 2.0
"""A refused subscription is asked for again after this: rights change, and clusters elect leaders."""
SUBSCRIBE_BATCH = 200
MOST_UNSAID = 1000

StateHandler = Callable[[bool], None]

_log = logging.getLogger(__name__)


class Feed:
    """Delivers what is subscribed, and keeps connecting for as long as `run` runs.

    After a failed connection, the next node of a cluster is tried.

    `inbox` gets what comes. `on_connected` gets whether the broker is there, on every change.
    `name` is what the broker's log will show, with something random after it.

    Raises:
        BridgeError: a file for TLS cannot be used.
    """

    def __init__(
        self,
        access: BrokerAccess,
        filters: Iterable[tuple[str, int]],
        inbox: Inbox,
        on_connected: StateHandler,
        *,
        name: str = "fleetglass-bridge",
    ) -> None:
        self._access = access
        self._name = name
        self._fixed = list(filters)
        self._on_connected = on_connected
        self._inbox = inbox
        self._wanted: frozenset[str] = frozenset()
        self._wanted_changed = asyncio.Event()
        self._subscribed: set[str] = set()
        self._missing: list[tuple[str, int]] = []  # of the fixed ones, those not yet granted
        self._connected = False
        self._saying: deque[tuple[str, bytes]] = deque()
        self._something_to_say = asyncio.Event()
        try:
            self._tls = tls_context(access) if access.url.tls else None
        except CertificateError as error:
            raise BridgeError(str(error)) from error

    @property
    def url(self) -> BrokerURL:
        """The broker, or the node of it, that is connected or being tried."""
        return self._access.url

    @property
    def subscriptions(self) -> int:
        """How many filters are subscribed."""
        return len(self._fixed) - len(self._missing) + len(self._subscribed)

    def want(self, filters: frozenset[str]) -> None:
        """Set which filters are subscribed, at QoS 0, beside the fixed ones."""
        if filters != self._wanted:
            self._wanted = filters
            self._wanted_changed.set()

    def say(self, topic: str, payload: bytes) -> None:
        """Publish something retained soon; while there is no broker, or too much waits, not at all."""
        if self._connected and len(self._saying) < MOST_UNSAID:
            self._saying.append((topic, payload))
            self._something_to_say.set()

    async def run(self) -> NoReturn:
        """Connect, subscribe, deliver; again and again."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            url = self.url
            try:
                await self.connect()
            except MqttError as error:
                if loop.time() - started > STABLE_SECONDS:
                    attempt = 0
                wait = backoff_seconds(attempt, random.random(), LONGEST_WAIT_SECONDS)
                # The first line says what is wrong; repeating it at every attempt says nothing more.
                level = logging.WARNING if attempt == 0 else logging.DEBUG
                _log.log(level, "broker %s: %s; trying again, first in %.1f s", url, error, wait)
                attempt += 1
                await asyncio.sleep(wait)

    async def connect(self) -> None:
        """Connect once, and deliver until the connection ends; the next time to the next node.

        Raises:
            MqttError: why it ended.
        """
        try:
            await self._connect_once()
        except MqttError:
            self._access = self._access.following
            raise

    async def _connect_once(self) -> None:
        url = self._access.url
        async with connected(
            url.host,
            url.port,
            identifier=f"{self._name}-{uuid.uuid4().hex[:12]}",
            user=url.user,
            password=self._access.password,
            keepalive_seconds=KEEPALIVE_SECONDS,
            timeout_seconds=NODE_TIMEOUT_SECONDS if self._access.others else TIMEOUT_SECONDS,
            tls=self._tls,
            on_message=self._inbox.put,
            on_oversize=self._inbox.refuse,
            on_read=self._inbox.take_in,
        ) as connection:
            self._subscribed.clear()
            self._wanted_changed.set()
            # A cluster that elects leaders delivers at once what is of QoS 0, and grants the rest later.
            first = [one for one in self._fixed if one[1] == 0 or not self._access.others]
            refused = await _subscribe(connection, first)
            _say_refused(refused)
            self._missing = refused + [one for one in self._fixed if one not in first]
            _log.info("connected to broker %s", url)
            self._connected = True
            self._on_connected(True)
            tasks = {
                asyncio.create_task(connection.keep_alive(KEEPALIVE_SECONDS), name="broker keepalive"),
                asyncio.create_task(self._follow_wanted(connection), name="broker subscriptions"),
                asyncio.create_task(self._keep_saying(connection), name="broker publications"),
            }
            try:
                done, _ = await asyncio.wait({connection.lost, *tasks}, return_when=asyncio.FIRST_COMPLETED)
                for ended in done:
                    ended.result()
            finally:
                self._connected = False
                self._saying.clear()
                self._on_connected(False)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow_wanted(self, connection: Connection) -> None:
        while True:
            # One by one: a cluster may take seconds to refuse each.
            self._missing = [one for one in self._missing if await _subscribe(connection, [one])]
            with suppress(TimeoutError):
                async with asyncio.timeout(REFUSED_SECONDS if self._missing else None):
                    await self._wanted_changed.wait()
            self._wanted_changed.clear()
            wanted = self._wanted
            gone = sorted(self._subscribed - wanted)
            new = sorted(wanted - self._subscribed)
            for batch in _batches(gone):
                await connection.unsubscribe(batch)
                self._subscribed.difference_update(batch)
            for batch in _batches(new):
                _say_refused(await _subscribe(connection, [(topic_filter, 0) for topic_filter in batch]))
                self._subscribed.update(batch)

    async def _keep_saying(self, connection: Connection) -> None:
        while True:
            await self._something_to_say.wait()
            self._something_to_say.clear()
            while self._saying:
                topic, payload = self._saying.popleft()
                await connection.publish_retained(topic, payload)


async def _subscribe(connection: Connection, filters: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Subscribe, and return what the broker refuses."""
    codes = await connection.subscribe(filters)
    return [one for one, code in zip(filters, codes, strict=False) if code >= REFUSED]


def _say_refused(refused: list[tuple[str, int]]) -> None:
    if refused:
        names = ", ".join(name for name, _ in refused[:5])
        _log.warning("broker refused to subscribe to %s; expected read access", names)


def _batches(filters: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(filters), SUBSCRIBE_BATCH):
        yield filters[start : start + SUBSCRIBE_BATCH]
