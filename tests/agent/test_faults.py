import logging
import sys

import pytest

from fleetglass.agent.faults import Faults


def fail() -> int:
    raise LookupError("nobody expected this")


def test_a_part_that_fails_gives_nothing_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Each failure counts, and each kind of a part is logged once, with the line that raised it."""
    faults = Faults()
    assert faults.attempt("inventory", lambda: 7) == 7
    assert [faults.attempt("inventory", fail) for _ in range(3)] == [None] * 3
    assert faults.attempt("summary", fail) is None
    assert faults.attempt("summary", lambda: int("x")) is None
    assert faults.count == 5
    assert [record.message for record in caplog.records] == [
        "unexpected error in inventory; the agent goes on without it",
        "unexpected error in summary; the agent goes on without it",
        "unexpected error in summary; the agent goes on without it",
    ]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    assert "nobody expected this" in caplog.text
    assert "in fail" in caplog.text


def test_what_is_to_end_the_program_ends_it() -> None:
    """An exit that arrives during a part, as from a handler of signals, is no error of that part."""
    with pytest.raises(SystemExit):
        Faults().attempt("inventory", lambda: sys.exit(3))
