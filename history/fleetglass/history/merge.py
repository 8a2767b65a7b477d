"""Where pulses that come late belong among those that came in time: pure rules over moments and ticks."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Dated:
    """A pulse and when it was taken. `moment` is of the bridge's monotonic clock and, if late, reckoned."""

    moment: float
    session: str
    tick: int
    payload: bytes


def place(kept: list[Dated], late: Iterable[Dated]) -> list[Dated]:
    """Return the late pulses that are not among the kept ones, each once, and set their moments.

    The tick tells the place within a session exactly; the moment, which the clock of the host gave, only
    about: a clock that was set meanwhile moves it by any amount. So it is brought between the moments of
    the neighbours. `kept` is oldest first and stays as it is.
    """
    known = {(one.session, one.tick) for one in kept}
    new: list[Dated] = []
    for one in late:
        if (one.session, one.tick) not in known:
            known.add((one.session, one.tick))
            new.append(one)
    sessions: dict[str, list[tuple[Dated, bool]]] = {one.session: [] for one in new}
    for one, is_new in ((one, is_new) for is_new, ones in ((False, kept), (True, new)) for one in ones):
        if one.session in sessions:
            sessions[one.session].append((one, is_new))
    for members in sessions.values():
        members.sort(key=lambda member: member[0].tick)
        _bring_between(members)
    return new


def _bring_between(members: list[tuple[Dated, bool]]) -> None:
    latest = float("inf")
    for one, is_new in reversed(members):
        if is_new:
            one.moment = min(one.moment, latest)
        latest = one.moment
    earliest = float("-inf")
    for one, is_new in members:
        if is_new:
            one.moment = max(one.moment, earliest)
        earliest = one.moment
