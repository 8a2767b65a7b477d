"""A broker and a bridge as processes of their own, measured from outside."""

import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cost import Cost, cost_of, machine
from traffic import Traffic, traffic

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.mosquitto import Mosquitto, find_mosquitto
from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.waiting import wait_for


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the machine was like during one measurement."""

    seconds: float
    busy_percent: float
    steal_percent: float
    load_1m: float


class Spent:
    """What processes cost between two moments."""

    def __init__(self, **pids: int) -> None:
        self._pids = pids
        self._started = time.monotonic()
        self._machine = machine()
        self._before = self._read()
        self.cpu_ms_per_second: dict[str, float] = {}
        self.resident_mib: dict[str, float] = {}

    def stop(self) -> Circumstances:
        """Fill in the figures and return what the machine was like."""
        after, now = self._read(), machine()
        seconds = time.monotonic() - self._started
        for name, cost in after.items():
            spent = cost.cpu_seconds - self._before[name].cpu_seconds
            self.cpu_ms_per_second[name] = round(1000 * spent / seconds, 2)
            self.resident_mib[name] = round(cost.resident_bytes / 2**20, 1)
        total = now.total_seconds - self._machine.total_seconds
        idle = now.idle_seconds - self._machine.idle_seconds
        stolen = now.steal_seconds - self._machine.steal_seconds
        return Circumstances(
            seconds=round(seconds, 1),
            busy_percent=round(100 * (total - idle) / total, 1),
            steal_percent=round(100 * stolen / total, 1),
            load_1m=round(os.getloadavg()[0], 2),
        )

    def _read(self) -> dict[str, Cost]:
        return {name: cost_of(pid) for name, pid in self._pids.items()}


class RunningBridge:
    """A bridge process."""

    def __init__(self, program: Fleetglass, port: int) -> None:
        self.port = port
        self.pid = program.pid
        self._program = program

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._program.output

    def health(self) -> dict[str, Any]:
        """Return what `/healthz` says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=30) as response:
            health: dict[str, Any] = json.load(response)
            return health

    def wait_for_hosts(self, count: int, state: str = "live") -> None:
        """Wait until it knows so many hosts in a state."""
        wait_for(lambda: self.health()["hosts"].get(state, 0) >= count, f"{count} hosts {state}", 60)


@contextlib.contextmanager
def running_bridge(broker: Mosquitto, home: Path, *arguments: str) -> Iterator[RunningBridge]:
    """Run a bridge until the block is left; ready when it has its subscriptions."""
    port = free_port()
    with Fleetglass("bridge", "--broker", broker.url, "--port", str(port), *arguments, home=home) as program:
        wait_for_page(port)
        bridge = RunningBridge(program, port)
        wait_for(lambda: bridge.health()["broker"]["state"] == "connected", "the bridge is connected")
        yield bridge


@contextlib.contextmanager
def running_broker(home: Path, *more: str) -> Iterator[Mosquitto]:
    """Run a mosquitto until the block is left; `more` are lines of its configuration."""
    if find_mosquitto() is None:
        sys.exit("bench: needs mosquitto: apt-get install mosquitto")
    broker = Mosquitto(home, *more).start()
    try:
        yield broker
    finally:
        broker.kill()


@contextlib.contextmanager
def running_fleet(hosts: int) -> Iterator[RunningBridge]:
    """Run a broker, a bridge and so many hosts with all groups; ready when the bridge has them live."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_broker(Path(folder)) as broker,
        running_bridge(broker, Path(folder)) as bridge,
        traffic(Traffic(broker.port, hosts, hosts)),
    ):
        bridge.wait_for_hosts(hosts)
        yield bridge


def distribution(ages: Sequence[float]) -> dict[str, float]:
    """Return the milliseconds within which so many percent came."""
    if len(ages) < 2:
        return {"frames": len(ages)}
    cuts = statistics.quantiles(ages, n=1000, method="inclusive")
    at = {"p50": cuts[499], "p95": cuts[949], "p99": cuts[989], "p999": cuts[998], "max": max(ages)}
    return {"frames": len(ages)} | {name: round(1000 * age, 2) for name, age in at.items()}


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of equal keys as a table."""
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    print("  ".join(f"{key:>{width}}" for key, width in widths.items()))
    for row in rows:
        print("  ".join(f"{row[key]!s:>{width}}" for key, width in widths.items()))


def write(path: Path | None, rows: Sequence[dict[str, Any]], **more: Any) -> None:
    """Write figures and the machine they are of as JSON, if a file is named."""
    if path is not None:
        model = next(
            (
                line.partition(": ")[2]
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if "model name" in line
            ),
            "unknown",
        )
        about = {"machine": {"processor": model, "cores": os.cpu_count(), "python": sys.version.split()[0]}}
        path.write_text(json.dumps(about | {"rows": list(rows)} | more, indent=2) + "\n")


def told(at: Circumstances) -> dict[str, float]:
    """Return the circumstances as columns."""
    return {
        "busy %": at.busy_percent,
        "steal %": at.steal_percent,
        "load": at.load_1m,
        "seconds": at.seconds,
    }
