import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.collectors.custom import CustomFolder
from fleetglass.agent.sampler import Sampler
from fleetglass.wire.payloads import Custom, FieldInfo, Group
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")


class Clock:
    """A clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Host:
    """A folder, and the collectors that follow it; when none of them works, an hour passes in a tick."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.custom = CustomFolder(folder)
        self.sampler = Sampler([self.custom], interval=1.0)
        self.clock = Clock()
        self.tick = 0

    def sample(self) -> dict[str, Group]:
        """Take a tick."""
        self.tick += 1
        working = False
        for one in (self.custom, *self.custom.members):
            assert isinstance(one, BackgroundCollector)
            one._clock = self.clock
            working = working or (one._began is not None and one._outcomes.empty())
        if not working:
            self.clock.now += 3600
        return {one.group: one.message for one in self.sampler.sample(1.0, self.tick)}

    def message(self, group: str) -> Custom:
        """Return the next message of a group."""
        message = wait_for(lambda: self.sample().get(group), f"a message of {group}")
        assert isinstance(message, Custom)
        return message

    def reason(self, group: str) -> str:
        """Return why a group failed, when it does."""

        def failed() -> str:
            self.sample()
            run = self.sampler.runs.get(group)
            return str(run.reason) if run is not None and run.state == "failed" else ""

        return wait_for(failed, f"a failure of {group}")

    def program(self, name: str, script: str) -> Path:
        """Put a program into the folder."""
        path = self.folder / name
        made = self.folder.parent / "made"
        made.write_text(f"#!/bin/sh\n{script}\n")
        made.chmod(0o755)
        made.rename(path)
        return path


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Give a host with an empty folder."""
    folder = tmp_path / "custom.d"
    folder.mkdir(mode=0o755)
    made = Host(folder)
    yield made
    made.sampler.close()


def test_a_file_that_appears_becomes_a_group(host: Host) -> None:
    """Without a restart the values of a new program are there, with the stamp of the tick and their units."""
    host.sample()
    assert set(host.sampler.runs) == {"custom"}
    host.program("room.sh", 'echo \'{"room_celsius": 21.5, "time_left_seconds": 5}\'')
    message = host.message("custom-room")
    assert message.payload() == {
        "room_celsius": 21.5,
        "time_left_seconds": 5,
        "time": 1.0,
        "tick": host.tick,
    }
    assert message.fields["room_celsius"] == FieldInfo(unit="celsius")
    assert {one.interval for one in host.custom.members} == {10.0}


def test_a_file_that_goes_away_takes_its_group_along(host: Host) -> None:
    """Its report goes with it, and what it runs is killed."""
    path = host.program("hang", "sleep 600")
    wait_for(lambda: host.sample() or host.custom.members, "the group")
    (member,) = host.custom.members
    path.unlink()
    wait_for(lambda: host.sample() or not host.custom.members, "the end of the group")
    host.sample()
    assert set(host.sampler.runs) == {"custom"}
    assert isinstance(member, BackgroundCollector)
    assert member._closed


def test_a_failure_is_that_of_its_group_only(host: Host) -> None:
    """A script that fails has its reason in the report and no message; the others have theirs."""
    host.program("broken", "echo '{\"a\": NaN}'")
    host.program("good", "echo 1")
    assert host.reason("custom-broken").startswith("got no JSON, expected")
    assert host.message("custom-good").values == {"value": 1}
    host.program("broken", "echo 'sensor not connected' >&2; exit 2")
    told = "ended with exit code 2: sensor not connected"
    wait_for(lambda: host.reason("custom-broken") == told, "the other reason")
    host.program("broken", "echo 5")
    assert host.message("custom-broken").values == {"value": 5}


def test_what_is_wrong_with_the_folder_is_its_own_failure(host: Host) -> None:
    """A file that cannot be a group is told, and the others go on; a folder open to all has none."""
    host.program("Bad", "echo 1")
    host.program("good", "echo 1")
    assert host.reason("custom").startswith("Bad: file name not usable as a group name")
    for name in ("Cold", "Dry"):
        host.program(name, "echo 1")
    wait_for(
        lambda: host.reason("custom").startswith("3 files cannot be used; Bad: file name"),
        "the number of them",
    )
    assert host.message("custom-good").values == {"value": 1}
    host.folder.chmod(0o777)
    wait_for(lambda: "other users may write" in host.reason("custom"), "the refusal")
    wait_for(lambda: host.sample() or not host.custom.members, "the end of the groups")


def test_nothing_to_say_is_no_message(host: Host) -> None:
    """An empty object is no failure, and no message."""
    host.program("empty", "echo '{}'")
    wait_for(lambda: host.sample() or "custom-empty" in host.sampler.runs, "the group")
    for _ in range(5):
        assert host.sample() == {}
    assert host.sampler.runs["custom-empty"].state == "ok"
