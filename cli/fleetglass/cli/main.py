"""The `fleetglass` command: finds the subcommand, runs it, and turns every error into one line."""

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final

from fleetglass.cli.configuration.arguments import Parser
from fleetglass.wire.errors import CommandError, UsageError
from fleetglass.wire.version import VERSION

COMMANDS: Final = {
    "up": "run broker, agent and bridge together, and show this machine",
    "agent": "sample this host and publish its metrics",
    "bridge": "serve the page and the stream of a fleet",
    "watch": "print the fleet in the terminal",
    "top": "show the fleet in a full-screen terminal",
    "gpus": "print the GPUs of a fleet and who uses them",
    "simulate": "publish synthetic hosts",
    "record": "record everything that hosts publish in a file",
    "replay": "publish a recording again",
    "forget": "remove hosts that are gone from the broker",
    "enroll": "set up a secured broker, and a credential for each host",
    "storage": "ask the disks of this machine for their health, as root",
    "service": "run the agent or the bridge under systemd",
    "doctor": "check configuration, broker and page, and print remedies",
}
"""Each is a module of `commands`, loaded only when it is asked for."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed at run time, 2 wrong usage."""
    words = sys.argv[1:] if argv is None else list(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _run(words)
        sys.stdout.flush()
    except CommandError as error:
        for text in error.args:
            print(f"fleetglass: {_one_line(text)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # Who read the output has gone, as `head` does; the interpreter would complain when it flushes.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:  # a user is never shown a traceback unasked
        if os.environ.get("FLEETGLASS_LOG_LEVEL") == "debug":
            raise
        print(
            f"fleetglass: unexpected {type(error).__name__}: {_one_line(str(error))} "
            "(FLEETGLASS_LOG_LEVEL=debug shows where)",
            file=sys.stderr,
        )
        return 1
    return code


def _run(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"fleetglass {VERSION}")
        return 0
    if not words or words[0].startswith("-"):
        overview().parse_args(words)
        raise UsageError(f"command: got none, expected {', '.join(COMMANDS)} (fleetglass --help)")
    name = words[0]
    if name not in COMMANDS:
        raise UsageError(f"command: got {name!r}, expected {', '.join(COMMANDS)} (fleetglass --help)")
    module = importlib.import_module(f"fleetglass.cli.commands.{name}")
    parser = Parser(prog=f"fleetglass {name}", description=f"{COMMANDS[name]}.", allow_abbrev=False)
    module.add_arguments(parser)
    code: int = module.run(parser.parse_args(words[1:]))
    return code


def overview() -> Parser:
    """Return the parser that only lists the commands."""
    parser = Parser(
        prog="fleetglass",
        description="A whole fleet of hosts, live, through any MQTT broker.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text)
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _one_line(text: str) -> str:
    return " ".join(text.split())
