"""Every configuration key, said once: arguments and their help, environment and YAML derive from it."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from fleetglass.cli.configuration.values import (
    BridgeAddress,
    Broker,
    Choice,
    Flag,
    HostId,
    HostList,
    Interface,
    Kind,
    Number,
    Pem,
    Prefix,
    Prefixes,
    Text,
    Texts,
    Upsd,
    UserHeader,
    Whole,
)

Part = Literal["agent", "bridge", "simulate", "watch", "record", "replay", "forget"]

ENVIRONMENT_PREFIX: Final = "FLEETGLASS_"

OTHER_VARIABLES: Final = frozenset({"CONFIG"})
"""Variables that are read, but are no keys."""

LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
FORMATS: Final = ("simple", "detailed", "compact", "json")

_ALL: Final[frozenset[Part]] = frozenset(get_args(Part))
_PUBLISHERS: Final[frozenset[Part]] = frozenset({"agent", "simulate"})
_AGENT: Final[frozenset[Part]] = frozenset({"agent"})
_BRIDGE: Final[frozenset[Part]] = frozenset({"bridge"})
_WATCH: Final[frozenset[Part]] = frozenset({"watch"})


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `name` in YAML, `FLEETGLASS_NAME` in the environment, `flag` as an argument."""

    name: str
    kind: Kind[object]
    doc: str
    parts: frozenset[Part]
    default: str = ""
    """What help says of the default; empty when there is nothing to say."""
    metavar: str = "TEXT"
    flag: str | None = None
    """The argument, when it is not the name with dashes."""
    aliases: tuple[str, ...] = ()
    """Other names of the argument."""
    repeated: bool = False
    """Whether the argument may be given several times."""
    secret: bool = False
    """Never an argument, which other users see; a file with one is to be private."""
    long: bool = False
    """A text of several lines, or a list of mappings: no argument either."""
    of_fleet: bool = False
    """Whether it says what the fleet is, to every part that reads it."""

    @property
    def option(self) -> str:
        """The argument, such as `--host-id`."""
        return self.flag or "--" + self.name.replace("_", "-")

    @property
    def is_argument(self) -> bool:
        """Whether it can be an argument."""
        return not (self.secret or self.long)

    @property
    def variable(self) -> str:
        """The environment variable, such as `FLEETGLASS_HOST_ID`."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def is_shared(self) -> bool:
        """Whether it stands at the top level of the file; a section may say otherwise for its part."""
        return self.of_fleet or {"agent", "bridge"} <= self.parts


def _selection(name: str, doc: str, excluded: str = "") -> tuple[Key, Key]:
    """Return the two keys that select what is read of one kind."""
    return (
        Key(
            f"exclude_{name}",
            Texts(),
            f"pattern of {doc} to leave out",
            _AGENT,
            excluded,
            metavar="PATTERN",
            flag=f"--exclude-{name[:-1]}",
            repeated=True,
        ),
        Key(
            f"include_{name}",
            Texts(),
            f"pattern of {doc} to read; all others are left out",
            _AGENT,
            metavar="PATTERN",
            flag=f"--include-{name[:-1]}",
            repeated=True,
        ),
    )


KEYS: Final = (
    Key(
        "broker",
        Broker(),
        "address of the broker; for a cluster, the addresses of all nodes, separated by commas",
        _ALL,
        "mqtt://127.0.0.1:1883",
        "URL",
    ),
    Key(
        "prefix",
        Prefixes(),
        "topic prefix; a bridge may read several",
        _ALL - {"replay"},
        "fleet",
        repeated=True,
    ),
    Key("password", Text(), "password for the broker", _ALL, secret=True),
    Key("password_file", Text(), "file with the password for the broker", _ALL, metavar="FILE"),
    Key(
        "ca_file",
        Text(),
        "certificate authority of the broker (mqtts://) or, for watch and top, of the bridge (wss://)",
        _ALL,
        "the system's",
        "FILE",
    ),
    Key(
        "ca",
        Pem(),
        "the authority itself in PEM, instead of a file, for mqtts://",
        _ALL,
        long=True,
    ),
    Key("certificate_file", Text(), "certificate of this client, for mqtts://", _ALL, metavar="FILE"),
    Key("certificate", Pem(), "the certificate itself in PEM, instead of a file", _ALL, long=True),
    Key("key_file", Text(), "key of that certificate", _ALL, metavar="FILE"),
    Key("private_key", Pem(), "the key itself in PEM, instead of a file", _ALL, secret=True),
    Key("insecure", Flag(), "allow an unencrypted password to another machine", _ALL),
    Key("log_level", Choice(LOG_LEVELS), "log level: " + ", ".join(LOG_LEVELS), _ALL, "info", "LEVEL"),
    Key("host_id", HostId(), "name of this host in topics", _AGENT, "derived from the host name", "ID"),
    Key("interval", Number(0.5, 60), "seconds between two samples", _PUBLISHERS, "1", "SECONDS"),
    Key("top_processes", Whole(0, 100), "length of the lists of the busiest processes", _AGENT, "10", "N"),
    Key("demand", Flag(), "let bridges request costly groups more often while somebody watches", _AGENT),
    Key("containers", Flag(), "publish the containers of Docker or Podman, read-only", _AGENT),
    Key(
        "units",
        Texts(),
        "systemd unit to publish, as a name or pattern; failed units are added; runs systemctl",
        _AGENT,
        metavar="UNIT",
        flag="--unit",
        repeated=True,
    ),
    Key("storage", Flag(), "publish the health of disks, arrays and pools; runs smartctl and zpool", _AGENT),
    Key("nut", Upsd(), "upsd of Network UPS Tools whose UPSes to publish", _AGENT, metavar="HOST[:PORT]"),
    Key(
        "custom_folder",
        Text(),
        "folder with programs to run and JSON files to read; each becomes a group custom-<name>",
        _AGENT,
        metavar="FOLDER",
    ),
    Key("updates", Flag(), "count pending package updates; runs apt-get, dnf, pacman or apk", _AGENT),
    Key("tags", Texts(), "label of this host", _AGENT, flag="--tag", repeated=True),
    *_selection("interfaces", "network interfaces", "veth*, cali* and the like: container cables"),
    *_selection("disks", "block devices", "loop*, ram*"),
    *_selection("filesystems", "mount points or filesystem types", "mounts of containers, pods and snaps"),
    *_selection("sensors", "sensors, such as nvme/*,"),
    *_selection("users", "process owners"),
    Key("root", Text(), "folder that contains the host's /proc and /sys", _AGENT, "/", "FOLDER"),
    Key(
        "home_assistant",
        Flag(),
        "do not announce this host to Home Assistant",
        _AGENT,
        flag="--no-home-assistant",
    ),
    Key(
        "home_assistant_prefix",
        Prefix(),
        "topic prefix under which Home Assistant looks for devices",
        _AGENT | {"forget"},
        "homeassistant",
        "PREFIX",
    ),
    Key(
        "interface",
        Interface(),
        "publish only while this network interface has an address",
        _AGENT,
        metavar="NAME",
    ),
    Key(
        "heartbeat_file",
        Text(),
        "file to write every 10 s while samples reach the broker, for a health check",
        _AGENT,
        metavar="FILE",
    ),
    Key("host", Text(), "address to serve the page on", _BRIDGE, "127.0.0.1", "ADDRESS"),
    Key("port", Whole(1, 65535), "port to serve the page on", _BRIDGE, "8765", "PORT"),
    Key(
        "socket",
        Text(),
        "Unix socket to serve the page on, for a proxy, instead of address and port",
        _BRIDGE,
        metavar="PATH",
    ),
    Key("cert", Text(), "serve the page over TLS with this certificate, in PEM", _BRIDGE, metavar="FILE"),
    Key("key", Text(), "key of the certificate", _BRIDGE, "in the certificate file", "FILE"),
    Key(
        "ping_interval",
        Number(1, 3600),
        "seconds between two pings to the other side",
        _BRIDGE | _WATCH,
        "20; for watch and top 30",
        "SECONDS",
    ),
    Key(
        "ping_timeout",
        Number(1, 3600),
        "seconds to wait for the answer to a ping",
        _BRIDGE | _WATCH,
        "20; for watch and top 10",
        "SECONDS",
    ),
    Key(
        "trusted_proxy",
        Flag(),
        "believe X-Forwarded-For, -Host and -Proto of a proxy on this machine; its viewers need the token",
        _BRIDGE,
    ),
    Key(
        "proxy_user_header",
        UserHeader(),
        "header in which a proxy names the user it has let in, who needs no token; "
        "needs socket or proxy_secret_file",
        _BRIDGE,
        metavar="HEADER",
    ),
    Key(
        "proxy_secret_file",
        Text(),
        "file with the secret that the proxy sends in X-Fleetglass-Proxy-Secret beside that header",
        _BRIDGE,
        metavar="FILE",
    ),
    Key("auth", Flag(), "do not ask other machines for the viewer token", _BRIDGE, flag="--no-auth"),
    Key("token_file", Text(), "file that holds the viewer token", _BRIDGE | _WATCH, metavar="FILE"),
    Key(
        "allowed_hosts",
        Texts(),
        "name under which browsers may reach the page",
        _BRIDGE,
        metavar="NAME",
        flag="--allowed-host",
        repeated=True,
    ),
    Key(
        "allowed_origins",
        Texts(),
        "origin whose pages may read the stream",
        _BRIDGE,
        metavar="ORIGIN",
        flag="--allowed-origin",
        repeated=True,
    ),
    Key(
        "history_bytes",
        Whole(1_000_000, 2**40),
        "memory limit of the history, in bytes",
        _BRIDGE,
        "67108864",
        "BYTES",
    ),
    Key(
        "history_all_hosts",
        Whole(0, 100_000),
        "size of fleet up to which the details of all hosts are kept",
        _BRIDGE,
        "32",
        "N",
    ),
    Key(
        "hosts",
        HostList(),
        "hosts that you expect: one that never reported is shown as waiting; for watch and top with --broker",
        _BRIDGE | _WATCH,
        long=True,
        of_fleet=True,
    ),
    Key(
        "hosts_file",
        Text(),
        "YAML file with a list of hosts that you expect; it is read again when it changes",
        _BRIDGE | _WATCH,
        metavar="FILE",
        of_fleet=True,
    ),
    Key("compress", Flag(), "compress messages to browsers, for slow networks", _BRIDGE),
    Key(
        "url",
        BridgeAddress(),
        "address of the bridge",
        _WATCH,
        "ws://127.0.0.1:8765/ws",
        "URL",
        aliases=("--uri", "-u"),
    ),
    Key(
        "reconnect_interval",
        Number(0.1, 3600),
        "seconds before the second try to connect; the pause doubles up to 15 s, with a random part",
        _WATCH,
        "0.5",
        "SECONDS",
    ),
    Key("max_reconnects", Whole(0, 10**9), "failed tries after which to exit", _WATCH, "never", "N"),
    Key(
        "format",
        Choice(FORMATS),
        "output format: " + ", ".join(FORMATS),
        _WATCH,
        "simple",
        "FORMAT",
        aliases=("-f",),
    ),
    Key("warning_percent", Number(0, 100), "use from which a number is yellow", _WATCH, "80", "PERCENT"),
    Key("critical_percent", Number(0, 100), "use from which a number is red", _WATCH, "90", "PERCENT"),
    Key(
        "log_file",
        Text(),
        "log file; it is rotated at 10 MiB, and five older files are kept",
        _WATCH,
        metavar="FILE",
    ),
    Key("token", Text(), "viewer token", _WATCH, secret=True),
)

SECTIONS: Final[dict[str, Part]] = {"agent": "agent", "bridge": "bridge", "watch": "watch"}
"""Sections of the file; `simulate` reads the one of the agent, whose stead it takes."""


def keys_of(*parts: Part) -> tuple[Key, ...]:
    """Return the keys of any of these parts, in the order of the table."""
    return tuple(key for key in KEYS if key.parts & set(parts))


def section_of(part: Part) -> str:
    """Return the section of the file that a part reads."""
    return "agent" if part == "simulate" else part
