import pytest
from paho.mqtt.client import MQTTMessageInfo

from fleetglass.mqtt.message import LeftOut, Message, Sent
from fleetglass.mqtt.packet_limit import LEAST_LEARNED_BYTES, PacketLimit, filter_batches, packet_bytes
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES


class Line:
    """A limit, and a broker that takes packets of so many bytes and ends the connection on larger ones."""

    def __init__(self, most_bytes: int) -> None:
        self.now = 1000.0
        self.most_bytes = most_bytes
        self.limit = PacketLimit(lambda: self.now)

    def connect(self, *sizes: int, waiting_seconds: float = 0.1) -> bool:
        """Send packets on a new connection, each as large as is allowed; return whether it stands."""
        self.limit.begin(None)
        for size in sizes:
            sent = min(size, self.limit.most or size)
            if sent > self.most_bytes:
                self.limit.sent(sent, unanswered(), 1)
                self.now += waiting_seconds
                self.limit.end(is_certain=False)
                return False
            self.limit.sent(sent, LeftOut(), 1)
        assert not self.limit.is_unproven(min(max(sizes), self.limit.most or max(sizes)))
        return True


def unanswered() -> Sent:
    return MQTTMessageInfo(1)


def test_nothing_is_limited_while_nothing_is_known() -> None:
    """A payload may then be as large as the contract says; what the broker says holds at once."""
    limit = PacketLimit()
    assert limit.most is None
    assert limit.payload_bytes("fleet/web-1/info") == MAX_PAYLOAD_BYTES
    limit.begin(3000)
    assert packet_bytes(Message("fleet/web-1/info", bytes(limit.payload_bytes("fleet/web-1/info")))) == 3000
    limit.begin(None)
    assert limit.most is None


@pytest.mark.parametrize(("most_bytes", "learned"), [(5000, 4096), (3000, 2048), (1100, 1024), (600, 512)])
def test_a_limit_is_learned_from_connections_that_end(most_bytes: int, learned: int) -> None:
    """Once it is suspected, each further connection halves the size, until one stands."""
    line = Line(most_bytes)
    attempts = 1
    while not line.connect(100, 9000):
        attempts += 1
        assert attempts < 8
    assert line.limit.most == line.limit.learned == learned


def test_one_connection_that_ends_says_nothing() -> None:
    """Lines break at any time. Only the second time in a row that a large packet was on its way counts."""
    line = Line(3000)
    assert not line.connect(9000)
    line.most_bytes = 10_000
    assert line.connect(9000)
    line.most_bytes = 3000
    assert not line.connect(9000)
    assert line.limit.most is None


def test_what_was_on_its_way_for_long_is_not_suspected() -> None:
    """A broker ends the connection at once, a network that is gone after a while."""
    line = Line(3000)
    for _ in range(5):
        assert not line.connect(9000, waiting_seconds=6)
    assert line.limit.most is None


def test_what_was_acknowledged_is_not_suspected() -> None:
    """The end of a connection on which everything arrived says nothing, however often it comes."""
    limit = PacketLimit()
    for _ in range(5):
        limit.begin(None)
        limit.sent(9000, LeftOut(), 0)
        limit.sent(100, LeftOut(), 1)  # behind it
        limit.end(is_certain=False)
    assert limit.most is None


def test_small_packets_are_not_suspected() -> None:
    """A broker that ends every connection does so for another reason."""
    line = Line(10)
    for _ in range(20):
        assert not line.connect(9000)
    assert line.limit.most == LEAST_LEARNED_BYTES


def test_what_the_broker_says_when_it_ends_is_believed_at_once() -> None:
    """MQTT 5 has a reason for it."""
    limit = PacketLimit()
    limit.sent(9000, unanswered(), 1)
    limit.end(is_certain=True)
    assert limit.most == 8192


def test_a_refused_message_is_too_large() -> None:
    """It was answered, which is no acknowledgement."""
    limit = PacketLimit()
    answered = LeftOut()
    limit.sent(5000, answered, 1)
    limit.refuse()
    limit.refuse()  # another one that was on its way
    assert limit.most == 4096
    assert limit.is_unproven(5000)


def test_a_learned_limit_is_tried_again_more_and_more_seldom() -> None:
    """After 10 minutes, 20, 40: one connection ends each time; once the broker takes more, so do we."""
    line = Line(3000)
    while not line.connect(9000):
        pass
    for minutes in (10, 20, 40):
        line.now += 60 * minutes - 1
        assert line.limit.most == 2048
        line.now += 2
        assert line.limit.most is None
        assert not line.connect(9000)
        assert line.connect(9000)
    line.most_bytes = 10_000
    line.now += 80 * 60
    assert line.connect(9000)
    assert line.limit.most is None


def test_filters_come_in_batches_that_fit() -> None:
    """Each packet to subscribe has at least one filter, and no more than the broker takes."""
    filters = [f"fleet/{number:04}/live/#" for number in range(300)]
    assert [len(batch) for batch in filter_batches(filters, None)] == [200, 100]
    assert [len(batch) for batch in filter_batches(filters[:5], 50)] == [2, 2, 1]
    assert [len(batch) for batch in filter_batches(filters[:2], 10)] == [1, 1]
    assert list(filter_batches([], None)) == []
