"""`fleetglass forget`: clear what hosts left on the broker."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from fleetglass.cli.configuration.arguments import add_keys
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import broker_access, single_prefix
from fleetglass.cli.runtime.log import plain, start_log
from fleetglass.wire import is_host_id
from fleetglass.wire.errors import CommandError, UsageError

if TYPE_CHECKING:
    from fleetglass.cli.host_removal import HostRemoval
    from fleetglass.mqtt.credentials import BrokerAccess


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "hosts", metavar="HOST", nargs="*", help="host id, or a pattern in quotes such as 'sim-*'"
    )
    parser.add_argument("--all-stopped", action="store_true", help="every host whose agent said goodbye")
    parser.add_argument("--dry-run", action="store_true", help="print the topics and clear nothing")
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        help="on a secured broker's machine: the folder that `fleetglass enroll` made, instead of --broker",
    )
    add_keys(parser, "forget")


def run(arguments: argparse.Namespace) -> int:
    """Find the hosts, clear each that no longer publishes, and print a line for each."""
    if not arguments.hosts and not arguments.all_stopped:
        raise UsageError("forget: got no host, expected HOST, a pattern such as 'sim-*', or --all-stopped")
    configuration = read_configuration(vars(arguments))
    start_log("forget", configuration.get("log_level", "forget") or "error")
    home_assistant_prefix = configuration.get("home_assistant_prefix", "forget") or "homeassistant"
    if arguments.folder is not None:
        if arguments.broker or arguments.prefix:
            raise UsageError("--folder: got --broker or --prefix as well, expected it alone: it names both")
        with _enrolled(Path(arguments.folder).expanduser().absolute()) as (access, prefix):
            return _forget(arguments, access, prefix, home_assistant_prefix)
    access = broker_access(configuration, "forget")
    return _forget(arguments, access, single_prefix(configuration, "forget"), home_assistant_prefix)


@contextmanager
def _enrolled(path: Path) -> "Iterator[tuple[BrokerAccess, str]]":
    """Give access to the broker that runs here with a folder, and the prefix of its fleet."""
    from fleetglass.cli.enrollment.folder import Folder  # only a secured broker has one
    from fleetglass.cli.enrollment.temporary_access import temporary_access

    folder = Folder(path)
    if not folder.is_made:
        raise CommandError(f"--folder: got {path}, expected the folder that `fleetglass enroll` made")
    with folder.locked():
        registry = folder.read_registry()
        with temporary_access(folder, registry) as access:
            yield access, registry.prefix


def _forget(
    arguments: argparse.Namespace, access: "BrokerAccess", prefix: str, home_assistant_prefix: str
) -> int:
    from fleetglass.cli.host_removal import (
        HostRemoval,
        check_broker,
        remove_hosts,
        report,
    )

    check_broker(access, None)
    with HostRemoval(access, None, prefix=prefix, home_assistant_prefix=home_assistant_prefix) as removal:
        done: set[str] = set()
        code = 0
        while hosts := [host for host in _chosen(removal, arguments) if host not in done]:
            done.update(hosts)
            if arguments.dry_run:
                _print_found(removal, hosts)
                break
            code = max(code, report(remove_hosts(removal, hosts), access.url, prefix))
            if _are_ids(arguments):
                break
            # A broker that sends a client few messages at once has kept back some of many hosts.
        if not done:
            print(f"no host matches at {access.url} under {prefix}/")
        return code


def _chosen(removal: "HostRemoval", arguments: argparse.Namespace) -> list[str]:
    patterns: list[str] = arguments.hosts
    if _are_ids(arguments):
        return list(dict.fromkeys(patterns))
    known = removal.known_hosts()
    chosen = [host.id for host in known if arguments.all_stopped and host.state == "stopped"]
    for pattern in patterns:
        matching = [host.id for host in known if fnmatchcase(host.id, pattern)]
        # A host whose retained messages this user may not read can still be named.
        chosen += matching or ([pattern] if is_host_id(pattern) else [])
    return list(dict.fromkeys(chosen))


def _are_ids(arguments: argparse.Namespace) -> bool:
    """Return whether every host is named by its id, so that none has to be looked for."""
    return not arguments.all_stopped and all(map(is_host_id, arguments.hosts))


def _print_found(removal: "HostRemoval", hosts: Sequence[str]) -> None:
    found = removal.find(hosts)
    removal.listen(found)
    for host in found:
        state = "publishes now, is left alone" if host.is_heard else host.state or "no status"
        print(f"{host.id} ({state}): {plain(', '.join(sorted(host.topics))) or 'nothing retained'}")
