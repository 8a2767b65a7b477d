"""Every configuration key, said once: arguments and their help, environment and YAML derive from it."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from fleetglass.cli.kinds import (
    BridgeAddress,
    Broker,
    Choice,
    Flag,
    HostId,
    Interface,
    Kind,
    Number,
    Pem,
    Prefix,
    Prefixes,
    Text,
    Texts,
    UserHeader,
    Whole,
)

Part = Literal["agent", "bridge", "simulate", "watch", "record", "replay"]

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
    """A text of several lines: no argument either."""

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
        return {"agent", "bridge"} <= self.parts


KEYS: Final = (
    Key(
        "broker",
        Broker(),
        "address of the broker; of a cluster, those of its nodes with commas, tried in turn",
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
    Key("password", Text(), "password at the broker", _ALL, secret=True),
    Key("password_file", Text(), "file with the password at the broker", _ALL, metavar="FILE"),
    Key(
        "ca_file",
        Text(),
        "certificate authority of the broker, for mqtts://, or of a bridge that is watched, for wss://",
        _ALL,
        "the system's",
        "FILE",
    ),
    Key("ca", Pem(), "the same in PEM, instead of a file, for mqtts://", _ALL, long=True),
    Key("certificate_file", Text(), "certificate of this client, for mqtts://", _ALL, metavar="FILE"),
    Key("certificate", Pem(), "the same in PEM, instead of a file", _ALL, long=True),
    Key("key_file", Text(), "key of that certificate", _ALL, metavar="FILE"),
    Key("private_key", Pem(), "the same in PEM, instead of a file", _ALL, secret=True),
    Key("insecure", Flag(), "send a password in clear even to another machine", _ALL),
    Key("log_level", Choice(LOG_LEVELS), "what to log: " + ", ".join(LOG_LEVELS), _ALL, "info", "LEVEL"),
    Key("host_id", HostId(), "name of this host in topics", _AGENT, "the host name, made to fit", "ID"),
    Key("interval", Number(0.5, 60), "seconds between two samples", _PUBLISHERS, "1", "SECONDS"),
    Key("top_processes", Whole(0, 100), "length of the lists of the largest processes", _AGENT, "10", "N"),
    Key("demand", Flag(), "let bridges ask for costly groups more often while somebody watches", _AGENT),
    Key("containers", Flag(), "publish the containers of Docker or Podman, read-only", _AGENT),
    Key(
        "units",
        Texts(),
        "unit of systemd to publish, by name or pattern, and with it all that failed; runs systemctl",
        _AGENT,
        metavar="UNIT",
        flag="--unit",
        repeated=True,
    ),
    Key(
        "custom_folder",
        Text(),
        "folder of programs to run and JSON files to read, each as the group custom-<name>",
        _AGENT,
        metavar="FOLDER",
    ),
    Key("tags", Texts(), "label of this host", _AGENT, flag="--tag", repeated=True),
    Key("root", Text(), "folder under which /proc and /sys of the host lie", _AGENT, "/", "FOLDER"),
    Key(
        "home_assistant",
        Flag(),
        "do not tell Home Assistant of this host",
        _AGENT,
        flag="--no-home-assistant",
    ),
    Key(
        "home_assistant_prefix",
        Prefix(),
        "topic prefix under which Home Assistant looks for devices",
        _AGENT,
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
    Key("host", Text(), "address to serve the page at", _BRIDGE, "127.0.0.1", "ADDRESS"),
    Key("port", Whole(1, 65535), "port to serve the page at", _BRIDGE, "8765", "PORT"),
    Key(
        "socket",
        Text(),
        "Unix socket to serve the page at, for a proxy, instead of address and port",
        _BRIDGE,
        metavar="PATH",
    ),
    Key("reuse_port", Flag(), "share the port with other bridges on this machine (Linux)", _BRIDGE),
    Key("cert", Text(), "serve the page by TLS with this certificate, in PEM", _BRIDGE, metavar="FILE"),
    Key("key", Text(), "key of the certificate", _BRIDGE, "in the file of the certificate", "FILE"),
    Key(
        "ping_interval",
        Number(1, 3600),
        "seconds between two pings, of a bridge to a viewer or of a viewer to the bridge",
        _BRIDGE | _WATCH,
        "20, of a viewer 30",
        "SECONDS",
    ),
    Key(
        "ping_timeout",
        Number(1, 3600),
        "seconds within which a ping must be answered",
        _BRIDGE | _WATCH,
        "20, of a viewer 10",
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
        "memory that the history may take",
        _BRIDGE,
        "67108864",
        "BYTES",
    ),
    Key(
        "history_all_hosts",
        Whole(0, 100_000),
        "up to this many hosts the detail of all is kept",
        _BRIDGE,
        "32",
        "N",
    ),
    Key("compress", Flag(), "compress what browsers get, for slow links", _BRIDGE),
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
        "seconds before the second try to connect; they double with each, up to 15 or this, with some chance",
        _WATCH,
        "0.5",
        "SECONDS",
    ),
    Key("max_reconnects", Whole(0, 10**9), "tries in vain after which to end", _WATCH, "never", "N"),
    Key(
        "format",
        Choice(FORMATS),
        "how to print: " + ", ".join(FORMATS),
        _WATCH,
        "simple",
        "FORMAT",
        aliases=("-f",),
    ),
    Key("warning_percent", Number(0, 100), "use from which on a number is yellow", _WATCH, "80", "PERCENT"),
    Key("critical_percent", Number(0, 100), "use from which on a number is red", _WATCH, "90", "PERCENT"),
    Key(
        "log_file",
        Text(),
        "file to log to, renamed at 10 MiB, with five older ones kept",
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
