"""`fleetglass replay`: publish what was recorded, once more, under a prefix of its own."""

import argparse
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from fleetglass.cli.configuration.arguments import add_keys, read_option
from fleetglass.cli.configuration.broker_choice import check_given
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import broker_access
from fleetglass.cli.configuration.values import Number, Prefix
from fleetglass.cli.runtime.log import start_log
from fleetglass.wire import Topics
from fleetglass.wire.errors import CommandError, UsageError

if TYPE_CHECKING:
    from fleetglass.cli.recorder.recording import Recording

DEFAULT_PREFIX: Final = "replay"
MAX_SPEED: Final = 60

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="file that `fleetglass record` wrote")
    parser.add_argument(
        "--speed", metavar="N", default="1", help=f"1 to {MAX_SPEED} times the original speed (default: 1)"
    )
    parser.add_argument(
        "--prefix",
        dest="own_prefix",
        metavar="TEXT",
        default=DEFAULT_PREFIX,
        help=f"topic prefix, different from the recording's (default: {DEFAULT_PREFIX})",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the hosts on the broker at the end, as stopped"
    )
    add_keys(parser, "replay")


def run(arguments: argparse.Namespace) -> int:
    """Play to the end, or until a signal."""
    speed = read_option(Number(1, MAX_SPEED), arguments.speed, "--speed")
    topics = Topics(read_option(Prefix(), arguments.own_prefix, "--prefix"))
    configuration = read_configuration(vars(arguments))
    access = broker_access(configuration, "replay")
    start_log("replay", configuration.get("log_level", "replay") or "info")

    from fleetglass.agent.identity import new_session
    from fleetglass.cli.recorder.player import Player
    from fleetglass.cli.runtime.stop_signals import StopSignals
    from fleetglass.mqtt.threaded_connection import ThreadedConnection

    path = Path(arguments.file)
    with _open(path) as file:
        recording = _read(file, path)
        recorded = recording.header
        if recorded.prefix == topics.prefix:
            raise UsageError(
                f"--prefix: got {topics.prefix}, which was recorded; expected another prefix, "
                "so that nobody mistakes the replay for live hosts"
            )
        check_given(access)
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(recorded.started))
        _log.info("%s of %s, under %s at %s", path, at, topics.prefix, access.url)
        with StopSignals() as stop:
            player = Player(topics, recorded, speed, stop)
            connection = ThreadedConnection(
                access,
                client_id=f"fleetglass-replay-{new_session()}",
                on_connected=player.introduce,
                on_message=lambda *_: None,
            )
            with connection:
                player.play(recording, connection)
                cleared = player.leave(connection, keep=arguments.keep)
    if recording.cut_after is not None and not stop.requested:
        print(f"the recording was cut off after {recording.cut_after:.1f} s; it was played up to there")
    print(player.summary())
    if not cleared and arguments.keep:
        raise CommandError(f"broker {access.url}: did not confirm that the hosts are stopped")
    if not cleared:
        raise CommandError(
            f"broker {access.url}: did not confirm that the hosts are cleared; to clear those that remain: "
            f"fleetglass forget '*' --broker {access.url} --prefix {topics.prefix}"
        )
    return 0


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"file: got {str(path)!r}, expected a recording: {reason}") from error


def _read(file: BinaryIO, path: Path) -> "Recording":
    from fleetglass.cli.recorder.recording import Recording, RecordingError

    def pieces() -> Iterator[bytes]:
        try:
            while piece := file.read(64 * 1024):
                yield piece
        except OSError as error:  # also of a folder, which can be opened but not read
            raise CommandError(f"file: {(error.strerror or str(error)).lower()} ({path})") from error

    try:
        return Recording(pieces())
    except RecordingError as error:
        raise UsageError(f"file: {error} ({path})") from error
