"""What the agent costs: CPU time and memory of a real agent on a real mosquitto, at its defaults."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.mosquitto import Mosquitto, find_mosquitto

AGENT = """
import sys
from fleetglass.agent.agent import run
from fleetglass.agent.settings import AgentSettings
from fleetglass.wire import BrokerAccess, BrokerURL
run(AgentSettings(broker=BrokerAccess(url=BrokerURL.parse(sys.argv[1])), host_id="bench"))
"""
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """What a process has used: CPU seconds since its start, and resident bytes now."""

    cpu_seconds: float
    resident_bytes: int


class Listener:
    """Counts what the agent publishes, and what its collectors say about themselves."""

    def __init__(self, port: int) -> None:
        self.ticks = 0
        self.messages: dict[str, int] = defaultdict(int)
        self.payload_bytes: dict[str, int] = defaultdict(int)
        self.durations: dict[str, list[float]] = defaultdict(list)
        self.counting = False
        self.first_tick = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("fleet/bench/#")
        self._client.loop_start()

    def close(self) -> None:
        """Stop listening."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        leaf = message.topic.removeprefix("fleet/bench/")
        if leaf == "live/collector":
            self.first_tick.set()
        if not self.counting:
            return
        self.messages[leaf] += 1
        self.payload_bytes[leaf] += len(message.payload)
        if leaf == "live/collector":
            self.ticks += 1
            for group, run in json.loads(message.payload)["collectors"].items():
                # A slow collector's last run is repeated until its next turn.
                durations = self.durations[group]
                if not durations or durations[-1] != run["duration_seconds"]:
                    durations.append(run["duration_seconds"])


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long to measure (default: 30)")
    parser.add_argument("--processes", type=int, default=0, help="idle processes to start beside the agent")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args()
    if find_mosquitto() is None:
        sys.exit("bench: needs mosquitto: apt-get install mosquitto")
    idle = [subprocess.Popen(["sleep", "3600"]) for _ in range(arguments.processes)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(Path(folder), arguments.seconds)
    finally:
        for process in idle:
            process.kill()
            process.wait()
    show(figures)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(folder: Path, seconds: float) -> dict[str, Any]:
    """Return the figures of one agent over some seconds, its start not counted."""
    broker = Mosquitto(folder).start()
    listener = Listener(broker.port)
    agent = subprocess.Popen([sys.executable, "-c", AGENT, broker.url])
    try:
        if not listener.first_tick.wait(10):
            sys.exit("bench: the agent published nothing within 10 s")
        before, start = cost_of(agent.pid), time.monotonic()
        listener.counting = True
        time.sleep(seconds)
        listener.counting = False
        after, elapsed = cost_of(agent.pid), time.monotonic() - start
    finally:
        agent.terminate()
        agent.wait(5)
        listener.close()
        broker.kill()
    spent = after.cpu_seconds - before.cpu_seconds
    return {
        "seconds": round(elapsed, 1),
        "processes": sum(name.name.isdigit() for name in Path("/proc").iterdir()),
        "ticks": listener.ticks,
        "cpu_ms_per_tick": round(1000 * spent / listener.ticks, 2),
        "cpu_percent_of_a_core": round(100 * spent / elapsed, 3),
        "resident_mib_at_start": round(before.resident_bytes / 2**20, 1),
        "resident_mib_at_end": round(after.resident_bytes / 2**20, 1),
        "messages_per_tick": round(sum(listener.messages.values()) / listener.ticks, 1),
        "bytes_per_tick": round(sum(listener.payload_bytes.values()) / listener.ticks),
        "collectors": {
            group: {
                "turns": len(durations),
                "mean_ms": round(1000 * sum(durations) / len(durations), 3),
                "longest_ms": round(1000 * max(durations), 3),
            }
            for group, durations in listener.durations.items()
        },
    }


def cost_of(pid: int) -> Cost:
    """Read utime, stime and rss of a process (proc_pid_stat(5), fields 14, 15 and 24)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Cost((int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND, int(fields[21]) * PAGE_BYTES)


def show(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    for name, value in figures.items():
        if name != "collectors":
            print(f"{name.replace('_', ' '):24} {value:>10}")
    print(f"\n{'collector':24} {'turns':>10} {'mean ms':>10} {'longest ms':>10}")
    for group, run in figures["collectors"].items():
        print(f"{group:24} {run['turns']:>10} {run['mean_ms']:>10.3f} {run['longest_ms']:>10.3f}")


if __name__ == "__main__":
    main()
