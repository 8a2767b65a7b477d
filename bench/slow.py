"""Frozen viewers: one in ten stops reading; what the others notice, and what the bridge's memory does."""

import argparse
import time
from pathlib import Path
from typing import Any

from audience import Audience, Watching, audience
from latency import watches
from rig import RunningBridge, Spent, distribution, running_fleet, show, told, write

SETTLING_SECONDS = 5.0
FROZEN_OF = 10
TARGET_MIB = 20.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60, help="before and while frozen, each (default: 60)"
    )
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    rows = measure(options.hosts, options.viewers, options.seconds)
    show(rows)
    print(
        "milliseconds, of those that read on; the history fills in both. "
        f"Target: p99 unchanged, memory beside the history grows by less than {TARGET_MIB:g} MiB"
    )
    write(options.json, rows)


def measure(hosts: int, viewers: int, seconds: float) -> list[dict[str, Any]]:
    """Measure before, and while one in ten is frozen."""
    with (
        running_fleet(hosts) as bridge,
        audience(Audience(bridge.port, watches(hosts, viewers, 10), timed=True)) as watching,
    ):
        time.sleep(SETTLING_SECONDS)
        rows = [_row("before", bridge, watching, seconds)]
        watching.freeze(FROZEN_OF)
        rows.append(_row("frozen", bridge, watching, seconds))
    return rows


def _row(name: str, bridge: RunningBridge, watching: Watching, seconds: float) -> dict[str, Any]:
    watching.ask()
    before, history_before = Spent(bridge=bridge.pid), bridge.health()["history_bytes"]
    begun = Spent(bridge=bridge.pid)
    begun.stop()
    time.sleep(seconds)
    at = before.stop()
    got = watching.ask()
    health = bridge.health()
    return {
        "": name,
        **distribution(got.live_ages),
        "memory +MiB": round(before.resident_mib["bridge"] - begun.resident_mib["bridge"], 1),
        "of which history": round((health["history_bytes"] - history_before) / 2**20, 1),
        "closed as slow": health["viewers_closed_slow"],
        "bridge CPU %": round(before.cpu_ms_per_second["bridge"] / 10, 1),
        **told(at),
    }


if __name__ == "__main__":
    main()
