import logging

import pytest

from fleetglass.wire import unexpected_errors
from fleetglass.wire.unexpected_errors import UnexpectedErrors


def fail(error: Exception) -> None:
    raise error


def recurse() -> None:
    recurse()


def test_each_kind_is_logged_once_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """An error that comes every second is counted every time, and said once; another kind is said as well."""
    errors = UnexpectedErrors()
    for number in range(60):
        with errors.caught("taking a message"):
            fail(KeyError(number))
    with errors.caught("taking a message"):
        fail(ValueError("another"))
    assert errors.total == 61
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    heads = [line for line in said if line.startswith("unexpected error")]
    assert heads == 2 * ["unexpected error while taking a message, logged once:"]
    assert "  KeyError: 0" in said
    assert "  ValueError: another" in said
    assert any("in fail" in line for line in said)


def test_of_a_group_the_first_error_tells_the_kind(caplog: pytest.LogCaptureFixture) -> None:
    """What fails within a group of tasks is the same kind as outside of one."""
    errors = UnexpectedErrors()
    for _ in range(2):
        try:
            fail(KeyError("a"))
        except KeyError as error:
            errors.count("one task", error)
            errors.count("a group", ExceptionGroup("tasks", [ExceptionGroup("more", [error])]))
    assert errors.total == 4
    assert caplog.text.count("unexpected error") == 1


def test_no_error_fills_the_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A very deep traceback is cut, a text of many lines stays in its lines, and kinds have an end."""
    errors = UnexpectedErrors()
    with errors.caught("going down"):
        recurse()
    assert len(caplog.records) < 3 * unexpected_errors.MAX_FRAMES + 5
    with errors.caught("reading"):
        fail(ValueError("gone\naway"))
    assert not any("\n" in record.getMessage() for record in caplog.records)
    monkeypatch.setattr(unexpected_errors, "MAX_KINDS", 2)
    with errors.caught("writing"):
        fail(OSError())
    assert "writing" not in caplog.text
    assert errors.total == 3


def test_an_error_that_was_never_raised_counts_too(caplog: pytest.LogCaptureFixture) -> None:
    """Without a traceback its type alone is its kind."""
    errors = UnexpectedErrors()
    for _ in range(2):
        errors.count("a callback", KeyError("a"))
    assert (errors.total, caplog.text.count("unexpected error")) == (2, 1)


def test_an_end_that_was_asked_for_is_no_error() -> None:
    """What ends a program or a task goes on up."""
    errors = UnexpectedErrors()
    with pytest.raises(KeyboardInterrupt), errors.caught("anything"):
        raise KeyboardInterrupt
    assert errors.total == 0


def test_a_part_that_fails_gives_nothing() -> None:
    """What is attempted returns its result, or None where it raises, and each failure is counted."""
    errors = UnexpectedErrors()
    assert errors.attempt("reading the host", lambda: 7) == 7
    assert errors.attempt("reading the host", lambda: int("x")) is None
    assert errors.total == 1
