from hypothesis import given
from hypothesis import strategies as st

from fleetglass.history.merge import Dated, place

SESSIONS = st.sampled_from(["a", "b"])
MOMENTS = st.floats(-1e9, 1e9)
LATE = st.lists(st.builds(Dated, MOMENTS, SESSIONS, st.integers(0, 60), st.just(b"late")), max_size=40)


@given(st.lists(st.tuples(SESSIONS, st.integers(1, 3), st.floats(0, 2)), max_size=40), LATE)
def test_ticks_tell_the_order_whatever_the_clocks_say(
    steps: list[tuple[str, int, float]], late: list[Dated]
) -> None:
    """Sorted by moment, each session stands in the order of its ticks, each once, and nothing is lost."""
    kept: list[Dated] = []
    moment, ticks = 0.0, {"a": 0, "b": 0}
    for session, more, seconds in steps:
        moment += seconds
        ticks[session] += more
        kept.append(Dated(moment, session, ticks[session], b"kept"))
    before = [one.moment for one in kept]
    new = place(kept, late)
    assert [one.moment for one in kept] == before
    merged = sorted([*kept, *new], key=lambda one: (one.moment, one.tick))
    for session in ("a", "b"):
        found = [one.tick for one in merged if one.session == session]
        wanted = {one.tick for one in [*kept, *late] if one.session == session}
        assert found == sorted(wanted)


def test_a_pulse_of_an_unknown_session_is_where_its_moment_is() -> None:
    """Without a neighbour of its session nothing but the reckoned moment tells its place."""
    kept = [Dated(float(second), "a", second, b"") for second in range(10)]
    assert place(kept, [Dated(4.5, "b", 1, b"x")]) == [Dated(4.5, "b", 1, b"x")]
