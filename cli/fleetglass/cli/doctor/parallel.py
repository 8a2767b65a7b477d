"""Runs checks side by side, none of which can hold up the others or the end."""

import os
import threading
import time
from collections.abc import Iterator, Mapping

from fleetglass.cli.doctor.finding import Check, Finding


def run_checks(checks: Mapping[str, Check], seconds: float) -> Iterator[Finding]:
    """Yield what the checks find, in their order. One that does not end in time is itself wrong.

    A thread may be stuck in the system's name resolution, which knows no time limit: none is waited for.
    """
    runs = [_Run(what, check) for what, check in checks.items()]
    deadline = time.monotonic() + seconds
    for run in runs:
        yield from run.findings(max(0.0, deadline - time.monotonic()), seconds)


class _Run:
    def __init__(self, what: str, check: Check) -> None:
        self._what = what
        self._check = check
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._work, name=f"fleetglass-doctor-{what}", daemon=True)
        self._thread.start()

    def findings(self, left: float, seconds: float) -> Iterator[Finding]:
        self._thread.join(left)
        late = self._thread.is_alive()
        yield from list(self._found)
        if late:
            text = f"no end within {seconds:g} s, so the rest of this was not checked"
            yield Finding(self._what, "wrong", text, "try again; where names are slow, give addresses")

    def _work(self) -> None:
        try:
            for finding in self._check():
                self._found.append(finding)
        except Exception as error:
            if os.environ.get("FLEETGLASS_LOG_LEVEL") == "debug":
                raise
            text = f"this check failed: {type(error).__name__}: {' '.join(str(error).split())}"
            self._found.append(
                Finding(self._what, "wrong", text, "FLEETGLASS_LOG_LEVEL=debug fleetglass doctor shows where")
            )
