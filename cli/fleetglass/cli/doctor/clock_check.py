"""Whether this machine's clock is right. MQTT has none; the system, a bridge and other hosts do."""

import ctypes
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fleetglass.cli.doctor.finding import Finding

NOTE_SECONDS: Final = 2.0
"""As the page: beyond, it says so of a host."""
WRONG_SECONDS: Final = 30.0
_SET: Final = "timedatectl set-ntp true"
_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 1024


def check_synchronisation() -> Iterator[Finding]:
    """Ask the kernel whether anything keeps the clock right."""
    synchronised = _kernel_says_synchronised()
    if synchronised is None:
        return
    if synchronised:
        yield Finding("clock", "ok", "synchronised, says the kernel")
    else:
        yield Finding("clock", "note", "nothing keeps it right, says the kernel", _SET)


def compared_with_hosts(offsets: Mapping[str, Sequence[float]]) -> Iterator[Finding]:
    """Compare with the times in fresh pulses; an offset is how far this clock is ahead."""
    each = {host: min(some, key=abs) for host, some in offsets.items() if some}
    if not each:
        return
    offset = statistics.median(each.values())
    whom = f"{len(each)} other hosts" if len(each) > 1 else f"host {next(iter(each))}"
    yield compared(offset, whom, trusted=len(each) > 2)


def compared(offset: float, whom: str, *, trusted: bool) -> Finding:
    """Tell of an offset; only a clock that is `trusted` can prove this one wrong."""
    if abs(offset) <= NOTE_SECONDS:
        return Finding("clock", "ok", f"the same as that of {whom}, within {NOTE_SECONDS:g} s")
    text = f"{abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} that of {whom}"
    if trusted and abs(offset) > WRONG_SECONDS:
        return Finding("clock", "wrong", text, _SET)
    return Finding("clock", "note", text, f"on the machine whose clock is wrong: {_SET}")


def _kernel_says_synchronised() -> bool | None:
    if sys.platform != "linux":
        return None
    # adjtimex(2) of all zeros changes nothing, and says in its result how the clock is.
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else bool(state != _TIME_ERROR)
