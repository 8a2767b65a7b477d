"""`fleetglass top`: the fleet in the whole terminal."""

import argparse
import asyncio
import importlib.util
import os
import sys
from typing import Final

from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.source_choice import add_source_arguments, source_of
from fleetglass.wire import ContractError, check_host_id
from fleetglass.wire.errors import CommandError, UsageError

_OF_LINES: Final = ("format", "warning_percent", "critical_percent", "log_level", "log_file")
"""Keys of `watch` that mean nothing where there are no lines and no log."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("host", metavar="HOST", nargs="?", help="host to open (default: the whole fleet)")
    add_source_arguments(parser, without=_OF_LINES)


def run(arguments: argparse.Namespace) -> int:
    """Show the fleet until somebody quits."""
    if arguments.host is not None:
        try:
            check_host_id(arguments.host)
        except ContractError as error:
            raise UsageError(str(error)) from error
    configuration = read_configuration(vars(arguments))
    if importlib.util.find_spec("textual") is None:
        raise CommandError(f'top: needs the package textual: {sys.executable} -m pip install "textual>=8,<9"')
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on stderr
        raise UsageError("top: got no terminal, expected one; fleetglass watch prints lines")

    if all(os.get_terminal_size(sys.stderr.fileno())):
        # Exported by `resize` and others, they would hide every later size from Textual.
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)

    from fleetglass.client import ClientError
    from fleetglass.client.terminal.top.app import run_top  # needs the extra

    try:
        asyncio.run(run_top(source_of(configuration), arguments.host))
    except ClientError as error:
        raise CommandError(str(error)) from error
    return 0
