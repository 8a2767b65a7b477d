"""Whether this machine's clock is right."""

import subprocess
from collections.abc import Iterator
from typing import Final

from fleetglass.cli.doctor.finding import Finding

NOTE_SECONDS: Final = 2.0
"""The page warns about a host's clock from this difference on."""
_SYNCHRONISE: Final = "timedatectl set-ntp true"
_ANSWER_SECONDS: Final = 3.0


def check_clock() -> Iterator[Finding]:
    """Ask systemd whether the clock is synchronised; without systemd, find nothing."""
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(
            command,
            check=False,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    match done.stdout.strip():
        case "yes":
            yield Finding("clock", "ok", "synchronised")
        case "no":
            yield Finding("clock", "note", "not synchronised", _SYNCHRONISE)


def compare_clock(ahead_seconds: float, other: str) -> Finding:
    """Judge by how much this clock is ahead of another one, named `other`."""
    if abs(ahead_seconds) <= NOTE_SECONDS:
        return Finding("clock", "ok", f"within {NOTE_SECONDS:g} s of {other}")
    text = f"{abs(ahead_seconds):.0f} s {'ahead of' if ahead_seconds > 0 else 'behind'} {other}"
    return Finding("clock", "note", text, f"on the machine whose clock is wrong: {_SYNCHRONISE}")
