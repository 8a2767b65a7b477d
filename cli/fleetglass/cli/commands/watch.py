"""`fleetglass watch`: print the fleet in the terminal."""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fleetglass.cli.configuration.arguments import read_option
from fleetglass.cli.configuration.file import Configuration, read_configuration
from fleetglass.cli.configuration.source_choice import add_source_arguments, source_of
from fleetglass.cli.configuration.values import Number
from fleetglass.cli.runtime.log import start_log
from fleetglass.cli.runtime.output import Output
from fleetglass.wire import ContractError, check_host_id
from fleetglass.wire.errors import CommandError, UsageError

if TYPE_CHECKING:
    from fleetglass.client.formatting.formatters import Formatter

MAX_HISTORY_SIZE: Final = 1000
MANY_RECONNECTS: Final = 3

_SECONDS: Final = Number(0.1, 1e8)

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="hosts to print (default: the whole fleet)")
    parser.add_argument("--duration", "-d", metavar="SECONDS", help="stop after this time (default: never)")
    parser.add_argument("--stats", "-s", action="store_true", help="print statistics at the end")
    parser.add_argument(
        "--stats-every",
        metavar="SECONDS",
        help="print statistics this often, and warn after many reconnects",
    )
    parser.add_argument(
        "--history",
        action="store_true",
        help=f"keep {MAX_HISTORY_SIZE} messages, and print each host's mean and highest use at the end",
    )
    parser.add_argument(
        "--save-data",
        metavar="FILE",
        help="append all data to this file, as one JSON object per line; "
        "it is renamed at 10 MiB, and five older ones are kept",
    )
    parser.add_argument("--json-lines", action="store_true", help="print JSON, one message per line")
    parser.add_argument("--no-color", action="store_true", help="plain text, as with NO_COLOR")
    parser.add_argument(
        "--no-reconnect",
        action="store_true",
        help="exit if the other side cannot be reached, instead of trying again",
    )
    parser.add_argument("--verbose", "-v", action="store_true", help="set the log level to debug")
    add_source_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print until a signal, or for the duration; then what else was asked for."""
    duration, every = (
        None if text is None else read_option(_SECONDS, text, option)
        for text, option in ((arguments.duration, "--duration"), (arguments.stats_every, "--stats-every"))
    )
    for host in arguments.hosts:
        try:
            check_host_id(host)
        except ContractError as error:
            raise UsageError(str(error)) from error
    configuration = read_configuration(vars(arguments))
    say = _start_log(configuration, verbose=arguments.verbose)

    from fleetglass.client import ClientError
    from fleetglass.client.formatting.quantities import printable
    from fleetglass.client.statistics import ConnectionState, Statistics
    from fleetglass.client.terminal.watch import Terminal

    source = source_of(configuration, reconnect=not arguments.no_reconnect)
    statistics = Statistics(getattr(source, "traffic", None))
    formatter = _formatter(configuration, arguments)
    history: deque[Mapping[str, Any]] = deque(maxlen=MAX_HISTORY_SIZE if arguments.history else 0)
    output = Output()

    def report() -> None:
        output.show(formatter.format_statistics(statistics.as_dict()))
        reconnects = statistics.as_dict()["reconnect_attempts"]
        if reconnects > MANY_RECONNECTS:
            say(f"unstable connection: {reconnects} reconnects so far")

    failure: CommandError | None = None
    with _saved(arguments.save_data) as save:

        def keep(message: Mapping[str, Any]) -> None:
            history.append(message)
            save(message)

        terminal = Terminal(arguments.hosts, formatter, statistics, show=output.show, say=say, keep=keep)
        try:
            asyncio.run(_follow(terminal.follow(source), output, duration, every, report))
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            if sys.stdout.isatty():
                output.show("")  # after the ^C that it shows
        except CommandError as error:
            failure = error
        except ClientError as error:
            statistics.failed(str(error), type(error).__name__)
            statistics.enter(ConnectionState.ERROR)
            failure = CommandError(printable(error))
    if arguments.history:
        output.show(formatter.format_history(history))
    if arguments.stats:
        report()
    if failure:
        raise failure
    return 0


def _start_log(configuration: Configuration, *, verbose: bool) -> Callable[[str], None]:
    file = configuration.get("log_file", "watch")
    usual = "info" if file else "warning"
    level = "debug" if verbose else configuration.get("log_level", "watch") or usual
    try:
        start_log("watch", level, file)
    except OSError as error:
        raise UsageError(f"log_file: {error.strerror}, expected a file to write to (got {file!r})") from error

    def say(text: str) -> None:
        print(f"fleetglass: {text}", file=sys.stderr, flush=True)
        if file:
            _log.warning("%s", text)

    return say


def _formatter(configuration: Configuration, arguments: argparse.Namespace) -> "Formatter":
    from fleetglass.client.formatting.formatters import JSONFormatter, formatter

    if arguments.json_lines:
        return JSONFormatter(indent=None)
    names = ("warning_percent", "critical_percent")
    said = {name: value for name in names if (value := configuration.get(name, "watch")) is not None}
    made = formatter(
        configuration.get("format", "watch") or "simple",
        color=_is_colourful() and not arguments.no_color,
        show_host=len(arguments.hosts) != 1,
        **said,
    )
    if made.warning_percent > made.critical_percent:
        raise UsageError(
            f"warning_percent: got {made.warning_percent:g}, expected at most "
            f"critical_percent, {made.critical_percent:g}"
        )
    return made


def _is_colourful() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


@contextlib.contextmanager
def _saved(path: str | None) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give what appends a message to a file; without one it does nothing."""
    if path is None:
        yield lambda _message: None
        return

    from fleetglass.client.compat.rotating_file import RotatingFile

    try:
        file = RotatingFile(path)
    except OSError as error:
        raise UsageError(
            f"--save-data: {error.strerror}, expected a file to write to (got {path!r})"
        ) from error

    def save(message: Mapping[str, Any]) -> None:
        try:
            file.write_json(message)
        except OSError as error:
            raise CommandError(f"--save-data: {error.strerror} ({path})") from error

    with file:
        yield save


async def _follow(
    following: Coroutine[Any, Any, None],
    output: Output,
    duration: float | None,
    every: float | None,
    report: Callable[[], None],
) -> None:
    from fleetglass.mqtt.daemon_executor import DaemonExecutor

    asyncio.get_running_loop().set_default_executor(
        DaemonExecutor()
    )  # the end does not wait for name servers
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs is a task's
    output.end_at_signals(task)
    reporting = asyncio.create_task(_repeat(report, every), name="statistics") if every else None
    try:
        async with asyncio.timeout(duration):
            await following
    finally:
        if reporting:
            reporting.cancel()
            with contextlib.suppress(asyncio.CancelledError, BrokenPipeError):
                await reporting


async def _repeat(report: Callable[[], None], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        report()
