import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.mqtt import asyncio_connection, version_fallback
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.asyncio_connection import AsyncioConnection
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.version_fallback import VersionFallback
from fleetglass.wire.errors import AccessError, MqttError
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.waiting import PATIENCE_SECONDS, wait_until

CONNACK_5, CONNACK_3 = b"\x20\x03\x00\x00\x00", b"\x20\x02\x00\x00"
SMALL_MESSAGE = b"\x30\x06\x00\x01x\x00{}"
"""By MQTT 5: on the topic x, without properties."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Taken:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.oversized: list[tuple[str, int]] = []

    def put(self, topic: str, payload: bytes) -> None:
        """Keep a message."""
        self.messages.append((topic, payload))

    def refuse(self, topic: str, size: int) -> None:
        """Keep the size of one that was skipped."""
        self.oversized.append((topic, size))

    def take_in(self) -> None:
        """Wait for more."""


def connection_to(
    port: int, taken: Taken | None = None, *, timeout_seconds: float = 5, **access: Any
) -> AsyncioConnection:
    """Return a connection to a port of this machine."""
    url = BrokerURL(access.pop("host", "127.0.0.1"), port, tls="ca_file" in access)
    return AsyncioConnection(
        BrokerAccess(url=url, **access),
        taken or Taken(),
        client_id="test",
        versions=VersionFallback(),
        timeout_seconds=timeout_seconds,
    )


@contextlib.asynccontextmanager
async def broker_that(serve: Serve) -> AsyncIterator[int]:
    """Serve every connection so, and give the port; at the end all connections are over."""
    running: set[asyncio.Task[None]] = set()

    async def serve_to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await serve(reader, writer)
        finally:
            writer.close()
            running.discard(task)

    async with await asyncio.start_server(serve_to_the_end, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await wait_until(lambda: not running, "the end of every connection")


def answering(*answers: bytes) -> Serve:
    """Answer CONNECT so, each time by the next, and read until the other side leaves."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        if answer := left.pop(0):
            writer.write(answer)
            await reader.read()

    return serve


@pytest.mark.broker
@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_is_published_comes_to_who_subscribed(
    mosquitto: Mosquitto,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    version: MQTTProtocolVersion,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Subscribe, publish, receive, unsubscribe: by either version, on either event loop."""
    monkeypatch.setattr(version_fallback, "FIRST_VERSION", version)

    async def use() -> None:
        taken = Taken()
        async with connection_to(mosquitto.port, taken) as connection:
            assert connection._versions.version is version
            assert await connection.subscribe([(f"{prefix}/+", 1), (f"{prefix}/x/+", 0)]) == []
            await connection.publish_retained(f"{prefix}/a", b"x" * 1000)
            await connection.publish_retained(f"{prefix}/x/b", b"y")
            await connection.publish_retained(f"{prefix}/a", b"z" * 100_000)
            await connection.publish_retained(f"{prefix}/a", b"")
            await wait_until(lambda: len(taken.messages) == 3, "the messages")
            assert taken.messages == [
                (f"{prefix}/a", b"x" * 1000),
                (f"{prefix}/x/b", b"y"),
                (f"{prefix}/a", b""),
            ]
            assert taken.oversized == [(f"{prefix}/a", 100_000)]
            await connection.unsubscribe([f"{prefix}/+"])
            await connection.publish_retained(f"{prefix}/a", b"")
            await connection.publish_retained(f"{prefix}/x/b", b"")
            await wait_until(lambda: len(taken.messages) == 4, "the message of the other subscription")

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(use())


@pytest.mark.broker
async def test_messages_of_qos_1_are_acknowledged(mosquitto: Mosquitto, prefix: str) -> None:
    """The broker, which sends 20 without an acknowledgement, goes on until all have come."""
    taken, expected = Taken(), [(f"{prefix}/{number:03}", b"%d" % number) for number in range(200)]
    async with connection_to(mosquitto.port) as connection:
        await asyncio.gather(*(connection.publish_retained(*one) for one in expected))
    async with connection_to(mosquitto.port, taken) as connection:
        await connection.subscribe([(f"{prefix}/+", 1)])
        await wait_until(lambda: len(taken.messages) == len(expected), "all of them")
        await asyncio.gather(*(connection.publish_retained(topic, b"") for topic, _ in expected))
    assert sorted(taken.messages[: len(expected)]) == expected


@pytest.mark.broker
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_tls_carries_as_much(
    tmp_path: Path, prefix: str, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Messages of many records arrive whole; an unknown authority is named, and nothing is sent in clear."""
    authority = Authority(tmp_path)
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")
    broker = Mosquitto(tmp_path)
    broker.use_tls(authority, "max_queued_messages 10000")
    broker.start()
    expected = [(f"{prefix}/{number}", bytes([number]) * 60_000) for number in range(30)]
    taken = Taken()

    async def use() -> None:
        async with connection_to(broker.port, taken, ca_file=str(authority.own.certificate)) as connection:
            await connection.subscribe([(f"{prefix}/+", 1)])
            for one in expected:
                await connection.publish_retained(*one)
            await wait_until(lambda: len(taken.messages) == len(expected), "all messages")
        with pytest.raises(MqttError, match="certificate verify failed") as caught:
            async with connection_to(broker.port, ca_file=str(stranger.own.certificate)):
                pass
        assert caught.value.end == "unreachable"

    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(use())
    finally:
        broker.kill()
    assert taken.messages == expected


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closes"),
        pytest.param(b"\x20\x03\x00\x84\x00", id="refuses-as-5"),
        pytest.param(b"\x20\x02\x00\x01", id="refuses-as-3"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="says-something-else"),
    ],
)
async def test_a_broker_without_mqtt_5_is_asked_by_3(answer: bytes) -> None:
    """Closed without a word or refused in either form: the next CONNECT is of version 3.1.1, and stands."""
    async with (
        broker_that(answering(answer, CONNACK_3)) as port,
        connection_to(port) as connection,
    ):
        assert not connection._versions.is_mqtt_5


