import pytest

from fleetglass.fleet.listening import GRACE_SECONDS
from fleetglass.fleet.presence import UNEVEN_SECONDS, WILL_HOLD_SECONDS, Presence, Site, new_site
from fleetglass.wire.payloads import State, Status

HELD = WILL_HOLD_SECONDS + 0.01


def _status(state: State, session: str = "a", time: float = 100) -> Status:
    return Status(state=state, session=session, time=time)


def _say(presence: Presence, state: State, now: float, session: str = "a", time: float | None = None) -> None:
    presence.hear_status(_status(state, session, 100 + now if time is None else time), now)


def _pulse(presence: Presence, now: float, session: str = "a", time: float | None = None) -> None:
    presence.hear_pulse(session, 100 + now if time is None else time, now, now)


def _live() -> Presence:
    presence = Presence(silent_since=0)
    _say(presence, "online", 0)
    _pulse(presence, 0)
    return presence


@pytest.mark.parametrize(
    ("silence", "state"), [(0, "live"), (2.4, "live"), (2.6, "late"), (29.9, "late"), (30.1, "lost")]
)
def test_silence_makes_a_host_late_and_then_lost(silence: float, state: str) -> None:
    """At 1 s a host is late after 2.5 s and lost after 30 s."""
    assert _live().state(silence) == state


@pytest.mark.parametrize(("silence", "state"), [(24, "live"), (26, "late"), (49, "late"), (51, "lost")])
def test_a_slow_host_is_given_its_own_time(silence: float, state: str) -> None:
    """At one pulse in 10 s, late is 25 s."""
    presence = _live()
    presence.interval = 10
    assert presence.state(silence) == state


def test_a_will_of_the_current_session_counts_after_the_hold() -> None:
    """The host is lost well within 1.5 s, though not at once: the broker itself may be going down."""
    presence = _live()
    _say(presence, "lost", 1, time=50)
    assert presence.state(1.1) == "live"
    assert presence.state(1.5) == "lost"


@pytest.mark.parametrize("state", ["lost", "suspended", "stopped", "online"])
def test_a_status_of_an_older_session_is_ignored(state: State) -> None:
    """A will that comes after the agent has started again says nothing of the new one."""
    presence = _live()
    _pulse(presence, 1, "b")
    _say(presence, state, 1.1, "a", time=100.5)
    assert presence.session == "b"
    assert presence.state(1.9) == "live"


@pytest.mark.parametrize("state", ["lost", "suspended", "stopped"])
def test_an_agent_may_come_and_go_while_nobody_listens(state: State) -> None:
    """The goodbye or will of an unknown session counts when it is newer than all that was heard."""
    presence = _live()
    _say(presence, state, 1, "b", time=200)
    assert presence.state(1 + HELD) == state


@pytest.mark.parametrize("state", ["suspended", "stopped"])
def test_a_goodbye_counts_at_once_and_a_stray_pulse_does_not_undo_it(state: State) -> None:
    """A pulse sampled before the goodbye but delivered after it does not bring the host back."""
    presence = _live()
    _say(presence, state, 5)
    _pulse(presence, 5.1, time=104.9)
    assert presence.state(5.2) == state


@pytest.mark.parametrize("state", ["suspended", "stopped"])
def test_a_will_after_the_goodbye_changes_nothing(state: State) -> None:
    """An agent whose connection breaks while it leaves has left, whatever the broker says for it."""
    presence = _live()
    _say(presence, state, 5)
    _say(presence, "lost", 5.1, time=50)
    assert presence.state(6) == state


def test_a_closed_laptop_sleeps_for_hours_and_is_back_at_once() -> None:
    """It is neither late nor lost all night, and live from its `online` on if its pulse comes in time."""
    presence = _live()
    _say(presence, "suspended", 5)
    assert {presence.state(now) for now in (5, 8, 40, 28_800)} == {"suspended"}
    _say(presence, "online", 28_805)
    assert [presence.state(now) for now in (28_805, 28_807.4, 28_807.6, 28_836)] == [
        "live", "live", "late", "lost"
    ]  # fmt: skip
    _pulse(presence, 28_837)
    assert presence.state(28_837) == "live"


