"""How long `fleetglass enroll` takes, and a revocation until the host's connection is cut."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from cost import cost_of
from fleetglass.mqtt.probe import probe
from rig import show, write
from support.secured_broker import MOSQUITTO_PROGRAMS, Client, SecuredBroker, secured_broker
from support.waiting import wait_for


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=[1, 1000, 10_000], help="hosts enrolled")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    if not MOSQUITTO_PROGRAMS:
        sys.exit("bench: needs mosquitto: apt-get install mosquitto")
    with contextlib.redirect_stdout(sys.stderr):  # what enroll says
        rows = [_enrolled(program, hosts) for program in MOSQUITTO_PROGRAMS for hosts in options.sizes]
    show(rows)
    write(options.json, rows)


def _enrolled(program: str, hosts: int) -> dict[str, Any]:
    """Measure a broker with so many hosts; the last of them is enrolled and revoked by itself."""
    with secured_broker(program) as broker:
        # A list of ten thousand names is longer than some systems take as arguments.
        names = [f"host-{number}" for number in range(hosts - 1)]
        together = sum(_seconds(broker, *names[start : start + 2000]) for start in range(0, len(names), 2000))
        broker.start()
        one_more = _seconds(broker, "last")
        _wait_until_read(broker)
        with Client(broker.host("last")) as client:
            began = time.monotonic()
            with _enroll(broker, "--revoke", "last"):
                wait_for(client.ended.is_set, "the cut", 60)
                cut = time.monotonic() - began
        _wait_until_read(broker)
        before = cost_of(broker.pid).cpu_seconds
        os.kill(broker.pid, signal.SIGHUP)
        _wait_until_read(broker)
        spent = cost_of(broker.pid)
        return {
            "mosquitto": program,
            "hosts": hosts,
            "together s": round(together, 1),
            "one more s": round(one_more, 1),
            "revoked until cut s": round(cut, 1),
            "reload CPU s": round(spent.cpu_seconds - before, 2),
            "resident MiB": round(spent.resident_bytes / 2**20, 1),
            "users MB": round((broker.folder / "users").stat().st_size / 1e6, 1),
            "rules MB": round((broker.folder / "rules").stat().st_size / 1e6, 1),
        }


def _wait_until_read(broker: SecuredBroker) -> None:
    """Wait until mosquitto, which does nothing else meanwhile, has read its files."""
    access = broker.reader("bridge")
    wait_for(lambda: probe(access).outcome == "accepted", "the broker", 60)


def _seconds(broker: SecuredBroker, *words: str) -> float:
    began = time.monotonic()
    with _enroll(broker, *words) as process:
        if process.wait():
            sys.exit("bench: enroll failed")
    return time.monotonic() - began


def _enroll(broker: SecuredBroker, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fleetglass.cli", "enroll", *words, "--folder", str(broker.folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
