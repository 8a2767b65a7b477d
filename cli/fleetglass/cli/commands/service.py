"""`fleetglass service`: have systemd run the agent or the bridge."""

import argparse
import getpass
import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Final

from fleetglass.cli.configuration.arguments import Parser, add_keys, read_option
from fleetglass.cli.configuration.keys import ENVIRONMENT_PREFIX, OTHER_VARIABLES
from fleetglass.cli.configuration.values import Whole
from fleetglass.cli.service.storage_helper import SERVICE, TIMER, helper_units
from fleetglass.cli.service.systemctl import Systemd, check_systemd_runs, systemd_version
from fleetglass.cli.service.unit_file import MARKER, ServicePart, unit_name
from fleetglass.wire.errors import CommandError

VERBS: Final = {
    "install": "write the unit; start it now and at every boot",
    "uninstall": "stop it and remove the unit, but keep the configuration",
    "start": "start it",
    "stop": "stop it until the next boot",
    "restart": "restart it, for example after a configuration change",
    "status": "show whether it is installed, enabled and running, and what it is doing",
    "logs": "print its log",
}

SYSTEM_FOLDER: Final = Path("/etc/systemd/system")
_LINGERING: Final = Path("/var/lib/systemd/linger")


def add_arguments(parser: Parser) -> None:
    """Add the verbs, each with its own arguments."""
    parser.epilog = "`install` takes --config FILE and every setting of the agent or the bridge."
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    for verb, text in VERBS.items():
        own = verbs.add_parser(verb, help=text, description=f"{text}.", allow_abbrev=False)
        own.add_argument("part", metavar="PART", choices=("agent", "bridge"), help="agent or bridge")
        whose = own.add_mutually_exclusive_group()
        for name, user in (("system", "the machine"), ("user", "this user")):
            whose.add_argument(
                f"--{name}",
                dest="system",
                action="store_const",
                const=name == "system",
                help=f"the service of {user} (default: {'with' if name == 'system' else 'without'} root)",
            )
        if verb in {"install", "uninstall"}:
            own.add_argument("--force", action="store_true", help="even if another program wrote the unit")
        if verb == "install":
            add_keys(own, "agent", "bridge")
        if verb == "logs":
            own.add_argument("--lines", metavar="N", default="50", help="number of lines (default: 50)")
            own.add_argument("--follow", action="store_true", help="continue until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and print each file that is written and each command that is run."""
    verb, part = arguments.verb, arguments.part
    lines = read_option(Whole(0, 1_000_000), arguments.lines, "--lines") if verb == "logs" else 0
    check_systemd_runs()
    systemd = Systemd(_is_system(arguments))
    name = unit_name(part)
    if verb not in {"status", "logs"}:
        _check_privilege(arguments, systemd)
    if verb == "install":
        _install(arguments, systemd)
        return 0
    if not systemd.knows(name):
        other = "--user" if systemd.system else "--system"
        raise CommandError(
            f"service: {name} is not installed; install it with `fleetglass service install {part}`, "
            f"or look among the other services with {other}"
        )
    if verb == "uninstall":
        _uninstall(name, systemd, force=arguments.force)
    elif verb == "status":
        return 0 if _show_status(name, systemd) else 1
    elif verb == "logs":
        return 0 if systemd.show_logs(name, lines=lines, follow=arguments.follow) else 1
    else:
        systemd.change(verb, name)
    return 0


def _show_status(name: str, systemd: Systemd) -> bool:
    from fleetglass.agent.readings import host_readings
    from fleetglass.cli.main_address import main_address

    is_running = systemd.show_status(name)
    if (address := main_address(host_readings())) is not None:
        print(f"address of this machine: {address}")
    return is_running


def _is_system(arguments: argparse.Namespace) -> bool:
    if arguments.system is not None:
        return bool(arguments.system)
    name = unit_name(arguments.part)
    if os.geteuid() == 0:
        return True
    # Without root, the machine's service may still be looked at.
    is_installed = arguments.verb != "install" and (SYSTEM_FOLDER / name).exists()
    return is_installed and not (_folder(system=False) / name).exists()


def _check_privilege(arguments: argparse.Namespace, systemd: Systemd) -> None:
    if systemd.system and os.geteuid() != 0:
        again = shlex.join(["sudo", "fleetglass", *sys.argv[1:]])
        own = ", or install a service of your own with --user" if arguments.verb == "install" else ""
        raise CommandError(f"service: a system service needs root: {again}{own}")


def _install(arguments: argparse.Namespace, systemd: Systemd) -> None:
    from fleetglass.cli.service.installation import installed_program, plan  # they ask what only POSIX has

    part: ServicePart = arguments.part
    unit = plan(part, vars(arguments), system=systemd.system, systemd_version=systemd_version())
    _warn_of_variables()
    path = _folder(system=systemd.system) / unit.name
    existed = path.exists()
    _check_ours(path, force=arguments.force)
    if part == "agent" and unit.disks is None:
        _uninstall_helper(systemd)
    _write(path, unit.text())
    if unit.disks is not None:
        for name, text in helper_units(installed_program(), unit.disks).items():
            _check_ours(SYSTEM_FOLDER / name, force=arguments.force)
            _write(SYSTEM_FOLDER / name, text)
    systemd.change("daemon-reload")
    if unit.disks is not None:
        systemd.change("enable", "--now", TIMER)
    systemd.change("enable", "--now", unit.name)
    if existed:
        systemd.change("restart", unit.name)
    if not systemd.system and not (_LINGERING / getpass.getuser()).exists():
        print(
            f"the service stops when you log out, unless you run: loginctl enable-linger {getpass.getuser()}"
        )
    print(f"its log: fleetglass service logs {part}")


def _uninstall_helper(systemd: Systemd) -> None:
    paths = [SYSTEM_FOLDER / name for name in (TIMER, SERVICE)]
    if not systemd.system or not paths[0].exists():
        return
    systemd.change("disable", "--now", TIMER)
    for path in paths:
        _check_ours(path, force=False)
        _remove(path)


def _uninstall(name: str, systemd: Systemd, *, force: bool) -> None:
    path = _folder(system=systemd.system) / name
    if not path.exists():
        raise CommandError(f"service: {name} belongs to a system package; remove it with the package manager")
    _check_ours(path, force=force)
    systemd.change("disable", "--now", name)
    _remove(path)
    if name == unit_name("agent"):
        _uninstall_helper(systemd)
    systemd.change("daemon-reload")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"service: cannot remove {path}: {error.strerror}") from error
    print(f"removed {path}", flush=True)


def _folder(*, system: bool) -> Path:
    if system:
        return SYSTEM_FOLDER
    configuration = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(configuration) / "systemd" / "user"


def _check_ours(path: Path, *, force: bool) -> None:
    try:
        first = path.read_text("utf-8", errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return
    except OSError as error:
        raise CommandError(f"service: {path}: {error.strerror}") from error
    if first != MARKER and not force:
        raise CommandError(f"service: {path} was not written by fleetglass; --force replaces it anyway")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise CommandError(f"service: cannot write {path}: {error.strerror}") from error
    print(f"wrote {path}", flush=True)


def _warn_of_variables() -> None:
    known = {ENVIRONMENT_PREFIX + name for name in OTHER_VARIABLES}
    unseen = sorted(name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX) and name not in known)
    if unseen:
        text = f"the service does not see {', '.join(unseen)}; write it into the configuration file"
        print(f"fleetglass: warning: {text}", file=sys.stderr)