def test_a_host_that_is_shut_down_in_its_sleep_is_stopped() -> None:
    """A goodbye is newer than the sleep; the sleep is not news to a host that has stopped since."""
    presence = _live()
    _say(presence, "suspended", 5)
    _say(presence, "stopped", 6)
    _say(presence, "suspended", 5)
    assert presence.state(7) == "stopped"


def test_a_sleep_that_began_after_the_will_is_no_loss() -> None:
    """An agent that came back, unheard, may say that its host sleeps; an older such word says nothing."""
    presence = _live()
    _say(presence, "lost", 1, time=50)
    _say(presence, "suspended", 9)
    assert presence.state(10) == "suspended"
    lost = _live()
    lost.see(200)
    _say(lost, "lost", 1, time=50)
    _say(lost, "suspended", 2, time=150)
    assert lost.state(10) == "lost"


def test_a_pulse_after_the_will_brings_the_host_back() -> None:
    """An agent that was cut off and returns with the same session is live again."""
    presence = _live()
    _say(presence, "lost", 1, time=50)
    _pulse(presence, 10)
    assert presence.state(10) == "live"


@pytest.mark.parametrize(
    ("state", "session"), [("stopped", "a"), ("lost", "a"), ("stopped", "b"), ("lost", "b")]
)
def test_an_agent_that_is_back_after_long_is_late_until_its_first_pulse(state: State, session: str) -> None:
    """It says that it is online, so it is not lost, however long it was away, unless no pulse follows."""
    presence = _live()
    _say(presence, state, 1)
    _say(presence, "online", 1000, session)
    assert [presence.state(now) for now in (1000, 1029, 1031)] == ["late", "late", "lost"]
    _pulse(presence, 1032, session)
    assert presence.state(1032) == "live"


def test_an_agent_that_only_repeats_that_it_is_online_is_lost() -> None:
    """It says so every minute, which is no pulse and does not begin the 30 s anew."""
    presence = _live()
    for minute in range(1, 4):
        _say(presence, "online", 60 * minute)
        assert presence.state(60 * minute) == "lost"


@pytest.mark.parametrize("state", ["lost", "suspended", "stopped"])
def test_what_a_broker_repeats_does_not_wake_a_host(state: State) -> None:
    """Its last word comes again with each connection, and after a crash of the broker an older one."""
    presence = _live()
    _pulse(presence, 50)
    _say(presence, state, 51, time=60 if state == "lost" else 150)
    assert presence.state(52) == state
    for again in (_status(state, time=presence.said_time), _status("online", time=120)):
        presence.hear_status(again, site_now=100)
        assert [presence.state(now) for now in (100, 100.1, 120)] == [state] * 3


def test_a_host_that_was_never_heard_waits() -> None:
    """Known by its info alone, a host waits; announced as online and silent for 30 s, it is lost."""
    known = Presence(silent_since=0)
    assert known.state(1000) == "waiting"
    _say(known, "online", 0)
    assert known.state(29) == "waiting"
    assert known.state(31) == "lost"


def test_an_info_that_is_newer_than_the_status_hides_nothing() -> None:
    """Brokers send what they retain in any order: a host that was online, and never speaks, is lost."""
    presence = Presence(silent_since=0)
    presence.see(200)
    _say(presence, "online", 0)
    assert presence.state(31) == "lost"


def test_a_host_whose_pulses_come_seconds_apart_is_late_twice_and_then_no_more() -> None:
    """Over a connection with 3 s of delay pulses come each 7 s: to say so every time would say nothing."""
    presence = _live()
    states = []
    for tick in range(12):
        _pulse(presence, 7 * tick)
        states.append([presence.state(7 * tick + silence) for silence in (2, 4, 6.9)])
    assert states[:3] == [["live", "late", "late"]] * 2 + [["live"] * 3]
    assert states[2:] == [["live"] * 3] * 10
    end = 7 * 11
    assert [presence.state(end + silence) for silence in (10, 11, 29, 31)] == ["live", "late", "late", "lost"]


