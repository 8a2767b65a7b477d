"""`fleetglass top`: the fleet in the whole terminal."""

import argparse
import asyncio
import importlib.util
import sys
from pathlib import Path

from fleetglass.cli.arguments import add_keys
from fleetglass.cli.configuration import Configuration, read_configuration
from fleetglass.cli.errors import CommandError, UsageError
from fleetglass.cli.settings import warn_if_exposed
from fleetglass.wire import ContractError, check_host_id


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("host", metavar="HOST", nargs="?", help="host to open (default: the whole fleet)")
    add_keys(parser, "top")


def run(arguments: argparse.Namespace) -> int:
    """Show the fleet until somebody quits."""
    if arguments.host is not None:
        try:
            check_host_id(arguments.host)
        except ContractError as error:
            raise UsageError(str(error)) from error
    configuration = read_configuration(vars(arguments))
    token = _token(configuration)
    if importlib.util.find_spec("textual") is None:
        raise CommandError('top: needs the extra "tui": pip install "fleetglass[tui]"')
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on stderr
        raise UsageError("top: got no terminal, expected one; fleetglass watch prints lines")

    from fleetglass.client import DEFAULT_URL, BridgeSource, ClientError  # noqa: PLC0415 - as in agent.py
    from fleetglass.client.top.app import run_top  # noqa: PLC0415 - as above, and needs the extra

    source = BridgeSource(configuration.get("url", "top") or DEFAULT_URL, token=token)
    try:
        asyncio.run(run_top(source, arguments.host))
    except ClientError as error:
        raise CommandError(str(error)) from error
    return 0


def _token(configuration: Configuration) -> str | None:
    named = configuration.get("token_file", "top")
    if configuration.get("token", "top") or named is None:
        token: str | None = configuration.get("token", "top")
        return token
    path = Path(named).expanduser()
    try:
        warn_if_exposed(path, "token_file")
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"token_file: got {named!r}, expected a file that exists and may be read") from error
