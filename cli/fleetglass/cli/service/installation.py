"""From arguments and configuration to the unit that runs a part as they say."""

import os
import stat
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.configuration.arguments import key_arguments
from fleetglass.cli.configuration.file import Configuration, read_configuration
from fleetglass.cli.configuration.keys import ENVIRONMENT_PREFIX, keys_of
from fleetglass.cli.configuration.settings import agent_settings, bridge_settings
from fleetglass.cli.service.storage_helper import check_only_root_may_change
from fleetglass.cli.service.unit_file import CREDENTIALS, ServicePart, UnitFile
from fleetglass.wire.errors import CommandError, UsageError

_FOLDER: Final = "custom_folder"
_BROKER_FILES: Final = ("password_file", "ca_file", "certificate_file", "key_file")
_FILES: Final = (_FOLDER, *_BROKER_FILES, "token_file", "cert", "key", "proxy_secret_file", "hosts_file")
_HOMES: Final = ("/home", "/root", "/run/user")
_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 - a service has its own
_VIDEO_CORE: Final = Path("/dev/vcio")
"""Where a Raspberry Pi tells its temperature and throttling, to the group `video`."""


def plan(
    part: ServicePart,
    arguments: Mapping[str, object],
    *,
    system: bool,
    systemd_version: int,
    environment: Mapping[str, str] = os.environ,
) -> UnitFile:
    """Return the unit for a part that is told these arguments.

    A service of the system reads what is told and `/etc`, not the configuration of whoever installs it;
    files that only root may read are handed to it as credentials, as they are when it starts.

    Raises:
        UsageError: what the part would be told is wrong.
        CommandError: the service could not start this program, or a helper may not run it as root.
    """
    for key in keys_of("agent", "bridge"):
        if arguments.get(key.name) is not None and part not in key.parts:
            raise UsageError(f"{key.option}: the {part} has no such setting")
    names = [ENVIRONMENT_PREFIX + "CONFIG", *([] if system else ["HOME", "XDG_CONFIG_HOME"])]
    configuration = read_configuration(
        arguments, {name: environment[name] for name in names if name in environment}
    )
    settings = agent_settings(configuration) if part == "agent" else bridge_settings(configuration)
    program = installed_program()
    if system:
        _check_reachable(part, program)
    disks = (
        settings.selections.disks
        if isinstance(settings, AgentSettings) and settings.storage and system
        else None
    )
    if disks is not None:
        check_only_root_may_change(program)
    told, credentials = _files(part, arguments, configuration, system=system)
    return UnitFile(
        part=part,
        command=(*program, part, *key_arguments({**arguments, **told}, part)),
        system=system,
        credentials=credentials,
        groups=_groups() if system and part == "agent" else (),
        disks=disks,
        own_programs=part == "agent"
        and (configuration.get(_FOLDER, part) is not None or bool(configuration.get("updates", part))),
        low_port=getattr(settings, "port", 1024) < 1024,
        systemd_version=systemd_version,
    )


def installed_program() -> tuple[str, ...]:
    """Return what starts this very installation."""
    script = Path(sysconfig.get_path("scripts")) / "fleetglass"
    return (str(script),) if script.is_file() else (sys.executable, "-m", "fleetglass.cli")


def barrier(part: ServicePart, path: Path) -> Path | None:
    """Return what keeps a part, as a service of the system, from reading a path; None when nothing does."""
    hidden = _TEMPORARY if part == "agent" else _TEMPORARY + _HOMES
    for way in (path, path.resolve()):
        for folder in reversed(way.parents):
            if str(folder) in hidden or not folder.stat().st_mode & stat.S_IXOTH:
                return folder
        if not way.stat().st_mode & stat.S_IROTH:
            return way
    return None


def _check_reachable(part: ServicePart, program: tuple[str, ...]) -> None:
    for path in (Path(program[0]), Path(sys.executable), Path(__file__)):
        if wall := barrier(part, path):
            raise CommandError(
                f"service: {path} is inside {wall}, which a system service cannot enter; install "
                "fleetglass for all users, such as in a virtual environment under /opt, or use --user"
            )


def _files(
    part: ServicePart, arguments: Mapping[str, object], configuration: Configuration, *, system: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Return which file arguments the service is given, and the credentials among them."""
    named = {name: configuration.get(name, part) for name in _FILES}
    files = {"config": configuration.path} | {
        name: Path(text).expanduser() for name, text in named.items() if text is not None
    }
    told: dict[str, str] = {}
    credentials: dict[str, str] = {}
    for name, file in files.items():
        if file is None:
            continue
        path = file.absolute()
        if not (path.exists() and str(path).isprintable()):
            raise UsageError(f"{name}: got {str(path)!a}, expected a file that exists")
        if system and (wall := barrier(part, path)):
            if name == _FOLDER:
                raise CommandError(
                    f"service: {name} {path} is inside {wall}, which the service cannot enter; move it"
                )
            credentials[name] = str(path)
            told[name] = f"{CREDENTIALS}/{name}"
        elif name == "config" or arguments.get(name) is not None or str(path) != named[name]:
            told[name] = str(path)
    return told, credentials


def _groups() -> tuple[str, ...]:
    if not _VIDEO_CORE.exists():
        return ()
    import grp  # noqa: PLC0415 - Windows has none

    return (grp.getgrgid(_VIDEO_CORE.stat().st_gid).gr_name,)
