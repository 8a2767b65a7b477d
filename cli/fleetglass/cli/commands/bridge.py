"""`fleetglass bridge`: serve the page and the stream."""

import argparse
import logging
import sys
from typing import Final

from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.configuration.arguments import add_keys
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import bridge_settings
from fleetglass.cli.runtime.log import start_log
from fleetglass.cli.runtime.systemd_notify import Notifier
from fleetglass.wire.errors import BridgeError, CommandError

SHOW_LINK: Final = "fleetglass bridge --show-link"

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_keys(parser, "bridge")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--show-link", action="store_true", help="print the link with the viewer token, and end"
    )
    instead.add_argument(
        "--new-token",
        action="store_true",
        help="replace the viewer token, print the new link and end; a running bridge takes it up at once",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal ends it."""
    configuration = read_configuration(vars(arguments))
    settings = bridge_settings(configuration)

    try:
        if arguments.new_token or arguments.show_link:
            print(_link(settings, new=arguments.new_token))
            return 0
        start_log("bridge", configuration.get("log_level", "bridge") or "info")

        from fleetglass.bridge.bridge import PROGRESS_SECONDS
        from fleetglass.bridge.bridge import run as run_bridge

        _make_token(settings)
        run_bridge(settings, progress=Notifier(period_seconds=PROGRESS_SECONDS))
    except BridgeError as error:
        raise CommandError(*error.args) from error
    return 0


def _link(settings: BridgeSettings, *, new: bool) -> str:
    from fleetglass.bridge.viewers.access import needs_token
    from fleetglass.bridge.viewers.token import (
        page_address,
        read_token,
        replace_token,
        running_link,
        token_path,
    )

    token = replace_token(settings) if new else read_token(settings)
    if token is not None:
        return running_link(settings, token)
    if not needs_token(settings):
        return page_address(settings)
    raise CommandError(
        f"token file {token_path(settings)}: got no such file, expected one that a bridge has made; "
        "--token-file names another, --new-token makes one"
    )


def _make_token(settings: BridgeSettings) -> None:
    """Make the viewer token at the first start. A terminal is shown the link; a log is not, as it is kept."""
    from fleetglass.bridge.viewers.access import needs_token
    from fleetglass.bridge.viewers.token import read_or_make_token, viewer_link

    if not needs_token(settings):
        return
    token, is_new = read_or_make_token(settings)
    terminal = next((stream for stream in (sys.stderr, sys.stdout) if stream.isatty()), None)
    if not is_new:
        return
    if terminal is None:
        _log.warning("viewers need the token that was made now; its link: %s", SHOW_LINK)
    else:
        print(f"fleetglass: viewer link: {viewer_link(settings, token)}", file=terminal, flush=True)
