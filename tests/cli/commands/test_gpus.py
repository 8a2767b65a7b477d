import json
import subprocess
from collections.abc import Callable

import pytest

from fleetglass.cli.commands.gpus import MemorySize
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("40GB", 40 * 10**9),
        ("40", 40 * 10**9),
        ("40g", 40 * 10**9),
        ("1.5 TiB", 3 * 2**39),
        ("512MiB", 2**29),
        ("0", 0),
    ],
)
def test_sizes(text: str, size: int) -> None:
    """A unit of makers counts in thousands, one with an i in 1024; without any it is GB."""
    assert MemorySize().read(text) == size


@pytest.mark.parametrize("text", ["", "GB", "40 apples", "-1", "1e9", "40GBi", "nan", "512B", "9" * 400])
def test_other_sizes_are_refused(text: str, run: Run) -> None:
    """One line says what is expected, with exit code 2."""
    ended = run("gpus", f"--memory={text}")
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"fleetglass: --memory: got {text!r}"[:60])
    assert "expected a size such as 40GB" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.broker
def test_gpus_of_a_fleet(run: Run, fleet_url: Callable[[int], str]) -> None:
    """Through a bridge: the GPUs of a host, those with enough memory, and 1 where none matches."""
    url = fleet_url(8)
    host = wait_for(lambda: (one := run("gpus", "--url", url, "sim-0003")).returncode == 0 and one, "GPUs")
    assert host is not False
    lines = host.stdout.splitlines()
    assert lines[0].split() == ["HOST", "GPU", "MODEL", "USED", "TOTAL", "FREE", "BUSY", "TEMP", "USERS"]
    assert [line.split()[:2] for line in lines[1:]] == [["sim-0003", str(number)] for number in range(4)]
    assert "\x1b" not in host.stdout

    found = json.loads(run("gpus", "--url", url, "--free", "--memory", "40GB", "--json").stdout)
    assert {one["host"] for one in found} == {"sim-0003", "sim-0008"}
    assert all(one["free"] and one["memory_free_bytes"] >= 40e9 for one in found)

    none = run("gpus", "--url", url, "--memory", "90GB", "--json")
    assert (none.returncode, json.loads(none.stdout)) == (1, [])
    assert none.stderr == "fleetglass: no GPU matches: 8 hosts with 8 GPUs that can be read\n"
    without = run("gpus", "--url", url, "sim-0001")
    assert without.stderr == "fleetglass: no GPU matches: 1 host with 0 GPUs that can be read\n"
    unknown = run("gpus", "--url", url, "sim-0001", "nope")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "fleetglass: host nope: not known, expected one of the fleet\n" in unknown.stderr


@pytest.mark.broker
def test_gpus_straight_from_a_broker(run: Run, start: Callable[..., object], mosquitto: Mosquitto) -> None:
    """Without a bridge the same table comes from the broker, whatever happened before."""
    prefix = "gpus-straight"
    start("simulate", "--hosts", "3", "--broker", mosquitto.url, "--prefix", prefix)

    def asked() -> subprocess.CompletedProcess[str] | None:
        ended = run("gpus", "--broker", mosquitto.url, "--prefix", prefix)
        return ended if ended.returncode == 0 else None

    ended = wait_for(asked, "GPUs")
    assert ended is not None
    assert [line.split()[0] for line in ended.stdout.splitlines()[1:]] == ["sim-0003"] * 4
    assert ended.stderr == ""


def test_nobody_answers(run: Run) -> None:
    """Without a bridge or a broker one line says so."""
    port = free_port()
    for source in (("--url", f"ws://127.0.0.1:{port}/ws"), ("--broker", f"mqtt://127.0.0.1:{port}")):
        ended = run("gpus", *source)
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
        assert str(port) in ended.stderr
    assert run("gpus", "a/b").returncode == 2
