"""What one viewer of one host costs the bridge, beside mosquitto's own WebSocket listener.

Both deliver the same topics of the same hosts to as many subscribers, at the same time and from equal
traffic. Of mosquitto counts what it costs beyond taking the messages in; of the bridge counts all.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from audience import Audience, audience
from rig import Spent, running_bridge, running_broker, show, told, write
from support.ports import free_port
from traffic import Traffic, host_ids, traffic

SETTLING_SECONDS = 4.0
TARGET = 0.25


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20, help="how long to measure each (default: 20)")
    parser.add_argument(
        "--sizes",
        nargs="*",
        default=["1x10", "10x10", "50x10", "100x10"],
        help="viewers x hosts, such as 50x10",
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        viewers, hosts = map(int, size.split("x"))
        for compressed in (False, True):
            rows.append(measure(viewers, hosts, options.seconds, compressed=compressed))
            print(rows[-1], flush=True)
    show(rows)
    print(f"ratio: CPU of the bridge to that of mosquitto; target: at most {TARGET}")
    write(options.json, rows, target=TARGET)


def measure(viewers: int, hosts: int, seconds: float, *, compressed: bool) -> dict[str, Any]:
    """Measure one number of viewers and hosts."""
    ids = host_ids(hosts)
    watch = {"fleet": True, "hosts": dict.fromkeys(ids, "*")}
    filters = ["fleet/+/pulse", *(f"fleet/{host}/live/#" for host in ids)]
    web_port = free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        home = Path(folder)
        fed = running.enter_context(running_broker(home))
        alone = running.enter_context(
            running_broker(home, f"listener {web_port} 127.0.0.1", "protocol websockets")
        )
        more = ("--compress",) if compressed else ()
        bridge = running.enter_context(running_bridge(fed, home, *more))
        running.enter_context(traffic(*(Traffic(broker.port, hosts, hosts) for broker in (fed, alone))))
        bridge.wait_for_hosts(hosts)
        time.sleep(SETTLING_SECONDS)
        idle = Spent(bridge=bridge.pid, mosquitto=alone.pid)
        time.sleep(seconds / 2)
        idle.stop()
        own = running.enter_context(
            audience(Audience(bridge.port, (watch,) * viewers, compressed=compressed))
        )
        peer = running.enter_context(audience(Audience(web_port, (filters,) * viewers)))
        time.sleep(SETTLING_SECONDS)
        spent = Spent(bridge=bridge.pid, mosquitto=alone.pid)
        own.ask(), peer.ask()
        time.sleep(seconds)
        at = spent.stop()
        got, peer_got = own.ask(), peer.ask()
    pairs = viewers * hosts
    before, busy = idle.cpu_ms_per_second, spent.cpu_ms_per_second
    bridge_cost = 1000 * busy["bridge"] / pairs
    peer_cost = 1000 * (busy["mosquitto"] - before["mosquitto"]) / pairs
    return {
        "viewers": viewers,
        "hosts": hosts,
        "compressed": compressed,
        "bridge us": round(bridge_cost, 1),
        "of which for viewers": round(1000 * (busy["bridge"] - before["bridge"]) / pairs, 1),
        "mosquitto us": round(peer_cost, 1),
        "ratio": round(bridge_cost / peer_cost, 3),
        "bridge B": round(got.data_bytes / at.seconds / pairs),
        "mosquitto B": round(peer_got.data_bytes / at.seconds / pairs),
        "bridge frames/s": round(got.frames / at.seconds / viewers, 1),
        "mosquitto frames/s": round(peer_got.frames / at.seconds / viewers, 1),
    } | told(at)


if __name__ == "__main__":
    main()
