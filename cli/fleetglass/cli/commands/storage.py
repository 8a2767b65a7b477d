"""`fleetglass storage`: ask the disks of this machine for their health."""

import argparse
import sys
import time
from pathlib import Path

import msgspec

from fleetglass.agent.readings.storage.smartctl import DiskReader
from fleetglass.agent.readings.storage.storage_report import StorageReport, read_report, write_report
from fleetglass.agent.selection import DEFAULT_DISKS, selection_of
from fleetglass.wire.errors import CollectionError, CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command. It reads no configuration and no variables: it runs as root."""
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write a report for an agent that may not read disks itself, instead of printing it",
    )
    for word in ("exclude", "include"):
        parser.add_argument(
            f"--{word}-disk",
            metavar="PATTERN",
            action="append",
            help=f"pattern of disks to {'leave out' if word == 'exclude' else 'read; others are left out'}",
        )


def run(arguments: argparse.Namespace) -> int:
    """Read every disk that does not sleep, once."""
    selection = selection_of(arguments.include_disk, arguments.exclude_disk, DEFAULT_DISKS)
    reader = DiskReader(selection=selection)
    output = Path(arguments.output) if arguments.output is not None else None
    if output is not None:
        _restore(reader, output)
        _write(reader, output)  # an agent that starts now knows by it that it need not ask the disks
    while True:
        reading = reader.read()
        if output is not None:
            _write(reader, output)  # after each turn: a disk that hangs does not keep back the others
        if reader.is_done:
            break
    if output is None:
        print(msgspec.json.format(msgspec.json.encode(reading.disks)).decode())
    for problem in reading.problems:
        print(f"fleetglass: {problem}", file=sys.stderr)
    return 0


def _restore(reader: DiskReader, output: Path) -> None:
    """Take over the values of disks that sleep now."""
    try:
        before = read_report(output)
    except CollectionError as error:
        print(f"fleetglass: {error}; it is replaced", file=sys.stderr)
        return
    if before is not None:
        reader.restore(before.disks, before.identities, before.left_over)


def _write(reader: DiskReader, output: Path) -> None:
    reading = reader.last()
    report = StorageReport(
        time=round(time.time(), 3),
        disks=reading.disks,
        problems=reading.problems,
        identities=reader.identities(),
        left_over=reader.left_over(),
    )
    try:
        write_report(report, output)
    except OSError as error:
        raise CommandError(f"storage: cannot write {output}: {error.strerror}") from error
