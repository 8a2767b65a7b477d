import contextlib
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.mqtt.fast_lane import MAX_PUBLISH_BYTES, FastLane, PacketError, PacketSplitter
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"
OTHERS = (
    PINGRESP,
    b"\x90\x03\x00\x01\x00",  # SUBACK
    b"\x40\x02\x00\x07",  # PUBACK
    b"\x34\x06\x00\x01t\x00\x09x",  # a message of QoS 2
)


class Taken:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.oversized: list[tuple[str, int]] = []
        self.reads: list[int] = []
        """After each read, how many messages there were."""

    def put(self, topic: str, payload: bytes) -> None:
        """Keep a message."""
        self.messages.append((topic, payload))

    def refuse(self, topic: str, size: int) -> None:
        """Keep the size of one that was skipped."""
        self.oversized.append((topic, size))

    def take_in(self) -> None:
        """Keep that a read is over."""
        self.reads.append(len(self.messages))


class Packet(NamedTuple):
    """A packet, with what is to come of it."""

    data: bytes
    message: tuple[str, bytes] | None
    for_paho: bytes


def number(value: int) -> bytes:
    """Return a variable byte integer."""
    encoded = b""
    while value >= 0x80:
        value, digit = divmod(value, 128)
        encoded += bytes([digit | 0x80])
    return encoded + bytes([value])


def publish(
    topic: bytes, payload: bytes, *, packet_id: bytes = b"", properties: bytes | None = None, flags: int = 0
) -> bytes:
    """Return a message; with properties, even without any, one of MQTT 5."""
    body = len(topic).to_bytes(2, "big") + topic + packet_id
    if properties is not None:
        body += number(len(properties)) + properties
    body += payload
    return bytes([0x30 | flags | (2 if packet_id else 0)]) + number(len(body)) + body


@st.composite
def packets(draw: st.DrawFn, *, is_mqtt_5: bool) -> Packet:
    """Draw a packet such as a broker sends."""
    if draw(st.integers(0, 3)) == 0:
        other = draw(st.sampled_from(OTHERS))
        return Packet(other, None, other)
    topic = draw(st.text("abc/é", min_size=1, max_size=9))
    payload = draw(st.binary(max_size=300))
    packet_id = draw(st.sampled_from([b"", b"\x12\x34"]))
    properties = draw(st.binary(max_size=200)) if is_mqtt_5 else None
    flags = draw(st.sampled_from([0, 1, 8, 9]))  # RETAIN and DUP
    data = publish(topic.encode(), payload, packet_id=packet_id, properties=properties, flags=flags)
    none = b"" if is_mqtt_5 else None
    return Packet(
        data, (topic, payload), publish(b"-", b"", packet_id=packet_id, properties=none) if packet_id else b""
    )


