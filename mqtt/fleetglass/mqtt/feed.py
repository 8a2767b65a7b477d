"""What a program on asyncio reads from a broker: subscribes, hands over what comes, and connects again."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.asyncio_connection import AsyncioConnection
from fleetglass.mqtt.backoff import READER_CAP_SECONDS, STABLE_SECONDS, Backoff
from fleetglass.mqtt.connection_log import ConnectionLog
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.fast_lane import Sink
from fleetglass.mqtt.message import Message
from fleetglass.mqtt.packet_limit import TOO_LARGE, filter_batches, packet_bytes
from fleetglass.mqtt.tls import REPLACED_SECONDS, TlsFiles
from fleetglass.mqtt.version_fallback import VersionFallback
from fleetglass.wire.errors import MqttError

TIMEOUT_SECONDS = 10.0
NODE_TIMEOUT_SECONDS = 5.0
"""While a cluster elects leaders, the next node may well answer sooner than the one that was asked."""
REFUSED_SECONDS = 2.0
"""A refused subscription is asked for again after this: rights change, and clusters elect leaders."""
MAX_UNSAID = 1000

StateHandler = Callable[[bool], None]

_log = logging.getLogger(__name__)


class Feed:
    """Delivers what is subscribed, and connects again and again for as long as `run` runs.

    After a failed connection, the next node of a cluster is tried. Files for TLS are read for each
    connection, and one that was replaced leads to a new connection.

    Args:
        access: where the broker is, and how to be let in.
        filters: what is always subscribed, each with its QoS (0 or 1).
        sink: gets the messages.
        on_connected: gets whether the broker is there, on every change.
        name: the first part of the client id, which the broker's log shows; something random follows it.

    Raises:
        CertificateError: a file for TLS cannot be used.
    """

    def __init__(
        self,
        access: BrokerAccess,
        filters: Iterable[tuple[str, int]],
        sink: Sink,
        on_connected: StateHandler,
        *,
        name: str,
    ) -> None:
        self._access = access
        self._name = name
        self._fixed = list(filters)
        self._on_connected = on_connected
        self._sink = sink
        self._versions = VersionFallback()
        self._log = ConnectionLog()
        self._wanted: frozenset[str] = frozenset()
        self._wanted_changed = asyncio.Event()
        self._subscribed: set[str] = set()
        self._missing: list[tuple[str, int]] = []  # of the fixed ones, those not yet granted
        self._connected = False
        self._saying: deque[tuple[str, bytes]] = deque()
        self._something_to_say = asyncio.Event()
        self._files = TlsFiles(access)
        self._log.started(access)

    @property
    def url(self) -> BrokerURL:
        """The broker, or the node of it, that is connected or being tried."""
        return self._access.url

    def want(self, filters: frozenset[str]) -> None:
        """Set which filters are subscribed, at QoS 0, beside the fixed ones."""
        if filters != self._wanted:
            self._wanted = filters
            self._wanted_changed.set()

    def say(self, topic: str, payload: bytes) -> None:
        """Publish something retained soon; while there is no broker, or too much waits, not at all."""
        if self._connected and len(self._saying) < MAX_UNSAID:
            self._saying.append((topic, payload))
            self._something_to_say.set()

    async def run(self) -> NoReturn:
        """Connect, subscribe, deliver; again and again."""
        backoff = Backoff(READER_CAP_SECONDS)
        loop = asyncio.get_running_loop()
        while True:
            started, url = loop.time(), self.url
            try:
                await self.connect()
            except MqttError as error:
                self._log.ended(url, error.end, str(error))
            await asyncio.sleep(backoff.after(loop.time() - started))

    async def connect(self) -> NoReturn:
        """Connect once, and deliver until the connection ends; the next time to the next node.

        Raises:
            MqttError: why it ended.
        """
        try:
            await self._serve()
        except MqttError as error:
            if error.end != "renewed":
                self._access = self._access.following
            raise
        raise AssertionError  # serving ends with an error

    async def _serve(self) -> None:
        self._files.remember()
        async with AsyncioConnection(
            self._access,
            self._sink,
            client_id=f"{self._name}-{uuid.uuid4().hex[:12]}",
            versions=self._versions,
            timeout_seconds=NODE_TIMEOUT_SECONDS if self._access.others else TIMEOUT_SECONDS,
        ) as connection:
            self._subscribed.clear()
            self._wanted_changed.set()
            # A cluster that elects leaders delivers at once what is of QoS 0, and grants the rest later.
            first = [one for one in self._fixed if one[1] == 0 or not self._access.others]
            refused = await connection.subscribe(first)
            _say_refused(refused)
            self._missing = refused + [one for one in self._fixed if one not in first]
            self._log.connected(self.url)
            self._connected = True
            self._on_connected(True)
            tasks = {
                asyncio.create_task(connection.until_lost(), name="broker end"),
                asyncio.create_task(self._look_after(), name="broker files"),
                asyncio.create_task(self._follow_wanted(connection), name="broker subscriptions"),
                asyncio.create_task(self._keep_saying(connection), name="broker publications"),
            }
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for ended in done:
                    ended.result()
            finally:
                self._connected = False
                self._saying.clear()
                self._on_connected(False)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_after(self) -> NoReturn:
        """Note when the connection has lasted; end it when a file for TLS was replaced."""
        await asyncio.sleep(STABLE_SECONDS)
        self._log.lasted(self.url)
        while not self._files.were_replaced():  # noqa: ASYNC110 -- files tell nobody
            await asyncio.sleep(REPLACED_SECONDS)
        raise MqttError("TLS files were replaced", "renewed")

    async def _follow_wanted(self, connection: AsyncioConnection) -> None:
        while True:
            # One by one: a cluster may take seconds to refuse each.
            self._missing = [one for one in self._missing if await connection.subscribe([one])]
            with suppress(TimeoutError):
                async with asyncio.timeout(REFUSED_SECONDS if self._missing else None):
                    await self._wanted_changed.wait()
            self._wanted_changed.clear()
            wanted = self._wanted
            gone = sorted(self._subscribed - wanted)
            new = sorted(wanted - self._subscribed)
            for batch in filter_batches(gone, connection.max_packet_bytes):
                await connection.unsubscribe(batch)
                self._subscribed.difference_update(batch)
            for batch in filter_batches(new, connection.max_packet_bytes):
                _say_refused(await connection.subscribe([(topic_filter, 0) for topic_filter in batch]))
                self._subscribed.update(batch)

    async def _keep_saying(self, connection: AsyncioConnection) -> None:
        while True:
            await self._something_to_say.wait()
            self._something_to_say.clear()
            while self._saying:
                topic, payload = self._saying.popleft()
                most = connection.max_packet_bytes
                if most is not None and packet_bytes(Message(topic, payload)) > most:
                    self._log.tell("large", TOO_LARGE, self.url, most, topic)
                    continue
                await connection.publish_retained(topic, payload)


def _say_refused(refused: list[tuple[str, int]]) -> None:
    if refused:
        names = ", ".join(name for name, _ in refused[:5])
        _log.warning("broker refused to subscribe to %s; expected read access", names)
