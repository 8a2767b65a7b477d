"""How old a sample is when a viewer has received it: mosquitto, one bridge, 200 hosts and 100 viewers.

Each viewer watches ten hosts, with all groups, and the fleet. A sample is stamped right before it is
written to the socket, so that a publisher that comes late delays nothing but the next sample. All clocks
are the same one. What is read is the age of a tick's first message when the frame of the tick is in.
"""

import argparse
import time
from pathlib import Path
from typing import Any

from audience import Audience, audience
from rig import Spent, distribution, running_fleet, show, told, write
from traffic import host_ids

SETTLING_SECONDS = 5.0
TARGET = {"p50": 15, "p99": 60}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30, help="how long to measure (default: 30)")
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument(
        "--watched", type=int, default=10, help="hosts that each viewer watches (default: 10)"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    row = measure(options.hosts, options.viewers, options.watched, options.seconds)
    show([row])
    print(f"milliseconds; target: p50 under {TARGET['p50']}, p99 under {TARGET['p99']}")
    write(options.json, [row], target=TARGET)


def measure(hosts: int, viewers: int, watched: int, seconds: float) -> dict[str, Any]:
    """Measure once."""
    with (
        running_fleet(hosts) as bridge,
        audience(Audience(bridge.port, watches(hosts, viewers, watched), timed=True)) as watching,
    ):
        time.sleep(SETTLING_SECONDS)
        watching.ask()
        spent = Spent(bridge=bridge.pid)
        time.sleep(seconds)
        at = spent.stop()
        got = watching.ask()
    return {
        "hosts": hosts,
        "viewers": viewers,
        **distribution(got.live_ages),
        "bridge CPU %": round(spent.cpu_ms_per_second["bridge"] / 10, 1),
        **told(at),
    }


def watches(hosts: int, viewers: int, watched: int) -> tuple[dict[str, Any], ...]:
    """Return what each viewer watches: the fleet, and some hosts, evenly over the fleet."""
    ids = host_ids(hosts)
    return tuple(
        {"fleet": True, "hosts": {ids[(viewer * 7 + number * 13) % hosts]: "*" for number in range(watched)}}
        for viewer in range(viewers)
    )


if __name__ == "__main__":
    main()
