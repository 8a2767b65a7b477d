"""The text of a systemd unit, as a function of what it is to run: systemd.service(5), systemd.exec(5)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from fleetglass.agent.selection import Selection
from fleetglass.cli.configuration.keys import Part

ServicePart = Literal["agent", "bridge"]

MARKER: Final = "# Written by `fleetglass service install`, which overwrites it; put changes into a drop-in:"
"""The first line of a unit that is ours."""

CREDENTIALS: Final = "${CREDENTIALS_DIRECTORY}"
"""Stands in a command for the folder in which systemd hands over the credentials."""

BACKOFF_VERSION: Final = 254
"""The first systemd that knows RestartSteps."""

_DESCRIPTIONS: Final[Mapping[Part, str]] = {
    "agent": "Fleetglass agent: publishes the metrics of this host",
    "bridge": "Fleetglass bridge: serves the page and the stream of a fleet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFile:
    """What a unit runs, and what it needs for that."""

    part: ServicePart
    command: tuple[str, ...]
    """The program, absolute, and its arguments."""
    system: bool = True
    """Whether it is the machine's, run as a user that systemd makes up; else the user's own."""
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Files that only root may read, by the name under which the command finds them."""
    groups: tuple[str, ...] = ()
    """Groups whose devices it reads."""
    own_programs: bool = False
    """Whether it runs programs of the user, or a package manager."""
    disks: Selection | None = None
    """Disks that a helper reads for it as root; None without one."""
    low_port: bool = False
    """Whether it serves a port below 1024."""
    systemd_version: int = BACKOFF_VERSION

    @property
    def name(self) -> str:
        """The name of the unit and of its file."""
        return unit_name(self.part)

    def text(self) -> str:
        """Return the content of the file."""
        return "\n".join(_lines(self)) + "\n"


def unit_name(part: ServicePart) -> str:
    """Return the name of the unit of a part."""
    return f"fleetglass-{part}.service"


def _lines(unit: UnitFile) -> Iterator[str]:
    yield MARKER
    yield f"# systemctl {'' if unit.system else '--user '}edit {unit.name}"
    yield "[Unit]"
    yield f"Description={_DESCRIPTIONS[unit.part]}"
    if unit.system:
        yield "# Not to wait for the network, but to be stopped before it: the goodbye needs it."
        yield "After=network.target"
    yield "StartLimitIntervalSec=0"
    yield ""
    yield "[Service]"
    yield "Type=notify"
    yield "ExecStart=" + " ".join(map(quoted, unit.command))
    yield from (f"LoadCredential={name}:{_escaped(path)}" for name, path in unit.credentials.items())
    yield "WatchdogSec=30"
    yield "Restart=always"
    yield "RestartSec=2"
    if unit.systemd_version >= BACKOFF_VERSION:
        yield "RestartSteps=5"
        yield "RestartMaxDelaySec=60"
    yield "# Wrong arguments or configuration: trying again cannot help."
    yield "RestartPreventExitStatus=2"
    yield "TimeoutStopSec=10"
    yield "UMask=0077"
    if unit.part == "agent":
        yield "Nice=5"
    yield f"MemoryMax={'192M' if unit.part == 'agent' and not unit.own_programs else '1G'}"
    yield ""
    yield from _WITHOUT_PRIVILEGES
    if unit.own_programs:
        yield "# Own programs may use ionice, or make code at run time."
        yield "SystemCallFilter=~@privileged"
    else:
        yield "SystemCallFilter=~@privileged @resources"
        yield "MemoryDenyWriteExecute=yes"
    if unit.system:
        yield from _of_the_system(unit)
    yield ""
    yield "[Install]"
    yield f"WantedBy={'multi-user' if unit.system else 'default'}.target"


# A user's own systemd may set these; what follows needs privileges that it does not have.
_WITHOUT_PRIVILEGES: Final = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
)

_PROTECTED: Final = (
    "DynamicUser=yes",
    "CapabilityBoundingSet={capabilities}",
    "AmbientCapabilities={capabilities}",
    "KeyringMode=private",
    "PrivateTmp=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectSystem=strict",
)

_OPEN_TO_THE_AGENT: Final = (
    "# A hidden filesystem would be taken for the empty one in its place; a read-only one has its true size.",
    "ProtectHome=read-only",
    "# It counts everybody's processes.",
    "ProtectProc=default",
    "ProcSubset=all",
    "# Neither PrivateDevices nor ProtectClock: both take away GPUs and the sensors of a Raspberry Pi.",
    "# Nor PrivateUsers: every process would belong to nobody.",
)

_CLOSED_TO_THE_BRIDGE: Final = (
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectHome=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "# Where it keeps the viewer token.",
    "StateDirectory=fleetglass",
    "StateDirectoryMode=0700",
    "Environment=XDG_STATE_HOME=%S",
)


def _of_the_system(unit: UnitFile) -> Iterator[str]:
    capabilities = "CAP_NET_BIND_SERVICE" if unit.low_port else ""
    yield from (line.format(capabilities=capabilities) for line in _PROTECTED)
    if unit.part == "bridge" and not unit.low_port:  # a capability would hold among its own users only
        yield "PrivateUsers=yes"
    yield from _OPEN_TO_THE_AGENT if unit.part == "agent" else _CLOSED_TO_THE_BRIDGE
    if unit.groups:
        yield f"SupplementaryGroups={' '.join(unit.groups)}"


def quoted(word: str) -> str:
    """Return one word of a command line as systemd reads it back; only `CREDENTIALS` stays a variable."""
    text = CREDENTIALS.join(_escaped(part).replace("$", "$$") for part in word.split(CREDENTIALS))
    if re.fullmatch(r"[\w@%+=:,./${}-]+", text, re.ASCII):
        return text
    return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', _escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    letter = found[0]
    return f"\\{letter}" if letter in '"\\' else f"\\x{ord(letter):02x}"


def _escaped(text: str) -> str:
    """Return a text in which systemd finds no specifier."""
    return text.replace("%", "%%")
