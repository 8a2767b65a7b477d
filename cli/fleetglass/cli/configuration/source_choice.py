"""Where `watch` and `top` read: from a bridge, or straight from a broker."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetglass.cli.configuration.arguments import add_keys
from fleetglass.cli.configuration.file import Configuration
from fleetglass.cli.configuration.reachable import warn_if_exposed
from fleetglass.cli.configuration.settings import broker_access, expected_host_list
from fleetglass.wire.errors import UsageError

if TYPE_CHECKING:
    import ssl

    from fleetglass.client.source import Source
    from fleetglass.wire.protocol import Watch


def add_source_arguments(parser: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> None:
    """Add the arguments of the part `watch`, less some."""
    parser.add_argument(
        "--broker",
        metavar="URL",
        help="read straight from this broker, without a bridge; of a cluster, the nodes with commas",
    )
    add_keys(parser, "watch", without=("broker", *without))


def source_of(configuration: Configuration, watch: "Watch | None" = None, **retries: Any) -> "Source":
    """Return what `watch` and `top` read, made of the keys of the part `watch`.

    A broker is read straight only when `--broker` or the section `watch` of the file names it: the broker at
    the top of the file and in the environment is that of agents and bridges.

    Args:
        configuration: what the user said.
        watch: the selection at first.
        retries: `reconnect`, as both kinds of source take it.

    Raises:
        UsageError: bridge and broker were named in one place, or a setting does not fit.
    """
    retries |= _said(configuration, "reconnect_interval", "max_reconnects")
    if _is_straight(configuration):
        from fleetglass.client.broker_source import BrokerSource  # most read from a bridge

        prefixes = configuration.get("prefix", "watch") or ("fleet",)
        expected = expected_host_list(configuration, "watch")
        access = broker_access(configuration, "watch")
        return BrokerSource(access, watch, prefix=prefixes, expected=expected, **retries)
    if "hosts_file" in configuration.arguments:
        raise UsageError("--hosts-file: got a bridge to read from, which has its own list; expected --broker")

    from fleetglass.client.bridge_source import DEFAULT_URL, BridgeSource

    url = configuration.get("url", "watch") or DEFAULT_URL
    return BridgeSource(
        url,
        watch,
        token=viewer_token(configuration),
        tls=_trust(configuration) if url.startswith("wss:") else None,
        **retries,
        **_said(configuration, "ping_interval", "ping_timeout"),
    )


def viewer_token(configuration: Configuration) -> str | None:
    """Return the token that a bridge may ask for.

    Raises:
        UsageError: its file cannot be read.
    """
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


def _trust(configuration: Configuration) -> "ssl.SSLContext | None":
    """Return what the system trusts, and the authority that was named; None when none was."""
    named = configuration.get("ca_file", "watch")
    if named is None:
        return None

    import ssl  # most read without TLS

    context = ssl.create_default_context()
    try:
        context.load_verify_locations(Path(named).expanduser())
    except OSError as error:
        raise UsageError(f"ca_file: got {named!r}, expected a file with certificates in PEM") from error
    return context


def _is_straight(configuration: Configuration) -> bool:
    section = configuration.file.get("watch", {})
    for values in (configuration.arguments, configuration.environment, section):
        straight = "broker" in values and values is not configuration.environment
        if straight and "url" in values:
            raise UsageError("broker: got url as well, expected one of them: a broker, or a bridge")
        if straight or "url" in values:
            return straight
    return False


def _said(configuration: Configuration, *names: str) -> dict[str, Any]:
    values = {name: configuration.get(name, "watch") for name in names}
    return {name: value for name, value in values.items() if value is not None}
