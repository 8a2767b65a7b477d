"""A real agent on a frozen host: every message of a tick, as a broker passes it on.

`pytest tests/agent/test_golden.py --update-golden` writes what is sent now into `golden/`: read the diff.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.frozen_mounts import mount_root
from agent.recording import Heard, Recording, recording
from support.mosquitto import Mosquitto
from support.programs import REPOSITORY, Fleetglass
from support.waiting import wait_for

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(
        sys.platform != "linux" or os.sysconf("SC_PAGE_SIZE") != 4096, reason="reads /proc of a PC's pages"
    ),
]

GOLDEN = Path(__file__).parent / "golden"
# What differs from one run to the next, or between the machines that run this test.
_OF_THIS_DISK = {"total_bytes", "used_bytes", "free_bytes", "used_percent"}
VOLATILE = {
    "live/collector": {"duration_seconds", "cpu_percent", "resident_bytes"},
    "live/filesystem": _OF_THIS_DISK,
    "pulse": {"filesystem_percent", "uptime_seconds"},
    "summary": {"filesystem_percent"},
    "info": {"python_version", "agent_version"},
}


@pytest.mark.parametrize("machine", ["raspberry-pi-4", "laptop", "server"])
def test_every_message_of_a_tick(
    machine: str, mosquitto: Mosquitto, prefix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What a known host publishes is known to the last field."""
    arguments = ["agent", "--broker", mosquitto.url, "--prefix", prefix, "--host-id", "web-1"]
    root = tmp_path / "root"
    shutil.copytree(REPOSITORY / "tests" / "fixtures" / machine, root)
    mount_root(root)
    with (
        recording(mosquitto.port, prefix) as witness,
        Fleetglass(*arguments, "--root", str(root), "--interval", "0.5", home=tmp_path),
    ):
        # A busy machine may need a second turn of the slow groups, and the summary comes on its own clock.
        tick = wait_for(lambda: whole_tick(witness), "a tick of every group") or []
        tick += wait_for(lambda: summaries_since(witness, tick), "a summary that knows as much")[:1]
        witness.wait("info")
    found = {one.topic: normal(one.topic, one.payload) for one in tick}
    found["info"] = normal("info", witness.of("info")[-1].payload)
    file = GOLDEN / f"{machine}.json"
    if request.config.getoption("--update-golden"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    assert found == json.loads(file.read_text())


def whole_tick(witness: Recording) -> list[Heard] | None:
    """Return what came, the summary aside, of the first tick at which every group was due and none late."""
    for report in witness.of("live/collector"):
        runs = report.payload["collectors"].values()
        number = report.payload["tick"]
        tick = [one for one in list(witness.messages) if one.payload.get("tick") == number]
        tick = [one for one in tick if one.topic != "summary"]
        topics = {one.topic for one in tick}
        if {"pulse", "live/filesystem", "live/process"} <= topics and all(
            run["state"] == "ok" and "reason" not in run for run in runs
        ):
            return tick
    return None


def summaries_since(witness: Recording, tick: list[Heard]) -> list[Heard]:
    """Return the summaries of what a whole tick tells, or later ones."""
    return [one for one in witness.of("summary") if one.payload["tick"] >= tick[0].payload["tick"]]


def normal(topic: str, payload: dict[str, Any]) -> Any:
    """Return a payload without what no two runs have in common; that it is there is kept."""
    volatile = {"time", "tick", "session", *VOLATILE.get(topic, ())}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            # Not every filesystem counts inodes.
            return {
                name: "…" if name in volatile else walk(one)
                for name, one in value.items()
                if name != "inodes_percent"
            }
        return [walk(one) for one in value] if isinstance(value, list) else value

    return walk(payload)
