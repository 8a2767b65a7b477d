"""`fleetglass forget`: clear what hosts left on the broker."""

import argparse
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fleetglass.cli.configuration.arguments import add_keys
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import broker_access, single_prefix
from fleetglass.cli.runtime.log import start_log
from fleetglass.wire import is_host_id
from fleetglass.wire.errors import UsageError

if TYPE_CHECKING:
    from fleetglass.cli.host_removal import RetainedHost


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "hosts", metavar="HOST", nargs="*", help="host id, or a pattern in quotes such as 'demo-*'"
    )
    parser.add_argument("--all-stopped", action="store_true", help="every host whose agent said goodbye")
    parser.add_argument("--dry-run", action="store_true", help="print the topics and clear nothing")
    add_keys(parser, "forget")


def run(arguments: argparse.Namespace) -> int:
    """Find the hosts, clear each that no longer publishes, and print a line for each."""
    patterns: list[str] = arguments.hosts
    if not patterns and not arguments.all_stopped:
        raise UsageError("forget: got no host, expected HOST, a pattern such as 'demo-*', or --all-stopped")
    configuration = read_configuration(vars(arguments))
    access = broker_access(configuration, "forget")
    prefix = single_prefix(configuration, "forget")
    home_assistant_prefix = configuration.get("home_assistant_prefix", "forget") or "homeassistant"
    start_log("forget", configuration.get("log_level", "forget") or "error")

    from fleetglass.cli.host_removal import (  # noqa: PLC0415 - bad usage is reported without loading the rest
        HostRemoval,
        check_broker,
        remove_hosts,
        report,
    )

    check_broker(access, None)
    with HostRemoval(access, None, prefix=prefix, home_assistant_prefix=home_assistant_prefix) as removal:
        hosts = _chosen(removal.known_hosts(), patterns, all_stopped=arguments.all_stopped)
        if not hosts:
            print(f"no host matches at {access.url} under {prefix}/")
            return 0
        if arguments.dry_run:
            for host in removal.examine(hosts):
                state = "publishes now, is left alone" if host.is_heard else host.state or "no status"
                print(f"{host.id} ({state}): {', '.join(sorted(host.topics)) or 'nothing retained'}")
            return 0
        return report(*remove_hosts(removal, hosts), access.url, prefix)


def _chosen(known: Sequence["RetainedHost"], patterns: Iterable[str], *, all_stopped: bool) -> list[str]:
    chosen = [host.id for host in known if all_stopped and host.state == "stopped"]
    for pattern in patterns:
        matching = [host.id for host in known if fnmatchcase(host.id, pattern)]
        # A host whose retained messages this user may not read can still be named.
        chosen += matching or ([pattern] if is_host_id(pattern) else [])
    return list(dict.fromkeys(chosen))
