"""What docs/library.md says of the library."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from fleetglass.client.compat.snapshot import envelope, monitoring_data
from support.bridge import publisher, running_bridge
from support.mosquitto import Mosquitto

TEXT = (Path(__file__).parents[2] / "docs" / "library.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
DEFAULT = "ws://127.0.0.1:8765/ws"


@pytest.mark.broker
@pytest.mark.parametrize("number", range(len(PROGRAMS)))
async def test_programs_run(number: int, mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """Each program of the documentation runs as it stands."""
    assert DEFAULT in PROGRAMS[number]
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        program = PROGRAMS[number].replace(DEFAULT, f"ws://127.0.0.1:{bridge.port}/ws")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", program),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
            env=os.environ,
        )
        ended = asyncio.create_task(process.communicate(), name="program")
        tick = 0
        while not ended.done():
            tick += 1
            pulse = {"time": 1.0 + tick, "tick": tick, "session": "a", "cpu_percent": 45.2}
            await agent.publish(f"{prefix}/web-1/pulse", json.dumps(pulse))
            await asyncio.wait([ended], timeout=0.2)
        output, _ = await ended
    assert process.returncode == 0, output.decode()
    assert b"Traceback" not in output
    assert b"web-1" in output or (tmp_path / "monitoring.log").stat().st_size


def test_the_message_has_the_fields_that_are_told() -> None:
    """The message of the documentation is one that a host with these values would make."""
    block = re.search(r"^```json\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert block is not None
    told = json.loads(block[1])
    gb = 1024**3
    data = monitoring_data(
        "web-1",
        {"cpu_percent": 45.2, "temperature_celsius": 61.5, "memory_percent": 62.8},
        {
            "cpu": {"frequency_hertz": 2_894_000_000},
            "memory": {"total_bytes": 13 * gb},
            "filesystem": {
                "mounts": {
                    "/": {
                        "used_percent": 28.5,
                        "used_bytes": 133.38 * gb,
                        "total_bytes": 468 * gb,
                        "free_bytes": 334.62 * gb,
                    }
                }
            },
            "gpu": {
                "devices": {
                    "0000:03:00.0": {
                        "busy_percent": 15.0,
                        "memory_percent": 45.0,
                        "temperature_celsius": 51.0,
                        "memory_used_bytes": 900 * 1024**2,
                        "memory_total_bytes": 2000 * 1024**2,
                    }
                }
            },
        },
        {
            "host_name": "web-1.example",
            "os_name": "Debian GNU/Linux 12 (bookworm)",
            "architecture": "x86_64",
        },
    )
    assert told == envelope("monitoring_data", "web-1", data, 1_795_271_425.003)


def test_links() -> None:
    """Every file that is linked is there."""
    for link in re.findall(r"\]\((\.\./[^)]+)\)", TEXT):
        assert (Path(__file__).parents[2] / "docs" / link).exists(), link