def test_one_long_gap_makes_nobody_patient() -> None:
    """A host that was away for 20 s is late after 2.5 s the next time, and again after a calm minute."""
    presence = _live()
    _pulse(presence, 20)
    assert presence.state(22.6) == "late"
    for at in (*range(21, 90), 95, 102, *range(103, 103 + int(UNEVEN_SECONDS) + 2)):
        _pulse(presence, at)
    assert presence.state(at + 2.4) == "live"
    assert presence.state(at + 2.6) == "late"


def _cut(at: float) -> Site:
    return new_site(connected=True, now=0, wall=0).hear(connected=False, now=at, wall=at)


def test_a_host_of_a_site_that_is_cut_off_is_late_and_stays_so() -> None:
    """From the moment on at which the site is known to be away nobody is live, and silence says nothing."""
    presence, site = _live(), _cut(1)
    assert [presence.state(now, site) for now in (1, 29, 31, 100_000)] == ["late"] * 4


def _lost_before(at: float) -> Presence:
    presence = _live()
    presence.hear_status(_status("lost", time=50), site_now=at)
    return presence


def test_what_was_known_before_the_cut_stays_known() -> None:
    """Who was lost or had said goodbye by then is that; a will that came with the cut may be its doing."""
    lost, stopped, torn = _lost_before(1), _live(), _lost_before(4.9)
    _say(stopped, "stopped", 1)
    site = _cut(5)
    assert [one.state(1000, site) for one in (lost, stopped, torn)] == ["lost", "stopped", "late"]
    assert _live().state(1000, _cut(40)) == "lost"


def test_what_was_known_before_the_cut_stays_known_after_the_return_of_the_site() -> None:
    """Who was lost, by its will or by silence, or had said goodbye, is not late for a moment."""
    willed, silent, stopped = _lost_before(1), _live(), _live()
    _say(stopped, "stopped", 1)
    site = _cut(40).hear(connected=True, now=60, wall=60)
    for now in (60, 60 + GRACE_SECONDS, 200):
        assert [one.state(now, site) for one in (willed, silent, stopped)] == ["lost", "lost", "stopped"]


def test_after_the_return_of_its_site_a_host_is_live_when_it_is_heard() -> None:
    """Until then it is late; its silence and its will count after a grace."""
    silent, back, died = _live(), _live(), _live()
    site = _cut(1).hear(connected=True, now=60, wall=60)
    back.hear_pulse("a", time=161, now=61, site_now=site.clock.at(61))
    died.hear_status(_status("lost", time=50), site_now=site.clock.at(60))
    assert [one.state(61, site) for one in (silent, back, died)] == ["late", "live", "late"]
    assert back.state(64, site) == "late"
    assert died.state(60 + GRACE_SECONDS + HELD, site) == "lost"
    assert [silent.state(60 + GRACE_SECONDS + more, site) for more in (28.9, 29.1)] == ["late", "lost"]


def test_a_host_that_speaks_is_live_whatever_its_site_says() -> None:
    """A pulse proves more than a notification; when it falls silent the host is late again."""
    presence, site = _live(), _cut(1)
    presence.hear_pulse("a", time=110, now=10, site_now=site.clock.at(10))
    assert [presence.state(now, site) for now in (10, 12, 13, 1000)] == ["live", "live", "late", "late"]


def test_a_bridge_that_starts_while_a_site_is_cut_off_believes_what_was_kept() -> None:
    """A kept will came before the cut, and kept `online` of who was never heard is no life."""
    site = new_site(connected=False, now=0, wall=0)
    lost, online = Presence(silent_since=0.1), Presence(silent_since=0.1)
    lost.hear_status(_status("lost"), site_now=site.clock.at(0.1))
    online.hear_status(_status("online"), site_now=site.clock.at(0.1))
    assert [one.state(1000, site) for one in (lost, online)] == ["lost", "waiting"]


def test_a_site_that_says_the_same_again_stays_as_it_is() -> None:
    """What is kept comes again whenever the bridge connects."""
    site = _cut(1)
    assert site.hear(connected=False, now=50, wall=50) is site
    back = site.hear(connected=True, now=60, wall=60)
    assert back.hear(connected=True, now=70, wall=70) is back
