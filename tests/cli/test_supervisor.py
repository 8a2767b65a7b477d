import sys
import time
from pathlib import Path

import psutil
import pytest

from fleetglass.cli.runtime.stop_signals import StopSignals
from fleetglass.cli.supervisor import Supervisor
from fleetglass.wire.errors import UsageError
from support.waiting import PATIENCE_SECONDS, wait_for

PYTHON = [sys.executable, "-S", "-c"]


def test_dead_child_is_started_again(tmp_path: Path) -> None:
    """A child that dies is started again after a pause, with one line each time."""
    marks = tmp_path / "marks"
    said: list[str] = []
    code = f"open({str(marks)!r}, 'a').write('x'); raise SystemExit(7)"
    with StopSignals() as stop, Supervisor(stop, said.append) as supervisor:
        supervisor.start("child", [*PYTHON, code])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(said) < 2 and time.monotonic() < deadline:
            supervisor.watch(0.05)
    assert marks.read_text().startswith("xx")
    assert said[0].startswith("child ended with code 7; starting it again in 0.")


def test_killed_child_is_named_by_its_signal() -> None:
    """A child ended by a signal says which."""
    said: list[str] = []
    with StopSignals() as stop, Supervisor(stop, said.append) as supervisor:
        supervisor.start("child", [*PYTHON, "import os; os.kill(os.getpid(), 9)"])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not said and time.monotonic() < deadline:
            supervisor.watch(0.05)
    assert said[0].startswith("child was ended by SIGKILL; starting it again in ")


def test_child_that_refuses_its_configuration() -> None:
    """Exit code 2 is not tried again: it ends the whole with the same code, and adds no line."""
    said: list[str] = []
    with StopSignals() as stop, Supervisor(stop, said.append) as supervisor:
        supervisor.start("child", [*PYTHON, "raise SystemExit(2)"])
        with pytest.raises(UsageError) as caught:
            supervisor.watch(PATIENCE_SECONDS)
    assert (caught.value.exit_code, caught.value.args, said) == (2, (), [])


def test_children_are_ended_on_the_way_out(tmp_path: Path) -> None:
    """Children end with the block, even those that do not listen to SIGTERM."""
    mark = tmp_path / "deaf"
    deaf = f"import signal, time; signal.signal(15, signal.SIG_IGN); open({str(mark)!r}, 'w'); time.sleep(60)"
    before = psutil.Process().children()
    with StopSignals() as stop, Supervisor(stop, lambda _text: None) as supervisor:
        supervisor.start("deaf", [*PYTHON, deaf])
        supervisor.start("broker", [*PYTHON, "import time; time.sleep(60)"], serves_others=True)
        wait_for(mark.exists, "the deaf child")
        assert len(set(psutil.Process().children()) - set(before)) == 2
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    assert not set(psutil.Process().children()) - set(before)
