"""A connection to a broker for programs that run on asyncio: aiomqtt, with a fast lane for messages."""

import asyncio
import contextlib
import logging
import math
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar, cast

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.buffered_socket import SocketContext
from fleetglass.mqtt.credentials import BrokerAccess, credentials
from fleetglass.mqtt.fast_lane import FastLane, PacketSplitter, Sink
from fleetglass.mqtt.refusals import error_text, is_final, is_version_refusal, reason_text
from fleetglass.mqtt.version_fallback import TRIAL_ANSWER_SECONDS, VersionFallback
from fleetglass.wire.errors import AccessError, CertificateError, MqttError

T = TypeVar("T")

LANE_KEEPALIVE_SECONDS: Final = 7
"""A broker that falls silent is noticed after 7 to 15 s."""
MAX_RECEIVED_BYTES: Final = 16 * 1024 * 1024
"""A broker with MQTT 5 sends no larger packet. A smaller one that is too large is skipped and counted."""

_LEAVE_SECONDS = 1.0
_SETTLE_SECONDS = 0.1
_REFUSED = 0x80
"""From here on, a return code of SUBACK is a refusal (3.9.3)."""


class AsyncioConnection:
    """One connection to a broker, with a clean session: entered, it is connected; left, it has said goodbye.

    Messages go to `sink` while they are read, in the order in which they came.

    Args:
        access: where the broker is, and how to be let in; of a cluster, only the first node is tried.
        sink: gets the messages of all subscriptions.
        client_id: unique among all clients of the broker.
        versions: chooses between MQTT 5 and 3.1.1, and is kept from one connection to the next.
        timeout_seconds: for connecting, and for every answer of the broker.

    Raises:
        AccessError: on entering, when the broker does not let this client in.
        MqttError: on entering, when there is no connection.
    """

    def __init__(
        self,
        access: BrokerAccess,
        sink: Sink,
        *,
        client_id: str,
        versions: VersionFallback,
        timeout_seconds: float,
    ) -> None:
        self._access = access
        self._sink = sink
        self._client_id = client_id
        self._versions = versions
        self._timeout = timeout_seconds
        self._attempt: _Attempt | None = None

    async def __aenter__(self) -> Self:
        while True:
            attempt = _Attempt(self._access, self._sink, self._client_id, self._versions, self._timeout)
            try:
                await attempt.connect()
            except MqttError as error:
                if not self._versions.after(error.end):
                    raise
            else:
                self._versions.succeeded()
                self._attempt = attempt
                return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._entered.leave()

    @property
    def max_packet_bytes(self) -> int | None:
        """The largest packet that the broker takes, as far as it says so."""
        return self._entered.max_packet_bytes

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Subscribe to filters, each with its QoS (0 or 1); return those that the broker refuses.

        Raises:
            MqttError: the connection ended, or there was no answer in time.
        """
        if not filters:
            return []  # MQTT has no packet for that
        answers = await self._entered.call(lambda client: client.subscribe(list(filters)))
        codes = [answer.value if isinstance(answer, ReasonCode) else answer for answer in answers]
        return [one for one, code in zip(filters, codes, strict=False) if code >= _REFUSED]

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe from filters.

        Raises:
            MqttError: as `subscribe`.
        """
        await self._entered.call(lambda client: client.unsubscribe(list(filters)))

    async def publish_retained(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1, retained, and wait until the broker has it.

        Raises:
            MqttError: as `subscribe`.
        """
        await self._entered.call(lambda client: client.publish(topic, payload, qos=1, retain=True))

    async def until_lost(self) -> NoReturn:
        """Wait until the connection ends.

        Raises:
            MqttError: why it ended.
        """
        await self._entered.until_lost()

    @property
    def _entered(self) -> "_Attempt":
        assert self._attempt is not None  # noqa: S101 -- to be used while entered
        return self._attempt


class _Attempt:
    """One client of aiomqtt, from its making to its end."""

    def __init__(
        self, access: BrokerAccess, sink: Sink, client_id: str, versions: VersionFallback, timeout: float
    ) -> None:
        self._access = access
        self._sink = sink
        self._is_mqtt_5 = versions.is_mqtt_5
        self._timeout = timeout
        self._splitter: PacketSplitter | None = None
        self._lane: FastLane | None = None
        self._answer_seconds = min(timeout, TRIAL_ANSWER_SECONDS) if versions.is_trial else timeout
        self._loop = asyncio.get_running_loop()
        self._opened, self._closed = asyncio.Event(), asyncio.Event()  # of the socket
        self._is_over = False
        user, password = credentials(access)
        properties = None
        if self._is_mqtt_5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = MAX_RECEIVED_BYTES
        self._client = aiomqtt.Client(
            access.url.host,
            access.url.port,
            identifier=client_id,
            username=user,
            password=password,
            protocol=aiomqtt.ProtocolVersion(versions.version),
            properties=properties,
            keepalive=LANE_KEEPALIVE_SECONDS,
            timeout=math.inf,  # while it connects, it would time out in a way that it does not survive
            tls_context=cast("ssl.SSLContext", SocketContext(access, self._open_lane)),
            queue_type=_NoQueue,
            logger=_no_log(),
        )

    async def connect(self) -> None:
        entering = asyncio.create_task(self._client.__aenter__(), name="broker connect")
        try:
            await _first(self._timeout, entering, self._opened.wait())
            if self._opened.is_set():
                # aiomqtt does not notice that a broker closes the connection before it lets us in.
                await _first(self._answer_seconds, entering, self._closed.wait())
            if self._closed.is_set():
                await _first(_SETTLE_SECONDS, entering)  # perhaps there was an answer before the end
            self._check(entering)
        except BaseException:
            await self._shut()
            entering.cancel()
            await asyncio.gather(entering, return_exceptions=True)
            raise
        self._client.timeout = self._timeout

    @property
    def max_packet_bytes(self) -> int | None:
        # aiomqtt does not hand on what comes with the answer to CONNECT.
        if not self._is_mqtt_5 or self._splitter is None:
            return None
        properties = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
        properties.unpack(self._splitter.greeting[2:])  # type: ignore[no-untyped-call]
        return getattr(properties, "MaximumPacketSize", None)

    async def leave(self) -> None:
        self._client.timeout = _LEAVE_SECONDS
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.__aexit__(None, None, None)
        await self._shut()

    async def call(self, action: Callable[[aiomqtt.Client], Coroutine[Any, Any, T]]) -> T:
        calling = asyncio.create_task(action(self._client), name="broker call")
        try:
            # aiomqtt would wait for an answer on a connection that has ended.
            await _first(None, calling, self._closed.wait())
            if not calling.done():
                await self.until_lost()
            return calling.result()
        except aiomqtt.MqttError as error:
            raise self._lost(error) from error
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)

    async def until_lost(self) -> NoReturn:
        try:
            async for _ in self._client.messages:
                pass
        except aiomqtt.MqttError as error:
            raise self._lost(error) from error
        raise AssertionError  # the messages of a client do not end without an error

    def _open_lane(self, connected: socket.socket | ssl.SSLSocket) -> FastLane:
        """Make the socket that paho reads from, on the thread that connects, which nobody may wait for."""
        if self._is_over:
            connected.close()
            raise ConnectionAbortedError
        # Subscribing, and answers to messages, are small packets that are not to wait for each other.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        splitter = self._splitter = PacketSplitter(self._sink, is_mqtt_5=self._is_mqtt_5)
        self._lane = FastLane(
            connected, splitter, self._sink, on_open=self._note_opened, on_close=self._closed.set
        )
        return self._lane

    def _note_opened(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._opened.set)

    async def _shut(self) -> None:
        """End what aiomqtt leaves open after a failure: paho closes the socket when it reads its end."""
        self._is_over = True
        if self._lane is not None:
            self._lane.shut()
            await _first(_LEAVE_SECONDS, self._closed.wait())
            await asyncio.sleep(0)  # for a task of aiomqtt, which is being cancelled

    def _check(self, entering: asyncio.Task[Any]) -> None:
        if not entering.done():
            raise self._unanswered()
        try:
            entering.result()
        except aiomqtt.MqttCodeError as error:
            raise _refusal(error) from error
        except CertificateError as error:
            raise MqttError(str(error), "files") from error
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            cause = error.__context__ if isinstance(error, aiomqtt.MqttError) else error
            raise MqttError(error_text(cause or error), "unreachable") from error

    def _unanswered(self) -> MqttError:
        if not self._opened.is_set():
            return MqttError(f"no connection within {self._timeout:g} s", "unreachable")
        if not self._closed.is_set():
            return MqttError(f"silent for {self._answer_seconds:g} s", "unanswered")
        failure = self._lane.failure if self._lane is not None else None
        return MqttError(error_text(failure) if failure else "no MQTT", "unanswered")

    def _lost(self, error: aiomqtt.MqttError) -> MqttError:
        if self._lane is not None and self._lane.failure is not None:
            return MqttError(error_text(self._lane.failure))
        reasons = [getattr(one, "rc", None) for one in (error.__cause__, error)]
        texts = [reason_text(reason) for reason in reasons if isinstance(reason, ReasonCode)]
        if texts:
            return MqttError(texts[0])
        if isinstance(error, aiomqtt.MqttCodeError):
            return MqttError("the connection ended")
        return MqttError(f"no answer within {self._timeout:g} s")


async def _first(seconds: float | None, *awaitables: Awaitable[Any]) -> None:
    """Wait until one is done, or for so long; a task among them goes on, all else is cancelled."""
    tasks = {one: asyncio.ensure_future(one) for one in awaitables}
    try:
        await asyncio.wait(tasks.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one, task in tasks.items():
            if one is not task:
                task.cancel()


def _refusal(error: aiomqtt.MqttCodeError) -> MqttError:
    if not isinstance(error.rc, ReasonCode):
        return MqttError(str(error), "refused")
    kind = AccessError if is_final(error.rc) else MqttError
    return kind(reason_text(error.rc), "version" if is_version_refusal(error.rc) else "refused")


def _no_log() -> logging.Logger:
    """Return a logger that keeps quiet: paho and aiomqtt would log what this connection raises."""
    logger = logging.getLogger(f"{__name__}.aiomqtt")
    logger.disabled = True
    return logger


class _NoQueue(asyncio.Queue[aiomqtt.Message]):
    """Stays empty: the messages have taken the fast lane."""

    def put_nowait(self, item: aiomqtt.Message) -> None:
        pass
