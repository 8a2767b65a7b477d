from pathlib import Path

import pytest

from fleetglass.cli.doctor.clock_check import check_clock, compare_clock


@pytest.mark.parametrize(("answer", "states"), [("yes", ["ok"]), ("no", ["note"]), ("", [])])
def test_what_systemd_says(
    answer: str, states: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is not synchronised is a note; without an answer nothing is claimed."""
    program = tmp_path / "timedatectl"
    program.write_text(f"#!/bin/sh\necho {answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert [one.state for one in check_clock()] == states
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert list(check_clock()) == []


@pytest.mark.parametrize(
    ("ahead_seconds", "state", "text"),
    [
        (1.9, "ok", "within 2 s of the bridge's clock"),
        (-3.2, "note", "3 s behind the bridge's clock"),
        (300.0, "note", "300 s ahead of the bridge's clock"),
    ],
)
def test_two_clocks(ahead_seconds: float, state: str, text: str) -> None:
    """From 2 s on the difference is a note, as on the page."""
    finding = compare_clock(ahead_seconds, "the bridge's clock")
    assert (finding.state, finding.text) == (state, text)
