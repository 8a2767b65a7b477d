"""`fleetglass gpus`: print the GPUs of a fleet, and who uses them."""

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fleetglass.cli.configuration.arguments import read_option
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.source_choice import add_source_arguments, source_of
from fleetglass.cli.runtime.output import Output
from fleetglass.wire import ContractError, check_host_id
from fleetglass.wire.errors import CommandError, UsageError

if TYPE_CHECKING:
    from fleetglass.client.gpu_survey import Survey

_OF_LINES: Final = ("format", "warning_percent", "critical_percent", "log_level", "log_file")
"""Keys of `watch` that mean nothing where there is one table and no log."""
_OF_RETRIES: Final = ("reconnect_interval", "max_reconnects")
"""Nor do these: it is asked once."""
_MULTIPLES: Final = "kmgt"


@dataclass(frozen=True, slots=True)
class MemorySize:
    """An amount of memory."""

    expected: str = "a size such as 40GB, 512MiB or 1.5T; a number alone is in GB"

    def read(self, value: object) -> int:
        """Return it in bytes."""
        match = re.fullmatch(r"(\d{1,12}(?:\.\d+)?) ?(?:([kmgt])(i?)b?)?", str(value).strip().lower())
        if match is None:
            raise ValueError
        number, multiple, binary = match.groups()
        return int(float(number) * (1024 if binary else 1000) ** (1 + _MULTIPLES.index(multiple or "g")))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="hosts to print (default: the whole fleet)")
    parser.add_argument(
        "--free",
        action="store_true",
        help="only GPUs that nobody uses: less than 5%% busy, less than 5%% of its memory or 1 GiB used; "
        "most free memory first",
    )
    parser.add_argument(
        "--memory", metavar="SIZE", help="only GPUs with at least this much free memory, such as 40GB"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array with an object for each GPU")
    add_source_arguments(parser, without=(*_OF_LINES, *_OF_RETRIES))


def run(arguments: argparse.Namespace) -> int:
    """Print the GPUs that match; return 1 when none does."""
    for host in arguments.hosts:
        try:
            check_host_id(host)
        except ContractError as error:
            raise UsageError(str(error)) from error
    least = 0 if arguments.memory is None else read_option(MemorySize(), arguments.memory, "--memory")
    configuration = read_configuration(vars(arguments))

    from fleetglass.client import ClientError
    from fleetglass.client.formatting.quantities import printable
    from fleetglass.client.gpu_survey import SELECTION, survey
    from fleetglass.client.terminal.gpu_table import as_object, table

    source = source_of(configuration, SELECTION, reconnect=False)
    try:
        found = asyncio.run(survey(source, arguments.hosts))
    except ClientError as error:
        raise CommandError(printable(error)) from error
    gpus = [
        one
        for one in found.gpus
        if (not arguments.free or one.is_free) and (not least or (one.memory_free or 0) >= least)
    ]
    if arguments.free:
        gpus.sort(key=lambda one: -(one.memory_free or 0))
    output = Output()
    if arguments.json:
        output.show(json.dumps([as_object(one) for one in gpus], indent=1))
    elif gpus:
        width = os.get_terminal_size().columns if sys.stdout.isatty() else None
        output.show("\n".join(table(gpus, width or None)))
    for text in _remarks(found, matched=bool(gpus)):
        print(f"fleetglass: {text}", file=sys.stderr, flush=True)
    return 0 if gpus else 1


def _remarks(found: "Survey", *, matched: bool) -> Iterator[str]:
    for host in found.unknown:
        yield f"host {host}: not known, expected one of the fleet"
    if found.away:
        yield "not reachable: " + ", ".join(f"{host} ({state})" for host, state in found.away.items())
    if not matched:
        hosts, gpus = found.hosts, len(found.gpus)
        yield (
            f"no GPU matches: {hosts} host{'s' * (hosts != 1)} "
            f"with {gpus} GPU{'s' * (gpus != 1)} that can be read"
        )