async def test_a_broker_that_ignores_mqtt_5_is_asked_by_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is a refusal, too, and not waited for as long as for any other answer."""
    monkeypatch.setattr(asyncio_connection, "TRIAL_ANSWER_SECONDS", 0.1)
    connects: list[bytes] = []

    async def know_only_3(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connects.append(await reader.read(1000))
        if connects[-1][8] == 4:
            writer.write(CONNACK_3)
        await reader.read()

    async with broker_that(know_only_3) as port, connection_to(port, timeout_seconds=60):
        assert [connect[8] for connect in connects] == [5, 4]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"\x20\x03\x00\x87\x00", "not authorized"),
        (b"\x20\x03\x00\x86\x00", "wrong user name or password"),
        (b"\x20\x03\x00\x85\x00", "client id not accepted"),
    ],
)
async def test_a_broker_that_does_not_let_us_in_says_why(answer: bytes, text: str) -> None:
    """The text is what the reason code means, and trying again is said to be in vain."""
    with pytest.raises(AccessError, match=text) as caught:
        async with broker_that(answering(answer)) as port, connection_to(port):
            pass
    assert caught.value.end == "refused"


async def test_a_broker_that_is_busy_may_be_tried_again() -> None:
    """A refusal for now is no refusal of this client."""
    with pytest.raises(MqttError, match="broker unavailable") as caught:
        async with (
            broker_that(answering(b"\x20\x02\x00\x01", b"\x20\x02\x00\x03")) as port,
            connection_to(port),
        ):
            pass
    assert not isinstance(caught.value, AccessError)


async def test_a_broker_that_is_silent_is_given_up() -> None:
    """A port that answers nothing does not hold the bridge for ever."""

    async def be_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(MqttError, match=r"silent for 0\.3 s") as caught:
        async with broker_that(be_silent) as port, connection_to(port, timeout_seconds=0.3):
            pass
    assert caught.value.end == "unanswered"


async def test_a_server_that_speaks_something_else_is_an_error() -> None:
    """Pointing the bridge at a web server ends in one line."""
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with pytest.raises(MqttError) as caught:
        async with broker_that(answering(answer, answer)) as port, connection_to(port):
            pass
    assert caught.value.end == "unanswered"


async def test_a_port_on_which_nobody_listens_is_named() -> None:
    """The reason is that of the system, without its number."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(MqttError, match=r"^connection refused$") as caught:
        async with connection_to(port):
            pass
    assert caught.value.end == "unreachable"


