import pytest

from fleetglass.fleet.presence import GRACE_SECONDS, Presence, Site, new_site
from fleetglass.wire.payloads import State, Status


def _status(state: State, session: str = "a", time: float = 100) -> Status:
    return Status(state=state, session=session, time=time)


def _live() -> Presence:
    presence = Presence(known_since=0)
    presence.hear_status(_status("online"), now=0)
    presence.hear_pulse("a", time=100, now=0)
    return presence


@pytest.mark.parametrize(
    ("silence", "state"), [(0, "live"), (2.4, "live"), (2.6, "late"), (29.9, "late"), (30.1, "lost")]
)
def test_silence_makes_a_host_late_and_then_lost(silence: float, state: str) -> None:
    """At 1 s a host is late after 2.5 s and lost after 30 s."""
    assert _live().state(silence, grace_until=0) == state


@pytest.mark.parametrize(("silence", "state"), [(24, "live"), (26, "late"), (49, "late"), (51, "lost")])
def test_a_slow_host_is_given_its_own_time(silence: float, state: str) -> None:
    """At one pulse in 10 s, late is 25 s."""
    presence = _live()
    presence.interval = 10
    assert presence.state(silence, grace_until=0) == state


def test_a_will_of_the_current_session_counts_after_the_hold() -> None:
    """The host is lost well within 1.5 s, though not at once: the broker itself may be going down."""
    presence = _live()
    presence.hear_status(_status("lost"), now=1)
    assert presence.state(1.1, grace_until=0) == "live"
    assert presence.state(1.5, grace_until=0) == "lost"


def test_a_will_of_an_older_session_is_ignored() -> None:
    """A will that comes after the agent has started again says nothing of the new one."""
    presence = _live()
    presence.hear_pulse("b", time=101, now=1)
    presence.hear_status(_status("lost", "a"), now=1.1)
    assert presence.state(1.9, grace_until=0) == "live"


def test_a_goodbye_is_stopped_at_once_and_a_stray_pulse_does_not_undo_it() -> None:
    """A pulse sampled before the goodbye but delivered after it does not bring the host back."""
    presence = _live()
    presence.hear_status(_status("stopped", time=105), now=5)
    presence.hear_pulse("a", time=104.9, now=5.1)
    assert presence.state(5.2, grace_until=0) == "stopped"


def test_a_pulse_after_the_will_brings_the_host_back() -> None:
    """An agent that was cut off and returns with the same session is live again."""
    presence = _live()
    presence.hear_status(_status("lost"), now=1)
    presence.hear_pulse("a", time=110, now=10)
    assert presence.state(10, grace_until=0) == "live"


def test_a_host_that_was_never_heard_waits() -> None:
    """Known by its info alone, a host waits; announced as online and silent for 30 s, it is lost."""
    known = Presence(known_since=0)
    assert known.state(1000, grace_until=0) == "waiting"
    known.hear_status(_status("online"), now=0)
    assert known.state(29, grace_until=0) == "waiting"
    assert known.state(31, grace_until=0) == "lost"


def test_after_the_broker_returned_silence_and_wills_wait_for_the_grace() -> None:
    """A broker that was away for a minute, and kept a will, paints nobody lost for 15 s."""
    presence = _live()
    presence.hear_status(_status("lost"), now=60)
    grace_until = 60 + GRACE_SECONDS
    assert presence.state(61, grace_until) == "live"
    assert presence.state(grace_until + 0.1, grace_until) == "lost"


def _cut(at: float) -> Site:
    return new_site(connected=True, now=0, wall=0).hear(connected=False, now=at, wall=at)


def test_a_host_of_a_site_that_is_cut_off_is_late_and_stays_so() -> None:
    """From the moment on at which the site is known to be away nobody is live, and silence says nothing."""
    presence, site = _live(), _cut(1)
    assert [presence.state(now, 0, site) for now in (1, 29, 31, 100_000)] == ["late"] * 4


def test_what_was_known_before_the_cut_stays_known() -> None:
    """Who was lost or had said goodbye by then is that; a will that came with the cut may be its doing."""
    lost, stopped, torn = _live(), _live(), _live()
    lost.hear_status(_status("lost"), now=1)
    stopped.hear_status(_status("stopped"), now=1)
    torn.hear_status(_status("lost"), now=4.9)
    site = _cut(5)
    assert [one.state(1000, 0, site) for one in (lost, stopped, torn)] == ["lost", "stopped", "late"]
    assert _live().state(1000, 0, _cut(40)) == "lost"


def test_after_the_return_of_its_site_a_host_is_live_when_it_is_heard() -> None:
    """Until then it is late; its silence and its will count after a grace."""
    silent, back, died = _live(), _live(), _live()
    site = _cut(1).hear(connected=True, now=60, wall=60)
    back.hear_pulse("a", time=161, now=61)
    died.hear_status(_status("lost"), now=60)
    assert [one.state(61, 0, site) for one in (silent, back, died)] == ["late", "live", "late"]
    assert back.state(64, 0, site) == "late"
    assert died.state(60 + GRACE_SECONDS, 0, site) == "lost"
    assert [silent.state(60 + GRACE_SECONDS + silence, 0, site) for silence in (29, 31)] == ["late", "lost"]


def test_a_host_that_speaks_is_live_whatever_its_site_says() -> None:
    """A pulse proves more than a notification; when it falls silent the host is late again."""
    presence, site = _live(), _cut(1)
    presence.hear_pulse("a", time=110, now=10)
    assert [presence.state(now, 0, site) for now in (10, 12, 13, 1000)] == ["live", "live", "late", "late"]


def test_a_bridge_that_starts_while_a_site_is_cut_off_believes_what_was_kept() -> None:
    """A kept will came before the cut, and kept `online` of who was never heard is no life."""
    site = new_site(connected=False, now=0, wall=0)
    lost, online = Presence(known_since=0.1), Presence(known_since=0.1)
    lost.hear_status(_status("lost"), now=0.1)
    online.hear_status(_status("online"), now=0.1)
    assert [one.state(1000, 0, site) for one in (lost, online)] == ["lost", "waiting"]


def test_a_site_that_says_the_same_again_stays_as_it_is() -> None:
    """What is kept comes again whenever the bridge connects."""
    site = _cut(1)
    assert site.hear(connected=False, now=50, wall=50) is site
    back = site.hear(connected=True, now=60, wall=60)
    assert back.hear(connected=True, now=70, wall=70) is back