@given(st.data(), st.booleans(), st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_messages_are_the_same_wherever_the_stream_is_cut(
    data: st.DataObject,
    is_mqtt_5: bool,  # noqa: FBT001 -- drawn
    cuts: list[int],
) -> None:
    """A read may end anywhere, within a header too, and hold any number of packets."""
    drawn = data.draw(st.lists(packets(is_mqtt_5=is_mqtt_5), max_size=8))
    stream = b"".join(packet.data for packet in drawn)
    taken, for_paho, turn = Taken(), b"", 0
    splitter = PacketSplitter(taken, is_mqtt_5=is_mqtt_5)
    while stream:
        cut = cuts[turn % len(cuts)]
        for_paho += splitter.split(stream[:cut]) or b""
        stream = stream[cut:]
        turn += 1
    assert taken.messages == [packet.message for packet in drawn if packet.message is not None]
    assert for_paho == b"".join(packet.for_paho for packet in drawn)


@given(st.booleans(), st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_packets_or_an_error(is_mqtt_5: bool, chunks: list[bytes]) -> None:  # noqa: FBT001 -- drawn
    """A broker may send what it likes: the documented error is all that comes of it."""
    splitter = PacketSplitter(Taken(), is_mqtt_5=is_mqtt_5)
    with contextlib.suppress(PacketError):
        for chunk in chunks:
            splitter.split(chunk)


@pytest.mark.parametrize("packet_id", [b"", b"\x12\x34"], ids=["QoS 0", "QoS 1"])
@pytest.mark.parametrize("properties", [None, b"\x01\x01"], ids=["MQTT 3.1.1", "MQTT 5"])
@pytest.mark.parametrize("cut", [1, 7, 1000, 70_000, 10_000_000])
def test_a_payload_that_is_too_large_is_told_and_never_held(
    cut: int, properties: bytes | None, packet_id: bytes
) -> None:
    """What is beyond any limit is skipped as it comes, and acknowledged; the message after it is whole."""
    size = 300_000 if cut < 1000 else 5_000_000
    stream = publish(b"a/b", b"x" * size, packet_id=packet_id, properties=properties)
    stream += publish(b"a/c", b"y", properties=properties)
    taken, for_paho = Taken(), b""
    splitter = PacketSplitter(taken, is_mqtt_5=properties is not None)
    for at in range(0, len(stream), cut):
        for_paho += splitter.split(stream[at : at + cut]) or b""
        assert len(splitter._rest) <= MAX_PUBLISH_BYTES + 4
    [(topic, told)] = taken.oversized
    # While an oversized message is on its way, its properties count as payload.
    assert (topic, told - size) in {("a/b", 0), ("a/b", 3 if properties else 0)}
    assert taken.messages == [("a/c", b"y")]
    assert for_paho.count(packet_id) >= 1 if packet_id else for_paho == b""


@pytest.mark.parametrize("properties", [None, b""], ids=["MQTT 3.1.1", "MQTT 5"])
def test_the_limit_is_that_of_the_contract(properties: bytes | None) -> None:
    """A payload is taken up to the last byte of the limit, and refused with one more."""
    taken = Taken()
    splitter = PacketSplitter(taken, is_mqtt_5=properties is not None)
    for size in (MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1):
        splitter.split(publish(b"a", bytes(size), properties=properties))
    assert [len(payload) for _, payload in taken.messages] == [MAX_PAYLOAD_BYTES]
    assert taken.oversized == [("a", MAX_PAYLOAD_BYTES + 1)]


def test_what_is_skipped_shows_no_life() -> None:
    """A length that the network garbled must not keep a bridge deaf for the next 256 MB."""
    splitter = PacketSplitter(Taken(), is_mqtt_5=False)
    assert splitter.split(publish(b"t", b"x")) == b""
    splitter.split(b"\x30\xff\xff\xff\x7f\x00\x01tpayload")  # a message of 256 MB begins
    assert all(splitter.split(publish(b"t", b"x")) is None for _ in range(100))


@pytest.mark.parametrize(
    ("is_mqtt_5", "packet"),
    [
        pytest.param(False, b"\x32\x01\x00", id="QoS 1 without a topic"),
        pytest.param(False, b"\x32\x04\x00\x01t\x12", id="QoS 1 with half a packet id"),
        pytest.param(False, b"\x30\x03\x00\x09t", id="a topic that is longer than its message"),
        pytest.param(True, b"\x30\x03\x00\x01t", id="MQTT 5 without properties"),
        pytest.param(True, b"\x30\x04\x00\x01t\x09", id="properties that are longer than their message"),
        pytest.param(True, b"\x30\x04\x00\x01t\xff", id="half a length of properties"),
        pytest.param(False, b"\x30\xff\xff\xff\xff\x01", id="a length of five bytes"),
        pytest.param(False, b"\x40\xff\xff\x7f", id="a PUBACK of two megabytes"),
        pytest.param(False, b"\x34\xff\xff\x7f\x00\x01t", id="QoS 2 with two megabytes"),
    ],
)
def test_what_is_malformed_ends_the_connection(is_mqtt_5: bool, packet: bytes) -> None:  # noqa: FBT001 -- a case
    """Nothing of a malformed packet is taken, and nothing of it is acknowledged."""
    taken = Taken()
    with pytest.raises(PacketError):
        PacketSplitter(taken, is_mqtt_5=is_mqtt_5).split(packet + PINGRESP * 4)
    assert taken.messages == []


def test_a_topic_that_is_no_text_is_no_end() -> None:
    """A broker that does not check topics cannot make one host end the connection for all."""
    taken = Taken()
    for_paho = PacketSplitter(taken, is_mqtt_5=False).split(publish(b"a/\xff", b"x", packet_id=b"\x00\x01"))
    assert taken.messages == [("a/\ufffd", b"x")]
    assert for_paho == publish(b"-", b"", packet_id=b"\x00\x01")


class Lane(NamedTuple):
    """A lane, what it delivers to, and the broker's side of its socket."""

    lane: FastLane
    taken: Taken
    far: socket.socket
    closed: list[bool]


@pytest.fixture
def ends() -> Iterator[Lane]:
    near, far = socket.socketpair()
    near.setblocking(False)
    taken, closed = Taken(), list[bool]()
    lane = FastLane(
        near,
        PacketSplitter(taken, is_mqtt_5=False),
        taken,
        on_open=lambda: None,
        on_close=lambda: closed.append(True),
    )
    with far:
        yield Lane(lane, taken, far, closed)
        lane.close()


def test_paho_reads_the_other_packets_byte_by_byte(ends: Lane) -> None:
    """Messages do not get in between, and with nothing left paho is asked to come back later."""
    ends.far.sendall(publish(b"a", b"1") + OTHERS[1] + publish(b"a", b"2") + OTHERS[2])
    read = b"".join(ends.lane.recv(1) for _ in range(len(OTHERS[1] + OTHERS[2])))
    assert read == OTHERS[1] + OTHERS[2]
    assert ends.lane.pending() == 0
    with pytest.raises(BlockingIOError):
        ends.lane.recv(1)
    assert ends.taken.messages == [("a", b"1"), ("a", b"2")]
    assert ends.taken.reads == [2]


def test_messages_alone_are_nothing_to_paho(ends: Lane) -> None:
    """A read with messages only is over for paho at once."""
    ends.far.sendall(publish(b"a", b"1"))
    with pytest.raises(BlockingIOError):
        ends.lane.recv(1)
    assert ends.taken.reads == [1]


def test_a_message_is_as_good_as_an_answer_to_a_ping(ends: Lane) -> None:
    """Paho ends a connection without an answer in time, which may wait behind many messages."""
    ends.lane.send(PINGREQ)
    ends.far.sendall(publish(b"a", b"1"))
    assert ends.lane.recv(2) == PINGRESP
    ends.far.sendall(publish(b"a", b"2"))
    with pytest.raises(BlockingIOError):
        ends.lane.recv(1)
    ends.lane.send(PINGREQ)
    ends.far.sendall(b"\x30\xff\xff\xff\x7f\x00\x01tpayload")
    assert ends.lane.recv(2) == PINGRESP  # the beginning of a packet that can be understood
    ends.lane.send(PINGREQ)
    ends.far.sendall(publish(b"a", b"3"))
    with pytest.raises(BlockingIOError):
        ends.lane.recv(1)  # within what is skipped


def test_it_says_why_it_ended(ends: Lane) -> None:
    """A stream that is not MQTT is an end like any other, with a reason of its own."""
    ends.far.sendall(b"\x30\xff\xff\xff\xff\x01")
    with pytest.raises(ConnectionError):
        ends.lane.recv(1)
    assert str(ends.lane.failure) == "got a malformed length"
    ends.lane.close()
    assert ends.closed == [True]


def test_a_connection_that_is_shut_ends_for_whoever_reads(ends: Lane) -> None:
    """Paho finds the end, and closes."""
    ends.lane.shut()
    assert ends.lane.recv(1) == b""
    assert str(ends.lane.failure) == "closed by the other side"
