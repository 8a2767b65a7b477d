"""What a check found; described for users in `docs/doctor.md`."""

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

State = Literal["ok", "note", "wrong"]


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one check; of what is not `ok`, `remedy` says what to do."""

    what: str
    state: State
    text: str
    remedy: str = ""


class Report(msgspec.Struct, frozen=True):
    """All findings, as `--json` prints them. `time` is UTC, in seconds since the epoch."""

    version: str
    time: float
    well: bool
    """Whether nothing is wrong."""
    findings: list[Finding]


Check = Callable[[], Iterable[Finding]]
