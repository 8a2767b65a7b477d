from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.publishing.backlog import KEPT_SECONDS, Backlog, backfill_of
from fleetglass.wire import decode
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Backfill

pulses = st.integers(2, 3000).map(lambda size: b'"' + b"x" * (size - 2) + b'"')


def taken(backlog: Backlog) -> list[bytes]:
    return [pulse for chunk in backlog.take_chunks() for pulse in chunk]


@given(st.lists(pulses, max_size=120))
def test_chunks_fit_and_lose_nothing(kept: list[bytes]) -> None:
    """Every chunk fits into one message, and together they hold all pulses in order."""
    backlog = Backlog(1.0)
    for pulse in kept:
        backlog.append(pulse)
    found = []
    for chunk in backlog.take_chunks():
        payload = backfill_of(chunk, time=1.0, tick=2**53, session="x" * 64)
        assert len(payload) <= MAX_PAYLOAD_BYTES
        found += [bytes(one) for one in decode(payload, Backfill).pulses]
    assert found == kept
    assert len(backlog) == 0


def test_few_chunks_are_made() -> None:
    """A minute of pulses of usual size goes in one message."""
    backlog = Backlog(1.0)
    for _ in range(60):
        backlog.append(b"x" * 400)
    assert [len(chunk) for chunk in backlog.take_chunks()] == [60]


def test_the_oldest_go_first_when_it_is_full() -> None:
    """No more than 15 minutes are kept, and what is dropped is counted."""
    backlog = Backlog(2.0)
    bound = int(KEPT_SECONDS / 2)
    for number in range(bound + 3):
        backlog.append(b"%d" % number)
    assert backlog.dropped == 3
    found = taken(backlog)
    assert (found[0], found[-1], len(found)) == (b"3", b"%d" % (bound + 2), bound)


def test_what_is_put_back_comes_first() -> None:
    """Pulses of a connection that ended are older than all that came since."""
    backlog = Backlog(1.0)
    backlog.append(b"3")
    backlog.restore([b"1", b"2"])
    assert taken(backlog) == [b"1", b"2", b"3"]


def test_chunks_are_as_small_as_the_broker_wants_them() -> None:
    """A broker that takes small packets gets more of them, each with at least one pulse."""
    backlog = Backlog(1)
    for _ in range(10):
        backlog.append(b"x" * 400)
    assert [len(chunk) for chunk in backlog.take_chunks(2000)] == [4, 4, 2]
    for _ in range(2):
        backlog.append(b"x" * 400)
    assert [len(chunk) for chunk in backlog.take_chunks(100)] == [1, 1]
