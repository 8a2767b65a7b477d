"""What `fleetglass watch` costs in each format, of a simulated fleet at one message a host and second.

CPU time is that of its own process, read from the system; its output goes to a file.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rig import Spent, running_bridge, running_broker, show, told, write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.programs import Fleetglass
from support.waiting import wait_for

TARGET_PERCENT = 30.0
TARGET_FORMAT = "compact"
SETTLING_SECONDS = 3.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15, help="how long to measure each (default: 15)")
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--formats", nargs="*", default=["compact", "simple", "detailed", "json"])
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder)) as broker:
        simulate = Fleetglass(
            "simulate", "--hosts", str(options.hosts), "--broker", broker.url, home=Path(folder)
        )
        with running_bridge(broker, Path(folder)) as bridge, simulate:
            bridge.wait_for_hosts(options.hosts)
            rows = [measure(bridge.port, one, options.seconds, Path(folder)) for one in options.formats]
            data = Path(folder) / "data.jsonl"
            rows.append(
                measure(bridge.port, "compact", options.seconds, Path(folder), "--save-data", str(data))
            )
    show(rows)
    print(f"target: {TARGET_FORMAT} under {TARGET_PERCENT:g} % of a core for 500 hosts")
    write(options.json, rows)


def measure(port: int, style: str, seconds: float, home: Path, *more: str) -> dict[str, Any]:
    """Measure one format."""
    watch = Fleetglass("watch", "--url", f"ws://127.0.0.1:{port}/ws", "--format", style, *more, home=home)
    with watch:
        wait_for(lambda: len(watch.output) > 0, "output")
        time.sleep(SETTLING_SECONDS)
        before = watch.output.count("\n")
        spent = Spent(watch=watch.pid)
        time.sleep(seconds)
        at = spent.stop()
        lines = watch.output.count("\n") - before
    return {
        "format": " ".join([style, *more[:1]]),
        "CPU %": round(spent.cpu_ms_per_second["watch"] / 10, 1),
        "lines/s": round(lines / at.seconds),
        "RSS MiB": spent.resident_mib["watch"],
    } | told(at)


if __name__ == "__main__":
    main()
