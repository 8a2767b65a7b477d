"""`fleetglass watch`: print the fleet in the terminal."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from fleetglass.cli.arguments import add_keys, read_option
from fleetglass.cli.configuration import Configuration, read_configuration
from fleetglass.cli.errors import CommandError, UsageError
from fleetglass.cli.kinds import Number
from fleetglass.cli.settings import warn_if_exposed
from fleetglass.wire import ContractError, check_host_id


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="hosts to print (default: the whole fleet)")
    parser.add_argument("--duration", metavar="SECONDS", help="end after that long (default: never)")
    parser.add_argument("--no-color", action="store_true", help="plain text, as with NO_COLOR")
    parser.add_argument(
        "--no-reconnect", action="store_true", help="end when the bridge is away, instead of trying again"
    )
    add_keys(parser, "watch")


def run(arguments: argparse.Namespace) -> int:
    """Print until a signal, or for the duration."""
    duration = None
    if arguments.duration is not None:
        duration = read_option(Number(0.1, 1e8), arguments.duration, "--duration")
    for host in arguments.hosts:
        try:
            check_host_id(host)
        except ContractError as error:
            raise UsageError(str(error)) from error
    configuration = read_configuration(vars(arguments))
    token = _token(configuration)

    from fleetglass.client import DEFAULT_URL, BridgeSource, ClientError  # noqa: PLC0415 - as in agent.py
    from fleetglass.client.terminal import Terminal  # noqa: PLC0415 - as above

    url = configuration.get("url", "watch") or DEFAULT_URL
    colour = not (arguments.no_color or os.environ.get("NO_COLOR")) and sys.stdout.isatty()
    terminal = Terminal(
        arguments.hosts,
        configuration.get("format", "watch") or "simple",
        colour=colour,
        show=lambda line: print(line, flush=True),
        say=lambda line: print(f"fleetglass: {line}", file=sys.stderr, flush=True),
    )
    source = BridgeSource(url, token=token, reconnect=not arguments.no_reconnect)

    async def follow() -> None:
        following = asyncio.current_task()
        assert following is not None  # noqa: S101 - a coroutine that runs is a task's
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows, where Ctrl-C raises instead
                asyncio.get_running_loop().add_signal_handler(number, following.cancel)
        async with asyncio.timeout(duration):
            await terminal.follow(source)

    try:
        asyncio.run(follow())
    except (TimeoutError, asyncio.CancelledError):
        return 0
    except ClientError as error:
        raise CommandError(str(error)) from error
    return 0


def _token(configuration: Configuration) -> str | None:
    named = configuration.get("token_file", "watch")
    if configuration.get("token", "watch") or named is None:
        token: str | None = configuration.get("token", "watch")
        return token
    path = Path(named).expanduser()
    try:
        warn_if_exposed(path, "token_file")
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"token_file: got {named!r}, expected a file that exists and may be read") from error
