import logging
import re
from pathlib import Path

import pytest

from fleetglass.cli.runtime import log
from fleetglass.cli.runtime.log import start_log


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A line has the time, the command, the level where it matters, and no traceback."""
    start_log("agent", "info")
    logging.getLogger("a").debug("hidden")
    logging.getLogger("a").info("connected")
    logging.getLogger("a").error("reading failed", exc_info=OSError("gone"))
    lines = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines] == [
        "agent: connected",
        "agent error: reading failed: OSError: gone",
    ]


def test_debug_shows_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    """At the debug level nothing is kept back."""
    start_log("agent", "debug")
    logging.getLogger("a").error("reading failed", exc_info=OSError("gone"))
    assert capsys.readouterr().err.endswith("agent error: reading failed\nOSError: gone\n")


def test_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What others say, such as a broker or a script, can neither begin a line nor speak to the terminal."""
    start_log("agent", "info")
    logging.getLogger("a").info("session %s", "x\r\n12:00:00 agent: \x1b[31mhacked\x9b\u2028ü")
    logging.getLogger("a").error("failed", exc_info=OSError("gone\naway"))
    session, failed = capsys.readouterr().err.splitlines()
    assert session.endswith(r"session x\r\n12:00:00 agent: \x1b[31mhacked\x9b\u2028ü")
    assert failed.endswith(r"OSError: gone\naway")


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has the date of each line, is renamed when full, and five older ones stay."""
    monkeypatch.setattr(log, "FILE_BYTES", 40)
    file = tmp_path / "watch.log"
    start_log("watch", "debug", str(file))
    for number in range(9):
        logging.getLogger("a").critical("line %d", number)
    [handler] = logging.getLogger().handlers
    handler.close()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d watch critical: line 8\n", file.read_text())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "watch.log",
        *(f"watch.log.{number}" for number in range(1, 6)),
    ]
