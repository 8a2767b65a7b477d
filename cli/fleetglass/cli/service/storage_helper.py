"""The helper that reads the disks as root for an agent without privileges: a service and its timer."""

import importlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fleetglass.agent.readings.storage.storage_report import REPORT
from fleetglass.agent.selection import Selection
from fleetglass.cli.service.unit_file import MARKER, quoted
from fleetglass.wire.errors import CommandError

SERVICE: Final = "fleetglass-storage.service"
TIMER: Final = "fleetglass-storage.timer"


def helper_units(program: tuple[str, ...], disks: Selection) -> dict[str, str]:
    """Return the files of the helper by name. It is told which disks to leave alone, and nothing else."""
    command = [*program, "storage", f"--output=/{REPORT}"]
    if not disks.is_default:
        command += [f"--include-disk={pattern}" for pattern in disks.include]
        command += [f"--exclude-disk={pattern}" for pattern in disks.exclude]
    return {
        SERVICE: _SERVICE.format(marker=MARKER, command=" ".join(map(quoted, command))),
        TIMER: _TIMER.format(marker=MARKER),
    }


def check_only_root_may_change(program: tuple[str, ...]) -> None:
    """Check that what the helper runs as root is root's.

    Raises:
        CommandError: another user may change a file of the program.
    """
    importlib.import_module("fleetglass.cli.commands.storage")  # with all that it runs
    modules = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    files = {Path(program[0]), Path(sys.executable), *(Path(name) for name in modules if name)}
    if (path := next(_changeable(files), None)) is not None:
        raise CommandError(
            f"service: users other than root may change {path}, which the helper for storage would run as "
            "root; install fleetglass as root, such as under /opt, or leave out storage"
        )


def _changeable(files: Iterable[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for file in files:
        for path in (file.absolute(), file.resolve()):
            for one in (path, *path.parents):
                if one in seen:
                    continue
                seen.add(one)
                try:
                    found = os.stat(one)  # noqa: PTH116 - of hundreds of files
                except FileNotFoundError:  # a module that comes from no file
                    continue
                writable = stat.S_IWOTH if found.st_gid == 0 else stat.S_IWOTH | stat.S_IWGRP
                if found.st_uid != 0 or found.st_mode & writable:
                    yield one


_SERVICE: Final = """\
{marker}
# systemctl edit fleetglass-storage.service
[Unit]
Description=Fleetglass storage: asks the disks for their health, for the agent

[Service]
Type=oneshot
ExecStart={command}
RuntimeDirectory=fleetglass
RuntimeDirectoryMode=0755
# The report stays between two runs.
RuntimeDirectoryPreserve=yes
TimeoutStartSec=20min
UMask=0022
Nice=10
IOSchedulingClass=idle
MemoryMax=192M

# What it takes to send commands to a disk; members behind RAID controllers have no device file before.
CapabilityBoundingSet=CAP_SYS_RAWIO CAP_SYS_ADMIN CAP_MKNOD
NoNewPrivileges=yes
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
SystemCallFilter=~@privileged @resources
"""

_TIMER: Final = """\
{marker}
# systemctl edit fleetglass-storage.timer
[Unit]
Description=Fleetglass storage: asks the disks every 30 minutes

[Timer]
OnBootSec=1s
OnUnitInactiveSec=30min
AccuracySec=1min

[Install]
WantedBy=timers.target
"""
