"""`fleetglass enroll`: a secured broker, and a credential for each host and reader."""

import argparse
import importlib.util
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleetglass.cli.configuration.arguments import read_option
from fleetglass.cli.configuration.values import Broker, Prefix
from fleetglass.mqtt.address import BrokerURL
from fleetglass.wire import ContractError, check_host_id
from fleetglass.wire.errors import CommandError, UsageError
from fleetglass.wire.topics import DEFAULT_PREFIX

if TYPE_CHECKING:
    from fleetglass.cli.enrollment.folder import Folder
    from fleetglass.cli.enrollment.registry import Newcomer, Registry

WARNING_DAYS: Final = 90
"""So long before the broker's certificate ends, every call says it."""

_UNITS: Final = tuple(
    Path(folder) / "systemd/system/mosquitto.service" for folder in ("/lib", "/usr/lib", "/etc")
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="host id to make a credential for")
    parser.add_argument(
        "--certificate", action="store_true", help="a client certificate instead of a password"
    )
    parser.add_argument("--bridge", action="store_true", help="make a credential for bridges")
    parser.add_argument("--home-assistant", action="store_true", help="make a credential for Home Assistant")
    parser.add_argument(
        "--reader",
        metavar="NAME",
        action="append",
        default=[],
        help="make a credential for another reader of the fleet",
    )
    parser.add_argument(
        "--revoke",
        metavar="NAME",
        nargs="+",
        default=[],
        help="revoke these credentials, named as in --list",
    )
    parser.add_argument(
        "--discovery",
        action=argparse.BooleanOptionalAction,
        help="whether hosts may describe themselves to Home Assistant (default: yes)",
    )
    parser.add_argument("--renew", action="store_true", help="create a new certificate for the broker")
    parser.add_argument("--list", action="store_true", help="list all credentials")
    parser.add_argument(
        "--hosts",
        dest="as_hosts_file",
        action="store_true",
        help="with --list: print only the hosts, as a file for the bridge's hosts_file",
    )
    parser.add_argument(
        "--broker",
        metavar="URL",
        help="address under which hosts reach the broker; separate several with commas",
    )
    parser.add_argument("--prefix", metavar="TEXT", help=f"topic prefix (default: {DEFAULT_PREFIX})")
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        help="folder (default: /etc/fleetglass/broker; without root ~/.config/fleetglass/broker)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it, and print what is to be done next."""
    if importlib.util.find_spec("cryptography") is None:
        raise CommandError(
            f"enroll: needs the package cryptography: {sys.executable} -m pip install cryptography"
        )

    from fleetglass.cli.enrollment.folder import Folder, default_folder

    newcomers = _newcomers(arguments)
    _check_one_thing(arguments, newcomers)
    urls = read_option(Broker(), arguments.broker, "--broker") if arguments.broker else ()
    prefix = read_option(Prefix(), arguments.prefix, "--prefix") if arguments.prefix is not None else None
    folder = Folder(Path(arguments.folder).expanduser().absolute() if arguments.folder else default_folder())
    if arguments.list:
        (_print_hosts_file if arguments.as_hosts_file else _print_list)(_existing(folder))
        return 0
    if not folder.is_made:
        # Before the folder is made, which a wrong call should not leave behind.
        _check_first(arguments, urls)
    with folder.locked():
        _change(arguments, folder, urls, prefix, newcomers)
    return 0


def _newcomers(arguments: argparse.Namespace) -> "list[Newcomer]":
    from fleetglass.cli.enrollment.registry import Newcomer, is_reader_name

    try:
        newcomers = [Newcomer(check_host_id(name), "host") for name in arguments.hosts]
    except ContractError as error:
        raise UsageError(str(error)) from error
    if arguments.bridge:
        newcomers.append(Newcomer("bridge", "bridge"))
    if arguments.home_assistant:
        newcomers.append(Newcomer("home-assistant", "home-assistant"))
    for name in arguments.reader:
        if not is_reader_name(name):
            raise UsageError(
                f"--reader: got {name[:80]!r}, expected a name of a-z 0-9 _ -, of at most 50 characters, "
                "that is neither bridge nor home-assistant"
            )
        newcomers.append(Newcomer(name, "reader"))
    users = [one.user for one in newcomers]
    if twice := next((user for user in users if users.count(user) > 1), None):
        raise UsageError(f"{twice} is named twice")
    return newcomers


