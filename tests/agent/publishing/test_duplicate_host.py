import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.publishing.duplicate_host import Claim
from fleetglass.wire import encode
from fleetglass.wire.payloads import State, Status


def status(state: State, session: str) -> bytes:
    return encode(Status(state, session, 1.0))


def test_its_own_online_needs_no_answer() -> None:
    """What this session said itself is as it should be."""
    claim = Claim("abc")
    assert claim.answer(status("online", "abc"), retained=True, now=10, chance=0.5) is None


@given(payload=st.binary(max_size=50), retained=st.booleans())
def test_anything_else_is_answered_at_once(*, payload: bytes, retained: bool) -> None:
    """Whatever else stands in the host's status is overwritten now."""
    claim = Claim("abc")
    assert claim.answer(payload, retained=retained, now=10, chance=0.5) == 10


def test_the_next_answer_waits() -> None:
    """After an answer there are 3 to 6 s of silence, for two agents of one id would never stop."""
    claim = Claim("abc")
    claim.answer(b"", retained=False, now=10, chance=0.5)
    assert claim.answer(b"", retained=False, now=11, chance=0.0) == 14.5
    assert claim.answer(b"", retained=False, now=14.5, chance=0.0) == 14.5


def test_a_rival_is_named_once_and_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    """One warning while the other goes on, and no conflict 150 s after its last status."""
    claim = Claim("abc")
    for now in (1000.0, 1010.0):
        claim.answer(status("online", "other"), retained=False, now=now, chance=0)
    assert claim.rival(1010 + 150) == "other"
    assert claim.rival(1010 + 151) is None
    assert len(caplog.records) == 1
    assert "another agent (session other)" in caplog.text


def test_a_retained_online_is_no_rival() -> None:
    """What a broker kept may be of an agent that is long dead."""
    claim = Claim("abc")
    claim.answer(status("online", "other"), retained=True, now=1, chance=0)
    assert claim.rival(1) is None


def test_a_status_that_does_not_come_back_is_noticed_once() -> None:
    """By MQTT 3.1.1 a broker that forbids writing says nothing: the own status stays away."""
    claim = Claim("abc")
    claim.said(100)
    assert not claim.is_unheard(109)
    assert claim.is_unheard(111)
    assert not claim.is_unheard(112)
    claim.said(200)
    claim.answer(status("online", "abc"), retained=False, now=201, chance=0)
    assert not claim.is_unheard(300)
