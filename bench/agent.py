"""What the agent costs beside its peers: CPU time, memory and output, measured over the same seconds.

All run at once, so that what disturbs one disturbs all: the ratios of such a run are to be trusted, also on
a noisy machine. With --one-by-one none disturbs another, but a ratio compares different seconds. CPU time is
what the kernel booked on the process and its children; steal is what the hypervisor gave to others.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cost import Cost, cost_of, machine, process_count
from crowd import crowd
from peers import PEERS, MissingError, Peer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.mosquitto import Mosquitto, find_mosquitto

OWN = "fleetglass"
SETTLING_SECONDS = 25.0  # what is done once: the agent learns in four turns which processes sleep


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one peer."""

    name: str
    delivery: str
    cpu_ms_per_second: float
    percent_of_a_core: float
    resident_mib: float
    proportional_mib: float
    messages_per_second: float
    values_per_second: float
    bytes_per_second: float
    details: dict[str, float]
    """Where the time went, if the peer says: milliseconds per second by part."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the machine was like during one measurement."""

    seconds: float
    processes: int
    busy_percent: float
    steal_percent: float
    load_1m: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to measure (default: 60)")
    parser.add_argument("--processes", type=int, default=400, help="fill the host up to these (default: 400)")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="only these")
    parser.add_argument("--one-by-one", action="store_true", help="not all at once")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    if find_mosquitto() is None:
        sys.exit("bench: needs mosquitto: apt-get install mosquitto")
    rounds = [[name] for name in options.peers] if options.one_by_one else [options.peers]
    rows: list[Row] = []
    circumstances: list[Circumstances] = []
    with tempfile.TemporaryDirectory() as folder, crowd(options.processes):
        broker = Mosquitto(Path(folder)).start()
        try:
            for names in rounds:
                found, at = measure(names, Path(folder), broker.port, options.seconds)
                rows.extend(found)
                circumstances.append(at)
        finally:
            broker.kill()
    if not rows:
        sys.exit("bench: nothing could be measured")
    show(rows, circumstances)
    if options.json is not None:
        figures = {"rows": list(map(asdict, rows)), "circumstances": list(map(asdict, circumstances))}
        options.json.write_text(json.dumps(figures | {"ratios": ratios(rows)}, indent=2) + "\n")


def measure(names: Sequence[str], folder: Path, port: int, seconds: float) -> tuple[list[Row], Circumstances]:
    """Run peers at once for some seconds, their start not counted; those that are missing are named."""
    running: list[Peer] = []
    try:
        for name in names:
            own_folder = folder / name
            own_folder.mkdir()
            peer = PEERS[name](own_folder, port)
            try:
                peer.start()
            except MissingError as reason:
                print(f"skipped {name}: {reason}")
            else:
                running.append(peer)
        time.sleep(SETTLING_SECONDS)
        machine_before, start = machine(), time.monotonic()
        before = [cost_of(peer.pid) for peer in running]
        for peer in running:
            peer.counting = True
        time.sleep(seconds)
        for peer in running:
            peer.counting = False
        after = [cost_of(peer.pid) for peer in running]
        elapsed, machine_after = time.monotonic() - start, machine()
        total = machine_after.total_seconds - machine_before.total_seconds
        stolen = machine_after.steal_seconds - machine_before.steal_seconds
        idle = machine_after.idle_seconds - machine_before.idle_seconds
        at = Circumstances(
            seconds=round(elapsed, 1),
            processes=process_count(),
            busy_percent=round(100 * (total - idle) / total, 1),
            steal_percent=round(100 * stolen / total, 1),
            load_1m=round(os.getloadavg()[0], 2),
        )
    finally:
        for peer in running:
            peer.stop()
    rows = [
        row_of(peer, *costs, elapsed)
        for peer, costs in zip(running, zip(before, after, strict=True), strict=True)
    ]
    return rows, at


def row_of(peer: Peer, before: Cost, after: Cost, elapsed: float) -> Row:
    """Return what a peer cost and gave per second."""
    spent = (after.cpu_seconds - before.cpu_seconds) / elapsed
    output = peer.output()
    return Row(
        name=peer.name,
        delivery=peer.delivery,
        cpu_ms_per_second=round(1000 * spent, 2),
        percent_of_a_core=round(100 * spent, 3),
        resident_mib=round(after.resident_bytes / 2**20, 1),
        proportional_mib=round(after.proportional_bytes / 2**20, 1),
        messages_per_second=round(output.messages / elapsed, 1),
        values_per_second=round(output.values / elapsed),
        bytes_per_second=round(output.payload_bytes / elapsed),
        details={part: round(1000 * spent / elapsed, 3) for part, spent in peer.details().items()},
    )


def ratios(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return Fleetglass's cost divided by that of each other."""
    own = next((row for row in rows if row.name == OWN), None)
    if own is None:
        return {}
    return {
        row.name: {
            "cpu": round(own.cpu_ms_per_second / row.cpu_ms_per_second, 3),
            "resident": round(own.resident_mib / row.resident_mib, 2),
            "cpu_per_value": round(_per_value(own) / _per_value(row), 3),
        }
        for row in rows
        if row is not own
    }


def show(rows: Sequence[Row], circumstances: Sequence[Circumstances]) -> None:
    """Print the figures as tables."""
    for at in circumstances:
        print(
            f"{at.seconds:g} s, {at.processes} processes, load {at.load_1m}, "
            f"machine {at.busy_percent} % busy, {at.steal_percent} % stolen by other virtual machines"
        )
    print(
        f"\n{'':14}{'CPU ms/s':>10}{'% of core':>11}{'RSS MiB':>9}{'PSS MiB':>9}"
        f"{'messages/s':>12}{'values/s':>10}{'bytes/s':>10}  delivery"
    )
    for row in rows:
        print(
            f"{row.name:14}{row.cpu_ms_per_second:>10.2f}{row.percent_of_a_core:>11.3f}{row.resident_mib:>9.1f}"
            f"{row.proportional_mib:>9.1f}{row.messages_per_second:>12.1f}{row.values_per_second:>10.0f}"
            f"{row.bytes_per_second:>10.0f}  {row.delivery}"
        )
    for row in rows:
        if row.details:
            print(f"\n{row.name}, elapsed ms/s by part, as it says itself:")
            print(", ".join(f"{part} {spent:.2f}" for part, spent in row.details.items()))
    print(f"\n{'fleetglass to':14}{'CPU':>10}{'RSS':>11}{'CPU per value':>16}")
    columns = (("cpu", 10), ("resident", 11), ("cpu_per_value", 16))
    for name, one in ratios(rows).items():
        print(f"{name:14}" + "".join(f"{one[key]:>{width}.3g}" for key, width in columns))


def _per_value(row: Row) -> float:
    return row.cpu_ms_per_second / row.values_per_second


if __name__ == "__main__":
    main()