def _check_one_thing(arguments: argparse.Namespace, newcomers: "Sequence[Newcomer]") -> None:
    things = [bool(newcomers), bool(arguments.revoke), arguments.renew, arguments.list]
    if sum(things) > 1:
        raise UsageError(
            "enroll: got several things to do, expected one of HOST or readers, --revoke, --renew, --list"
        )
    if arguments.as_hosts_file and not arguments.list:
        raise UsageError("--hosts: expected together with --list")
    if not any(things) and not arguments.broker and arguments.discovery is None:
        raise UsageError(
            "enroll: got nothing to do, expected HOST, --bridge, --revoke, --list or another (--help)"
        )


def _check_first(arguments: argparse.Namespace, urls: Sequence[BrokerURL]) -> None:
    from fleetglass.cli.enrollment.operations import check_urls

    if arguments.revoke or arguments.renew:
        raise CommandError(
            "enroll: no host is enrolled yet; start with: fleetglass enroll HOST --broker mqtts://NAME"
        )
    if not urls:
        raise UsageError(
            "--broker: missing; the first call needs the name under which hosts reach the broker, "
            f"such as --broker mqtts://{socket.gethostname()}"
        )
    check_urls(urls)


def _change(
    arguments: argparse.Namespace,
    folder: "Folder",
    urls: Sequence[BrokerURL],
    prefix: str | None,
    newcomers: "Sequence[Newcomer]",
) -> None:
    from fleetglass.cli.enrollment import operations as fleet
    from fleetglass.cli.enrollment.registry import reader_of
    from fleetglass.cli.enrollment.running_broker import reload_broker

    is_new = not folder.is_made
    if is_new:
        discovery = arguments.discovery is not False
        registry = fleet.make(folder, urls, prefix or DEFAULT_PREFIX, discovery=discovery)
        print(f"made the broker's folder {folder.path}; keep a copy of it, and keep it private")
    else:
        registry = folder.read_registry()
        _check_same(arguments, registry, urls)
        fleet.mend(folder, registry)
        if arguments.discovery not in (None, registry.discovery):
            fleet.set_discovery(folder, registry, allowed=arguments.discovery)
            may = "may" if registry.discovery else "may not"
            print(f"hosts {may} describe themselves to Home Assistant")
    if arguments.renew:
        if urls:
            fleet.check_urls(urls)
        fleet.renew(folder, registry, urls or registry.urls)
        print(f"renewed the broker's certificate, which now ends {registry.broker_ends:%Y-%m-%d}")
    if arguments.revoke:
        try:
            fleet.revoke(folder, registry, arguments.revoke)
        except CommandError:
            # Perhaps it is revoked already, by a call that was killed before the broker knew.
            reload_broker(folder)
            raise
        print(f"revoked {', '.join(dict.fromkeys(arguments.revoke))}")
    files = fleet.enroll(folder, registry, newcomers, by_certificate=arguments.certificate)
    for newcomer, file in zip(newcomers, files, strict=True):
        print(f"enrolled {newcomer.user}: {file}")
    folder.hand_to_broker()
    revoked_hosts = [user for user in dict.fromkeys(arguments.revoke) if reader_of(user) is None]
    trouble = _clear_topics(folder, registry, revoked_hosts) if revoked_hosts else None
    if told := reload_broker(folder):
        print(told)
    else:
        if not is_new:
            print("no broker runs here with this folder; one elsewhere reads it again at SIGHUP")
        _print_all("Next, start the broker:", _start_steps(folder, registry))
    first_of_role = {
        one.role: (one, file) for one, file in reversed(list(zip(newcomers, files, strict=True)))
    }
    for newcomer, file in reversed(first_of_role.values()):
        _print_all(*_credential_steps(newcomer, file, folder, registry))
    _warn_of_end(registry)
    if trouble is not None:
        if told:
            raise CommandError(trouble)
        print(trouble)


def _clear_topics(folder: "Folder", registry: "Registry", hosts: Sequence[str]) -> str | None:
    """Clear what revoked hosts left on the broker; where that fails, return why and what to do."""
    from fleetglass.cli.enrollment.access_control import HOME_ASSISTANT_PREFIX
    from fleetglass.cli.enrollment.folder import SYSTEM_FOLDER
    from fleetglass.cli.enrollment.temporary_access import temporary_access
    from fleetglass.cli.host_removal import HostRemoval, remove_revoked_hosts, report

    prefix = registry.prefix
    try:
        with (
            temporary_access(folder, registry) as access,
            HostRemoval(access, None, prefix=prefix, home_assistant_prefix=HOME_ASSISTANT_PREFIX) as removal,
        ):
            report(remove_revoked_hosts(removal, hosts), registry.urls[0], prefix)
    except CommandError as error:
        names = " ".join(hosts)
        as_root = "sudo " if folder.path == SYSTEM_FOLDER else ""
        return (
            f"revoked {names}, but retained messages may remain on the broker ({error}); to clear them, run "
            f"where the broker runs: {as_root}fleetglass forget {names} --folder {folder.path}"
        )
    return None


