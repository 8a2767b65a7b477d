"""Whether the agent's memory stays flat: hours of its life in minutes, its broker dying now and then.

A real agent in a process of its own on a real mosquitto. It ticks `--speed` times as often as usual,
and every period in its modules (summary, inventory, slow collectors) is shortened as much.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from crowd import crowd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.mosquitto import Mosquitto, find_mosquitto

SAMPLE_SECONDS = 5.0
BROKER_LIFE_SECONDS = 40.0
BROKER_AWAY_SECONDS = 3.0
SETTLED_AFTER = 0.25  # of the run: caches fill, and the allocator takes what it keeps
AGENT = """
import sys
from fleetglass.agent.agent import run
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess

speed = float(sys.argv[2])
for name, module in list(sys.modules.items()):
    for key, value in list(vars(module).items()) if name.startswith("fleetglass.agent") else ():
        # Shorter ones are deadlines, and whole numbers are for the broker.
        if key.endswith("_SECONDS") and isinstance(value, float) and value >= 5:
            setattr(module, key, value / speed)
        elif getattr(value, "__module__", "") == name and isinstance(getattr(value, "interval", None), float):
            value.interval /= speed
broker = BrokerAccess(url=BrokerURL.parse(sys.argv[1]))
run(AgentSettings(broker=broker, host_id="bench", interval=1 / speed))
"""


class Sample(NamedTuple):
    """The state of the agent at one moment; sizes in KiB."""

    hours: float
    """Of the agent's life."""
    resident: int
    anonymous: int
    threads: int
    open_files: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="of the agent's life (default: 1)")
    parser.add_argument("--speed", type=float, default=20.0, help="how much faster it lives (default: 20)")
    parser.add_argument("--processes", type=int, default=400, help="fill the host up to these (default: 400)")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    if find_mosquitto() is None:
        sys.exit("bench: needs mosquitto: apt-get install mosquitto")
    with tempfile.TemporaryDirectory() as folder, crowd(options.processes):
        figures = measure(Path(folder), options.hours, options.speed)
    print(json.dumps(figures, indent=2))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(folder: Path, hours: float, speed: float) -> dict[str, Any]:
    """Let an agent live for some of its hours, and return how its memory went."""
    broker = Mosquitto(folder).start()
    agent = subprocess.Popen([sys.executable, "-c", AGENT, broker.url, str(speed)])
    try:
        time.sleep(SAMPLE_SECONDS)
        samples, restarts = watch(agent.pid, broker, hours, speed)
        last = last_report(broker.port)
    finally:
        agent.terminate()
        agent.wait(5)
        broker.kill()
    settled = [one for one in samples if one.hours >= SETTLED_AFTER * hours]
    slope, _ = statistics.linear_regression([one.hours for one in settled], [one.resident for one in settled])
    return {
        "hours": round(samples[-1].hours, 2),
        "ticks": last["tick"],
        "broker_restarts": restarts,
        "resident_mib": [round(one.resident / 1024, 2) for one in (samples[0], settled[0], samples[-1])],
        "anonymous_mib": [round(one.anonymous / 1024, 2) for one in (samples[0], settled[0], samples[-1])],
        "settled_slope_kib_per_hour": round(slope, 1),
        "threads": [samples[0].threads, samples[-1].threads],
        "open_files": [samples[0].open_files, samples[-1].open_files],
        "skipped_ticks": last["skipped_ticks"],
    }


def watch(pid: int, broker: Mosquitto, hours: float, speed: float) -> tuple[list[Sample], int]:
    """Sample every few seconds and restart the broker between; return the samples and how many restarts."""
    samples: list[Sample] = []
    restarts = 0
    start = broker_since = time.monotonic()
    while (lived := (time.monotonic() - start) * speed / 3600) < hours:
        samples.append(sample_of(pid, lived))
        if len(samples) % round(60 / SAMPLE_SECONDS) == 1:
            print(
                *(f"{name} {value:.5g}" for name, value in samples[-1]._asdict().items()),
                sep="  ",
                flush=True,
            )
        if time.monotonic() - broker_since > BROKER_LIFE_SECONDS:
            broker.kill()
            time.sleep(BROKER_AWAY_SECONDS)
            broker.start()
            broker_since = time.monotonic()
            restarts += 1
        time.sleep(SAMPLE_SECONDS)
    samples.append(sample_of(pid, lived))
    return samples, restarts


def sample_of(pid: int, hours: float) -> Sample:
    """Read `/proc/<pid>/status` (proc_pid_status(5)) and count what is open."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {
        name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines) if rest.strip()
    }
    return Sample(
        hours=hours,
        resident=int(values["VmRSS"]),
        anonymous=int(values["RssAnon"]),
        threads=int(values["Threads"]),
        open_files=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
    )


def last_report(port: int) -> dict[str, Any]:
    """Return the next message in which the agent tells of itself."""
    reports: list[bytes] = []
    client = Client(CallbackAPIVersion.VERSION2)

    def keep(_client: Client, _userdata: Any, message: MQTTMessage) -> None:
        reports.append(bytes(message.payload))

    client.on_message = keep
    client.connect("127.0.0.1", port)
    client.subscribe("fleet/bench/live/collector")
    until = time.monotonic() + 10
    while not reports:
        if time.monotonic() > until:
            sys.exit("bench: the agent publishes no more")
        client.loop(0.5)
    client.disconnect()
    report: dict[str, Any] = json.loads(reports[0])
    return report


if __name__ == "__main__":
    main()
