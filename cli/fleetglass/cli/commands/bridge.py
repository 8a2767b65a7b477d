"""`fleetglass bridge`: serve the page and the stream."""

import argparse

from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.configuration.arguments import add_keys
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import bridge_settings
from fleetglass.cli.runtime.log import start_log
from fleetglass.cli.runtime.systemd_notify import Notifier
from fleetglass.wire.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_keys(parser, "bridge")
    parser.add_argument(
        "--new-token",
        action="store_true",
        help="replace the viewer token, print the new link and end; a running bridge takes it up at once",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal ends it."""
    configuration = read_configuration(vars(arguments))
    settings = bridge_settings(configuration)
    if arguments.new_token:
        return _replace_token(settings)
    start_log("bridge", configuration.get("log_level", "bridge") or "info")

    from fleetglass.bridge.bridge import PROGRESS_SECONDS  # noqa: PLC0415 - bad usage is told without loading the part
    from fleetglass.bridge.bridge import run as run_bridge  # noqa: PLC0415 - as above
    from fleetglass.wire.errors import BridgeError  # noqa: PLC0415 - as above

    try:
        run_bridge(settings, progress=Notifier(period_seconds=PROGRESS_SECONDS))
    except BridgeError as error:
        raise CommandError(*error.args) from error
    return 0


def _replace_token(settings: BridgeSettings) -> int:
    from fleetglass.bridge.viewers.token import replace_token, viewer_link  # noqa: PLC0415 - as above
    from fleetglass.wire.errors import BridgeError  # noqa: PLC0415 - as above

    try:
        print(viewer_link(settings, replace_token(settings)))
    except BridgeError as error:
        raise CommandError(str(error)) from error
    return 0
