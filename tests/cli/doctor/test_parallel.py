import threading
import time
from collections.abc import Iterator

import pytest

from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.doctor.parallel import run_checks


def test_checks_hold_up_neither_each_other_nor_the_end() -> None:
    """They come in their order; one that hangs is given up, one that raises is told."""
    release, seen = threading.Event(), threading.Event()

    def hang() -> Iterator[Finding]:
        yield Finding("a", "ok", "begun")
        release.wait(30)

    def fail() -> Iterator[Finding]:
        raise ZeroDivisionError("by\nzero")
        yield

    def work() -> Iterator[Finding]:
        seen.set()
        yield Finding("c", "ok", "done")

    began = time.monotonic()
    found = list(run_checks({"a": hang, "b": fail, "c": work}, 0.3))
    assert time.monotonic() - began < 2
    release.set()
    assert [(one.what, one.state) for one in found] == [
        ("a", "ok"),
        ("a", "wrong"),
        ("b", "wrong"),
        ("c", "ok"),
    ]
    assert found[1].text == "no end within 0.3 s, so the rest of this was not checked"
    assert found[2].text == "this check failed: ZeroDivisionError: by zero"
    assert all(one.remedy for one in found if one.state != "ok")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_debugging_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the log level `debug` an unexpected error is raised where it happens."""
    monkeypatch.setenv("FLEETGLASS_LOG_LEVEL", "debug")

    def fail() -> Iterator[Finding]:
        raise ZeroDivisionError
        yield

    assert list(run_checks({"a": fail}, 5)) == []
