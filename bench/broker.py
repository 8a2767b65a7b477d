"""What hosts cost a mosquitto, each with a connection of its own; and what a real agent sends."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from rig import Spent, running_bridge, running_broker, show, told, write
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.programs import Fleetglass
from support.waiting import wait_for

SETTLING_SECONDS = 10.0
CONNECTS = 500
_SIMULATE = """
import sys
from fleetglass.cli.main import main
from fleetglass.cli.simulator import fleet
fleet.MAX_CONNECTIONS = 10_000
sys.exit(main(["simulate", "--hosts", sys.argv[1], "--broker", sys.argv[2]]))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30, help="how long to measure each (default: 30)")
    parser.add_argument("--sizes", nargs="*", type=int, default=[10, 100, 300, 1000])
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        for bridged in (False, True):
            rows.append(_cost(size, options.seconds, bridged=bridged))
            print(rows[-1], flush=True)
    show(rows)
    leaves = _leaves(options.seconds)
    show(leaves)
    connects = [_connects(), _connects(tls=True)]
    show(connects)
    write(options.json, rows, leaves=leaves, connects=connects)


def _cost(hosts: int, seconds: float, *, bridged: bool) -> dict[str, Any]:
    """Measure a broker with so many hosts, and with a bridge that nobody looks at or without."""
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder), "sys_interval 1") as broker:
        if not bridged:
            return _measured(broker, hosts, seconds) | {"bridge": "no"}
        with running_bridge(broker, Path(folder), "--history-all-hosts", "0"):
            return _measured(broker, hosts, seconds) | {"bridge": "yes"}


def _measured(broker: Mosquitto, hosts: int, seconds: float) -> dict[str, Any]:
    with _simulated(broker, hosts), _totals(broker) as totals:
        wait_for(lambda: totals.get("clients/connected", 0) >= hosts, f"{hosts} connections", 60)
        time.sleep(SETTLING_SECONDS)
        spent, before = Spent(broker=broker.pid), dict(totals)
        time.sleep(seconds)
        at = spent.stop()
        grown = {name: (value - before[name]) / at.seconds for name, value in totals.items()}
    milliseconds = spent.cpu_ms_per_second["broker"]
    return {
        "hosts": hosts,
        "CPU ms/s": milliseconds,
        "us per host": round(1000 * milliseconds / hosts, 1),
        "messages in/s": round(grown["publish/messages/received"]),
        "messages out/s": round(grown["publish/messages/sent"]),
        "kB in/s": round(grown["bytes/received"] / 1000, 1),
        "RSS MiB": spent.resident_mib["broker"],
    } | told(at)


@contextmanager
def _simulated(broker: Mosquitto, hosts: int) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", _SIMULATE, str(hosts), broker.url], stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def _totals(broker: Mosquitto) -> Iterator[dict[str, float]]:
    """Give what the broker says of itself every second."""
    found: dict[str, float] = {}
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("$SYS/broker/#")

    def take(_: Client, __: Any, message: Any) -> None:
        name = message.topic.removeprefix("$SYS/broker/")
        if name in (
            "clients/connected",
            "publish/messages/received",
            "publish/messages/sent",
            "bytes/received",
        ):
            found[name] = float(message.payload)

    client.on_message = take
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        yield found
    finally:
        client.disconnect()
        client.loop_stop()


def _connects(*, tls: bool = False) -> dict[str, Any]:
    """Measure what it costs a broker to let one client in and out again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder)
        certificate, key = authority.issue("broker")
        lines = (f"certfile {certificate}", f"keyfile {key}", "user root") if tls else ()
        with running_broker(folder, *lines) as broker:
            url = BrokerURL("127.0.0.1", broker.port, tls=tls)
            access = BrokerAccess(url=url, ca_file=str(authority.own.certificate) if tls else None)
            spent = Spent(broker=broker.pid)
            for _ in range(CONNECTS):
                if (answer := probe(access)).outcome != "accepted":
                    sys.exit(f"bench: the broker lets nobody in: {answer.reason}")
            at = spent.stop()
    milliseconds = spent.cpu_ms_per_second["broker"] * at.seconds / CONNECTS
    return {"TLS": tls, "CPU ms per connection": round(milliseconds, 3)} | told(at)


def _leaves(seconds: float) -> list[dict[str, Any]]:
    """Return what a real agent publishes: messages and bytes of topic and payload a second, by leaf."""
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder)) as broker:
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda client, *_: client.subscribe("fleet/#")

        def take(_: Client, __: Any, message: Any) -> None:
            leaf = message.topic.split("/")[2]
            count[leaf] += 1
            size[leaf] += len(message.topic) + len(message.payload)

        client.on_message = take
        with Fleetglass("agent", "--broker", broker.url, "--host-id", "web-1", home=Path(folder)):
            time.sleep(SETTLING_SECONDS)
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            time.sleep(seconds)
            client.disconnect()
            client.loop_stop()
    return [
        {
            "leaf": leaf,
            "messages/s": round(count[leaf] / seconds, 2),
            "bytes/s": round(size[leaf] / seconds),
            "bytes each": round(size[leaf] / count[leaf]),
        }
        for leaf in sorted(count)
    ]


if __name__ == "__main__":
    main()
