"""Whether the bridge's memory stays flat and its log quiet while viewers come and go for half an hour.

The history of the last 15 minutes fills first; what counts is what the rest takes.
"""

import argparse
import time
from pathlib import Path
from typing import Any

from audience import Audience, audience
from cost import cost_of
from latency import watches
from rig import RunningBridge, running_fleet, show, write

ROW_SECONDS = 60.0
EXPECTED = ("viewer ", "serving ", "connected to broker")
"""What the bridge says of viewers that come and go, and at its start."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=30, help="how long (default: 30)")
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with running_fleet(options.hosts) as bridge:
        for minute in range(1, options.minutes + 1):
            # Each minute other viewers: what one leaves behind would add up.
            with audience(Audience(bridge.port, watches(options.hosts, options.viewers, 10))) as watching:
                time.sleep(ROW_SECONDS)
                rows.append({"minute": minute, "frames": watching.ask().frames, **_memory(bridge)})
            print(rows[-1], flush=True)
        unexpected = [line for line in bridge.log.splitlines() if not any(one in line for one in EXPECTED)]
    show(rows)
    print("unexpected lines of the bridge's log:", *(unexpected or ["none"]), sep="\n")
    write(options.json, rows, unexpected=unexpected)


def _memory(bridge: RunningBridge) -> dict[str, Any]:
    health = bridge.health()
    resident = cost_of(bridge.pid).resident_bytes / 2**20
    history = health["history_bytes"] / 2**20
    return {
        "resident MiB": round(resident, 1),
        "history MiB": round(history, 1),
        "rest MiB": round(resident - history, 1),
        "hosts live": health["hosts"].get("live", 0),
    }


if __name__ == "__main__":
    main()