def _check_same(arguments: argparse.Namespace, registry: "Registry", urls: Sequence[BrokerURL]) -> None:
    if urls and not arguments.renew and [str(url) for url in urls] != registry.broker:
        raise UsageError(
            f"--broker: got {','.join(map(str, urls))}, expected {','.join(registry.broker)}, which the "
            "broker's certificate names; --renew changes the name"
        )
    if urls and urls[0].port != registry.password_port:
        raise UsageError(
            f"--broker: got port {urls[0].port}, expected {registry.password_port}, "
            "set when the folder was made"
        )
    if arguments.prefix is not None and arguments.prefix != registry.prefix:
        raise UsageError(
            f"--prefix: got {arguments.prefix!r}, expected {registry.prefix}, set when the folder was made"
        )


def _existing(folder: "Folder") -> "Registry":
    if not folder.is_made:
        raise CommandError(f"enroll: no host is enrolled in {folder.path}; --folder names another folder")
    return folder.read_registry()


def _print_list(registry: "Registry") -> None:
    print(
        f"broker {','.join(registry.broker)}, prefix {registry.prefix}; its certificate ends "
        f"{registry.broker_ends:%Y-%m-%d}, the authority {registry.authority_ends:%Y-%m-%d}"
    )
    width = max(map(len, registry.members), default=0)
    for user, member in sorted(registry.members.items()):
        kind = f"certificate  ends {member.ends:%Y-%m-%d}" if member.ends else "password"
        print(f"{user:{width}}  since {member.since:%Y-%m-%d}  {kind}")
    _warn_of_end(registry)


def _print_hosts_file(registry: "Registry") -> None:
    import yaml  # it quotes an id that YAML would take for a number

    hosts = sorted(user for user, member in registry.members.items() if member.role == "host")
    print(yaml.safe_dump(hosts), end="")


def _warn_of_end(registry: "Registry") -> None:
    from fleetglass.cli.enrollment.registry import now

    days = (registry.broker_ends - now()).days
    if days < WARNING_DAYS:
        print(f"the broker's certificate ends in {days} days; another: fleetglass enroll --renew")


def _print_all(heading: str, lines: Iterator[str]) -> None:
    print(heading)
    for line in lines:
        print(f"  {line}")


def _start_steps(folder: "Folder", registry: "Registry") -> Iterator[str]:
    from fleetglass.cli.configuration.broker_choice import INSTALL_MOSQUITTO, find_mosquitto
    from fleetglass.cli.enrollment.folder import SYSTEM_FOLDER

    if find_mosquitto() is None:
        yield f"sudo {INSTALL_MOSQUITTO}"
        # Its user, who is to read the folder, comes with it.
        yield f"fleetglass enroll --broker {','.join(registry.broker)} --folder {folder.path}"
        return
    if folder.path == SYSTEM_FOLDER and any(unit.exists() for unit in _UNITS):
        drop_in = "/etc/systemd/system/mosquitto.service.d/fleetglass.conf"
        yield f"sudo install -D -m 644 {folder.path}/service.conf {drop_in}"
        yield "sudo systemctl daemon-reload && sudo systemctl restart mosquitto"
    else:
        yield f"mosquitto -c {folder.configuration}"


def _credential_steps(
    newcomer: "Newcomer", file: Path, folder: "Folder", registry: "Registry"
) -> tuple[str, Iterator[str]]:
    from fleetglass.cli.enrollment.folder import SYSTEM_FOLDER

    as_root = "sudo " if folder.path == SYSTEM_FOLDER else ""  # its files are for root alone
    install = f"sudo install -D -m 600 {file.name} /etc/fleetglass/fleetglass.yaml && rm {file.name}"
    if newcomer.role == "host":
        return f"Next, copy each file to its host, such as {newcomer.name}, and run there:", iter(
            (f"{as_root}scp {file} {newcomer.name}:", install, "sudo fleetglass service install agent")
        )
    if newcomer.role == "bridge":
        return "Next, start the bridge here, or copy the file to where it is to run:", iter(
            (
                f"{as_root}fleetglass bridge --config {file}",
                f"sudo fleetglass service install bridge --config {file}",
            )
        )
    if newcomer.role == "home-assistant":
        return f"Next, in Home Assistant's MQTT integration (its password is in {file}):", iter(
            (
                f"broker {registry.urls[0].host}, port {registry.password_port}, user {newcomer.user}",
                f"broker certificate validation: custom, with {folder.path}/ca.crt",
            )
        )
    return "Next, for example:", iter((f"{as_root}fleetglass watch --config {file}",))
