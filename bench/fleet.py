"""What a fleet costs the bridge, from 10 hosts to thousands, with nobody, one and some of them watched.

Also how long a bridge needs to know a fleet whose status and info wait on the broker.
"""

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from audience import Audience, audience
from rig import Spent, running_bridge, running_broker, show, told, write
from traffic import Traffic, host_ids, retain, traffic

SETTLING_SECONDS = 5.0
TARGET_MICROSECONDS = 40.0
TARGET_START_SECONDS = 5.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15, help="how long to measure each (default: 15)")
    parser.add_argument("--sizes", nargs="*", type=int, default=[10, 100, 500, 1000, 2000, 5000])
    parser.add_argument("--watched", nargs="*", type=int, default=[0, 1, 20])
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    rows, starts = [], []
    for size in options.sizes:
        found, start = measure(size, options.watched, options.seconds)
        rows.extend(found)
        starts.append({"hosts": size, "seconds until all are known": start})
        print(rows[-len(found) :], flush=True)
    show(rows)
    laws = growth(rows)
    for law in laws:
        print(
            f"{law['watched']} watched: CPU ms/s = {law['ms']} + hosts x {law['us per host']} us; "
            f"CPU grows as hosts to the power of {law['exponent']}"
        )
    print(f"target: at most {TARGET_MICROSECONDS:g} us per host and second with nobody watching")
    show(starts)
    print(f"target: under {TARGET_START_SECONDS:g} s for 5000 hosts")
    write(options.json, rows, growth=laws, starts=starts)


def measure(size: int, watched: list[int], seconds: float) -> tuple[list[dict[str, Any]], float]:
    """Measure one size; also return how long the start took."""
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder)) as broker:
        retain(broker.port, size)
        # The live groups of all hosts of a small fleet are kept, which is not asked here.
        with running_bridge(broker, Path(folder), "--history-all-hosts", "0") as bridge:
            begun = bridge.health()["broker"]["since"]
            bridge.wait_for_hosts(size, "waiting")
            start = round(time.time() - begun, 2)
            with traffic(Traffic(broker.port, size, max(watched))):
                bridge.wait_for_hosts(size)
                rows = [
                    {"hosts": size, "watched": number} | _cost(bridge, number, seconds) for number in watched
                ]
    return rows, start


def growth(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fit a line to the cost by hosts, and a power to what is above the cost of no host."""
    laws = []
    for watched in sorted({row["watched"] for row in rows}):
        points = [(row["hosts"], row["CPU ms/s"]) for row in rows if row["watched"] == watched]
        if len(points) < 2:
            continue
        line = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
        large = [(math.log(x), math.log(y)) for x, y in points if x >= 500] or [(0.0, 0.0)]
        exponent = (
            statistics.linear_regression([x for x, _ in large], [y for _, y in large]).slope
            if len(large) > 1
            else math.nan
        )
        laws.append(
            {
                "watched": watched,
                "ms": round(line.intercept, 2),
                "us per host": round(1000 * line.slope, 1),
                "exponent": round(exponent, 2),
            }
        )
    return laws


def _cost(bridge: Any, watched: int, seconds: float) -> dict[str, Any]:
    watch = {"fleet": False, "hosts": dict.fromkeys(host_ids(watched), "*")}
    with audience(Audience(bridge.port, (watch,) if watched else ())):
        time.sleep(SETTLING_SECONDS)
        hosts = sum(bridge.health()["hosts"].values())
        received = bridge.health()["messages_received"]
        spent = Spent(bridge=bridge.pid)
        time.sleep(seconds)
        at = spent.stop()
        received = bridge.health()["messages_received"] - received
    milliseconds = spent.cpu_ms_per_second["bridge"]
    return {
        "CPU ms/s": milliseconds,
        "us per host": round(1000 * milliseconds / hosts, 1),
        "messages/s": round(received / at.seconds),
        "RSS MiB": spent.resident_mib["bridge"],
    } | told(at)


if __name__ == "__main__":
    main()
