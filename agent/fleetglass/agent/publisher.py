"""The agent's connection to the broker: data out, and nothing in but its own status."""

import contextlib
import logging
import random
import sys
import threading
import time as clocks
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.agent.settings import AgentSettings
from fleetglass.agent.tls import tls_context
from fleetglass.wire import PayloadError, Topics, decode, encode
from fleetglass.wire.payloads import Info, State, Status

_log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 15
_INFO_SECONDS = 600.0
_GOODBYE_SECONDS = 1.5
_THREAD_END_SECONDS = 1.0
_CONFLICT_SECONDS = 150.0  # two of the other's statuses may get lost


class Publisher:
    """Keeps a connection to the broker for as long as it is entered, and says so in the host's status.

    Nothing is ever kept for later: what cannot be sent now is counted in `dropped_messages`. The network
    thread and the caller's share plain attributes only; what a race can cost is one status too many.

    Raises:
        AgentError: a certificate or key file cannot be used.
    """

    def __init__(
        self,
        settings: AgentSettings,
        *,
        session: str,
        clock: Callable[[], float] = clocks.monotonic,
        now: Callable[[], float] = clocks.time,
    ) -> None:
        self.dropped_messages = 0
        """Messages not sent since start."""
        self._settings = settings
        self._session = session
        self._clock = clock
        self._now = now
        self._broker = settings.broker.url
        topics = Topics(settings.prefix)
        self._status_topic = topics.leaf(settings.host_id, "status")
        self._info_topic = topics.leaf(settings.host_id, "info")
        self._info: Info | None = None
        self._connected = False
        self._stopping = False
        self._trouble: str | None = None  # what was last said in the log about the broker
        self._last: MQTTMessageInfo | None = None
        self._status_due = 0.0
        self._info_due = 0.0
        self._no_assertion_before = 0.0
        self._rival: tuple[str, float] | None = None
        self._network: threading.Thread | None = None
        self._client = self._make_client()

    def __enter__(self) -> Self:
        self._start_network()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye and leave, in at most 2.5 s even when the broker answers nothing."""
        self._stopping = True
        if self._connected:
            goodbye = self._publish_status("stopped")
            with contextlib.suppress(RuntimeError, ValueError):
                goodbye.wait_for_publish(_GOODBYE_SECONDS)
        self._client.disconnect()
        # Ending the network thread waits for it, and it may be waiting for a name server.
        ending = threading.Thread(target=self._client.loop_stop, name="fleetglass-goodbye", daemon=True)
        ending.start()
        ending.join(_THREAD_END_SECONDS)

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._connected

    @property
    def conflict(self) -> str | None:
        """The session of another agent that publishes under this host id now."""
        if self._rival is None or self._clock() - self._rival[1] > _CONFLICT_SECONDS:
            return None
        return self._rival[0]

    def publish_tick(self, messages: Sequence[tuple[str, bytes]], *, retained: Collection[str] = ()) -> None:
        """Send the messages of one tick in order, each with its topic; `retained` names topics.

        They are dropped while the tick before is still waiting: a broker that has stopped reading would
        otherwise fill this machine's memory.
        """
        if not self._connected or _is_waiting(self._last):
            self.dropped_messages += len(messages)
            return
        for topic, payload in messages:
            sent = self._client.publish(topic, payload, retain=topic in retained)
            if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._last = sent
            else:
                self.dropped_messages += 1

    def set_info(self, info: Info) -> None:
        """Publish a new inventory, now or as soon as there is a connection."""
        self._info = info
        self._info_due = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Send status and info again when it is time; to be called about once per tick."""
        if self._network is not None and not self._network.is_alive() and not self._stopping:
            _log.error("broker %s: the network thread ended, starting it again", self._broker)
            self._connected = False
            self._client = self._make_client()
            self._start_network()
        if not self._connected:
            return
        if self._clock() >= self._status_due:
            self._publish_status("online")
        if self._info is not None and self._clock() >= self._info_due:
            self._publish_info(self._info)

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"fleetglass-{settings.host_id}-{self._session}",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        user = self._broker.user
        if settings.broker.password is not None and user is None:
            user = (
                settings.host_id
            )  # a broker's rules are about users, and a host's user is named as the host
        if user is not None:
            client.username_pw_set(user, settings.broker.password)
        if self._broker.tls:
            client.tls_set_context(tls_context(settings.broker))
        # Everyone comes back at another moment, and soon: waiting hosts are taken for lost after 15 s.
        shortest, longest = random.uniform(0.5, 1.5), random.uniform(2.5, 4.5)
        client.reconnect_delay_set(shortest, longest)  # type: ignore[arg-type]  # takes fractions all the same
        client.max_queued_messages_set(50)
        client.on_pre_connect = _guarded(self._on_pre_connect)
        client.on_connect = _guarded(self._on_connect)
        client.on_connect_fail = _guarded(self._on_connect_fail)
        client.on_disconnect = _guarded(self._on_disconnect)
        client.on_message = _guarded(self._on_message)
        return client

    def _start_network(self) -> None:
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=KEEPALIVE_SECONDS)
        before = set(threading.enumerate())
        self._client.loop_start()
        self._network = next(iter(set(threading.enumerate()) - before), None)

    def _publish_status(self, state: State) -> MQTTMessageInfo:
        self._status_due = self._clock() + random.uniform(50, 70)
        return self._client.publish(self._status_topic, self._status(state), qos=1, retain=True)

    def _publish_info(self, info: Info) -> None:
        self._info_due = self._clock() + _INFO_SECONDS
        self._client.publish(self._info_topic, encode(info), qos=1, retain=True)

    def _status(self, state: State) -> bytes:
        return encode(Status(state=state, session=self._session, time=round(self._now(), 3)))

    def _on_pre_connect(self, client: Client, *_: Any) -> None:
        client.will_set(self._status_topic, self._status("lost"), qos=1, retain=True)

    def _on_connect(self, client: Client, _userdata: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        if reason.is_failure:
            self._say("refused", "broker %s refuses this agent: %s", self._broker, str(reason).lower())
            return
        if self._trouble is not None:
            _log.info("broker %s: connected", self._broker)
        else:
            _log.info("connected to broker %s", self._broker)
        self._trouble = None
        self._last = None
        self._publish_status("online")
        client.subscribe(self._status_topic, qos=1)
        if self._info is not None:
            self._publish_info(self._info)
        self._connected = True

    def _on_connect_fail(self, *_: Any) -> None:
        error = sys.exception()
        reason = str(error) or type(error).__name__
        self._say("unreachable", "broker %s cannot be reached: %s; trying again", self._broker, reason)

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: Any, reason: ReasonCode, *_: Any
    ) -> None:
        lost, self._connected = self._connected and not self._stopping, False
        if lost:
            text = str(reason).lower()
            self._say("unreachable", "broker %s: connection lost (%s); trying again", self._broker, text)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        """Read the own status. What is not this session's online is overwritten with it."""
        if self._stopping:
            return
        try:
            status = decode(bytes(message.payload), Status)
        except PayloadError:
            status = None
        if status is not None and status.state == "online":
            if status.session == self._session:
                return
            if not message.retain:  # a retained one may be of an agent that is long dead
                self._meet(status.session)
        if self._clock() < self._no_assertion_before:
            # Two agents of one host id would answer each other as fast as the broker allows.
            self._status_due = min(self._status_due, self._no_assertion_before)
            return
        self._no_assertion_before = self._clock() + random.uniform(3, 6)
        self._publish_status("online")

    def _meet(self, session: str) -> None:
        if self.conflict is None:
            _log.warning(
                "another agent (session %s) publishes as %s; give one of the two hosts another id",
                session,
                self._status_topic.rpartition("/")[0],
            )
        self._rival = (session, self._clock())

    def _say(self, trouble: str, text: str, *values: object) -> None:
        """Log a trouble with the broker once, however often it is met."""
        if self._trouble != trouble:
            _log.warning(text, *values)
        self._trouble = trouble


def _is_waiting(message: MQTTMessageInfo | None) -> bool:
    if message is None or message.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
        return False
    try:
        return not message.is_published()
    except (RuntimeError, ValueError):
        return False


def _guarded(callback: Callable[..., None]) -> Callable[..., None]:
    """Keep what a callback raises from ending the network thread."""

    def call(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 -- whatever it is, the connection must go on
            _log.exception("a message from the broker could not be handled")

    return call