async def test_a_name_that_cannot_be_looked_up_is_an_error_like_any_other() -> None:
    """Even a name that Python refuses to ask for does not raise anything else."""
    with pytest.raises(MqttError, match="label empty or too long"):
        async with connection_to(1883, host="a..b"):
            pass


async def test_a_password_without_a_user_is_not_sent() -> None:
    """MQTT 3.1.1 forbids it, and brokers close such a connection without a word."""
    connects: list[bytes] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connects.append(await reader.read(1000))
        writer.write(CONNACK_5)
        await reader.read()

    async with broker_that(keep) as port, connection_to(port, password="hunter2"):
        pass
    [connect] = connects
    assert connect[9] & 0b1100_0000 == 0
    assert b"hunter2" not in connect


async def test_a_busy_stream_does_not_silence_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much comes, we ping; and though no ping is answered, what comes shows a broker that lives."""
    monkeypatch.setattr(asyncio_connection, "LANE_KEEPALIVE_SECONDS", 1)
    heard = bytearray()

    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK_5)
        talking = asyncio.create_task(talk(writer))
        while data := await reader.read(100):
            heard.extend(data)
        talking.cancel()

    async def talk(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(SMALL_MESSAGE)
            await asyncio.sleep(0.01)

    taken = Taken()
    async with broker_that(chatter) as port, connection_to(port, taken) as connection:
        lost = asyncio.create_task(connection.until_lost())
        await wait_until(lambda: heard.count(b"\xc0\x00") >= 4, "four pings")
        assert not lost.done()
        lost.cancel()
    assert ("x", b"{}") in taken.messages


async def test_a_broker_that_falls_silent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen broker keeps its connections open; only the missing answer to a ping tells."""
    monkeypatch.setattr(asyncio_connection, "LANE_KEEPALIVE_SECONDS", 1)
    with pytest.raises(MqttError, match="no answer to a ping") as caught:
        async with broker_that(answering(CONNACK_5)) as port, connection_to(port) as connection:
            await connection.until_lost()
    assert caught.value.end == "lost"


@pytest.mark.parametrize(
    ("last_words", "text"),
    [
        (b"", "closed by the other side"),
        (b"\xe0\x02\x8b\x00", "broker shutting down"),
        (b"\xe0\x02\x8e\x00", "another client came with the same client id"),
        (b"\x30\x02\x00\x09", "got a malformed message"),
    ],
)
async def test_the_end_of_a_connection_has_a_reason(last_words: bytes, text: str) -> None:
    """Whether the broker says why it goes, or only goes."""

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK_5)
        await reader.readexactly(2)  # of SUBSCRIBE
        writer.write(last_words)

    async with broker_that(end) as port, connection_to(port) as connection:
        with pytest.raises(MqttError, match=text):
            await connection.subscribe([("a", 0)])
        with pytest.raises(MqttError, match=text):
            await connection.until_lost()


@pytest.mark.broker
async def test_a_frozen_broker_is_left_soon(mosquitto: Mosquitto, prefix: str) -> None:
    """Leaving waits a second at most for a broker that answers nothing."""
    connection = connection_to(mosquitto.port, timeout_seconds=60)
    await connection.__aenter__()
    await connection.subscribe([(prefix, 0)])
    mosquitto.freeze()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await connection.__aexit__(None, None, None)
    mosquitto.thaw()


async def test_an_attempt_that_is_given_up_leaves_nothing_open() -> None:
    """Whoever waits for a connection may stop waiting, before and after the broker has the connection."""
    came = asyncio.Event()

    async def be_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        came.set()
        while await reader.read(1000):
            pass

    async def connect(port: int) -> None:
        async with connection_to(port, timeout_seconds=60):
            pass

    async with broker_that(be_silent) as port:  # which waits for the end of the connection
        task = asyncio.create_task(connect(port))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_name_that_is_found_too_late_leads_to_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up cannot be stopped; what it finds after the attempt is given up is not used."""
    find, real = threading.Event(), socket.getaddrinfo
    asked = threading.Event()

    def slow(*arguments: Any, **named: Any) -> Any:
        asked.set()
        find.wait(20)
        return real(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    closed = asyncio.Event()

    async def expect_the_end(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""
        closed.set()

    async with broker_that(expect_the_end) as port:
        with pytest.raises(MqttError, match="no connection within"):
            async with connection_to(port, timeout_seconds=0.1):
                pass
        assert asked.is_set()
        find.set()
        await closed.wait()
