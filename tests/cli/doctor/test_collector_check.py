import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetglass.agent.collectors import Collector, default_collectors
from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.doctor import collector_check as collectors
from fleetglass.cli.doctor.collector_check import check_collectors
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Disk, DiskDevice, Group


class Scripted:
    """A collector that does what it is told."""

    interval = 0.0

    def __init__(self, group: str, act: Callable[[], Group | Partial | None]) -> None:
        self.group = group
        self._act = act

    def collect(self, _time: float, _tick: int) -> Group | Partial | None:
        """Act."""
        return self._act()


def settings(folder: Path | None = None) -> AgentSettings:
    broker = BrokerAccess(url=BrokerURL("127.0.0.1", 1883))
    return AgentSettings(broker=broker, host_id="web-1", custom_folder=folder)


def check(*some: Collector, folder: Path | None = None) -> dict[str, Finding]:
    return {one.what: one for one in check_collectors(settings(folder), some or None)}


def fail() -> None:
    raise CollectionError("the bus is gone")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_every_collector_of_this_machine() -> None:
    """Each of the agent's own is run, and says what it found and how long it took."""
    findings = check()
    assert set(findings) == {f"collector {one.group}" for one in default_collectors(settings())}
    assert findings["collector cpu"].state == "ok"
    assert findings["collector cpu"].text.endswith(" ms)")


def test_what_a_collector_gives() -> None:
    """Devices are named; a host without them is no trouble; a part that is missing is noted."""
    disk = Disk(time=1, tick=1, devices={name: DiskDevice() for name in "abcdefg"})
    findings = check(
        Scripted("disk", lambda: disk),
        Scripted("power", lambda: None),
        Scripted("gpu", lambda: Partial(Group(time=1, tick=1), "one does not answer")),
    )
    assert findings["collector disk"].text.startswith("7 found: a, b, c, d, e, … (")
    assert findings["collector power"].text.startswith("this host has none (")
    assert (findings["collector gpu"].state, findings["collector gpu"].text) == (
        "note",
        "read, but not all: one does not answer",
    )


def test_a_collector_that_fails(release: threading.Event) -> None:
    """One that raises, and one that takes too long, are wrong with their reason; the others go on."""

    def hang() -> None:
        release.wait(30)

    findings = check(Scripted("sensor", fail), Scripted("gpu", hang), Scripted("cpu", lambda: None))
    assert (findings["collector sensor"].state, findings["collector sensor"].text) == (
        "wrong",
        "failed: the bus is gone",
    )
    assert findings["collector gpu"].state == "wrong"
    assert findings["collector gpu"].text.startswith("late: took more than 0.5 s")
    assert findings["collector gpu"].remedy
    assert findings["collector cpu"].state == "ok"


def test_own_metrics(tmp_path: Path) -> None:
    """Each program of the folder is run once; what others may write to is refused, with the remedy."""
    program, open_to_all = tmp_path / "ups.sh", tmp_path / "door.json"
    program.write_text("#!/bin/sh\necho 3\n")
    program.chmod(0o755)
    open_to_all.write_text("1")
    open_to_all.chmod(0o666)
    findings = check(folder=tmp_path)
    assert findings["collector custom-ups"].state == "ok"
    assert findings["collector custom"].state == "wrong"
    assert "door.json: other users may write to it" in findings["collector custom"].text
    assert findings["collector custom"].remedy == f"chown -R root: {tmp_path}; chmod -R go-w {tmp_path}"


def test_a_program_that_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for, which is said, also when it has been ended by then."""
    monkeypatch.setattr(collectors, "_BACKGROUND_SECONDS", 0.5)
    close = BackgroundCollector.close

    def close_to_the_end(collector: BackgroundCollector) -> None:
        close(collector)
        if collector._thread is not None:
            collector._thread.join()

    monkeypatch.setattr(BackgroundCollector, "close", close_to_the_end)
    program = tmp_path / "slow.sh"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    finding = check(folder=tmp_path)["collector custom-slow"]
    assert finding.state == "note"
    assert finding.text == "no reading ended within 0.5 s"
