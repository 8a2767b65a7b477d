"""From the configuration to the one frozen object that a part is given."""

import os
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetglass.agent.identity import host_name, kept_id_hash
from fleetglass.agent.own_container import is_container_id, own_container
from fleetglass.agent.selection import DEFAULT_SELECTIONS, Selections, selection_of
from fleetglass.agent.settings import AgentSettings
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.configuration.file import Configuration
from fleetglass.cli.configuration.keys import Part
from fleetglass.cli.configuration.reachable import warn_if_exposed
from fleetglass.cli.configuration.state_folder import state_folder
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import ContractError, HostIdError, host_id_from_name
from fleetglass.wire.errors import UsageError

if TYPE_CHECKING:
    from fleetglass.fleet.expected_host_list import ExpectedHostList

DEFAULT_BROKER = "mqtt://127.0.0.1:1883"
_CERTIFICATES = ("certificate_file", "certificate")
_KEYS = ("key_file", "private_key")
_TLS = (("ca_file", "ca"), _CERTIFICATES, _KEYS)


def agent_settings(configuration: Configuration) -> AgentSettings:
    """Return what the agent is told.

    Raises:
        UsageError: the configuration does not fit together.
    """
    root = _root(configuration)
    container = own_container() if root == "/" else None
    kept_id = kept_id_hash(state_folder()) if container else None
    return AgentSettings(
        broker=broker_access(configuration, "agent"),
        host_id=configuration.get("host_id", "agent") or _own_host_id(root, container, kept_id),
        root=root,
        container=container,
        kept_id_hash=kept_id,
        prefix=single_prefix(configuration, "agent"),
        custom_folder=_custom_folder(configuration),
        selections=_selections(configuration),
        **_said(
            configuration,
            "agent",
            "interval",
            "top_processes",
            "containers",
            "units",
            "nut",
            "storage",
            "demand",
            "tags",
            "updates",
        ),
        **_said(configuration, "agent", "home_assistant", "home_assistant_prefix", "interface"),
    )


def bridge_settings(configuration: Configuration) -> BridgeSettings:
    """Return what the bridge is told.

    Raises:
        UsageError: the configuration does not fit together.
    """
    prefixes = configuration.get("prefix", "bridge")
    names = ("host", "port", "socket", "ping_interval", "ping_timeout", "auth", "token_file")
    cert, key = (_readable(configuration, "bridge", name) for name in ("cert", "key"))
    if key and not cert:
        raise UsageError("key: got a key without a certificate, expected cert as well")
    if hosts_file := _readable(configuration, "bridge", "hosts_file"):
        expected_host_list(configuration, "bridge")  # so that a bad item is found before anything starts
    proxy_secret = _proxy_secret(configuration)
    return BridgeSettings(
        broker=broker_access(configuration, "bridge"),
        hosts_file=hosts_file,
        **({"prefixes": prefixes} if prefixes else {}),
        cert=cert,
        key=key,
        proxy_secret=proxy_secret,
        **_said(configuration, "bridge", "trusted_proxy", "proxy_user_header"),
        **_said(configuration, "bridge", "allowed_hosts", "allowed_origins"),
        **_said(configuration, "bridge", *names, "history_bytes", "history_all_hosts", "compress", "hosts"),
    )


def broker_access(configuration: Configuration, part: Part) -> BrokerAccess:
    """Return where the broker of a part is and how to be let in.

    Raises:
        UsageError: a file is missing, or a password would travel in clear.
    """
    url, *others = configuration.get("broker", part) or (BrokerURL.parse(DEFAULT_BROKER),)
    tls = {name: value for names in _TLS for name, value in _one_of(configuration, part, *names).items()}
    for names in _TLS if not url.tls else ():
        if named := next((name for name in names if name in tls), None):
            raise UsageError(f"{named}: only for TLS: got {url}, expected a broker at mqtts://")
    key = next((name for name in _KEYS if name in tls), None)
    if key and not any(name in tls for name in _CERTIFICATES):
        raise UsageError(f"{key}: got a key without a certificate, expected {' or '.join(_CERTIFICATES)}")
    try:
        return BrokerAccess(
            url=url,
            others=tuple(others),
            password=_password(configuration, part),
            insecure=bool(configuration.get("insecure", part)),
            **tls,
        )
    except ContractError as error:
        raise UsageError(str(error)) from error


def expected_host_list(configuration: Configuration, part: Part) -> "ExpectedHostList":
    """Return the hosts that the user expects, as a part reads them.

    Raises:
        UsageError: the file cannot be read, or has bad items.
    """
    from fleetglass.fleet.expected_host_list import ExpectedHostList  # an agent never loads it

    file = _readable(configuration, part, "hosts_file")
    try:
        return ExpectedHostList(configuration.get("hosts", part) or (), Path(file) if file else None)
    except ContractError as error:
        raise UsageError(*error.args) from error


def single_prefix(configuration: Configuration, part: Part) -> str:
    """Return the one prefix that a publisher uses.

    Raises:
        UsageError: there are several.
    """
    prefixes = configuration.get("prefix", part) or ("fleet",)
    if len(prefixes) > 1:
        raise UsageError(f"prefix: got {', '.join(prefixes)}, expected one; only a bridge reads several")
    return str(prefixes[0])


def _selections(configuration: Configuration) -> Selections:
    given = {
        field.name: selection_of(
            configuration.get(f"include_{field.name}", "agent"),
            configuration.get(f"exclude_{field.name}", "agent"),
            getattr(DEFAULT_SELECTIONS, field.name),
        )
        for field in fields(Selections)
    }
    return Selections(**given)


def _said(configuration: Configuration, part: Part, *names: str) -> dict[str, Any]:
    values = {name: configuration.get(name, part) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _root(configuration: Configuration) -> str:
    named = configuration.get("root", "agent")
    if named is None:
        return "/"
    root = Path(named).expanduser().absolute()
    if not (root / "proc" / "stat").exists():
        raise UsageError(f"root: got {named!r}, expected a folder with proc/stat in it, such as /host")
    return str(root)


def _own_host_id(root: str, container: str | None, kept_id: str | None) -> str:
    name = host_name(root).split(".")[0] or "host"
    if kept_id and container and (container == "kubernetes" or is_container_id(name)):
        name = f"container-{kept_id[:8]}"  # each new container has another name
    try:
        return host_id_from_name(name)
    except HostIdError as error:
        raise UsageError(f"{error}; name the host with --host-id") from error


def _custom_folder(configuration: Configuration) -> Path | None:
    named = configuration.get("custom_folder", "agent")
    if named is None:
        return None
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"custom_folder: got {named!r}, expected a folder that exists")
    return folder


def _one_of(configuration: Configuration, part: Part, *names: str) -> dict[str, str]:
    """Return the one of these keys that was said last, with its value; a file is one that may be read."""
    name = configuration.said_last(part, *names)
    if name is None:
        return {}
    path = _readable(configuration, part, name) if name.endswith("_file") else None
    return {name: path or configuration.get(name, part)}


def _readable(configuration: Configuration, part: Part, name: str) -> str | None:
    named = configuration.get(name, part)
    if named is None:
        return None
    path = Path(named).expanduser()
    if not os.access(path, os.R_OK) or not path.is_file():
        raise UsageError(f"{name}: got {named!r}, expected a file that exists and may be read")
    return str(path)


def _password(configuration: Configuration, part: Part) -> str | None:
    said = _one_of(configuration, part, "password", "password_file")
    path = said.get("password_file")
    if path is None:
        return said.get("password")
    return _secret(path, "password_file", "a password")


def _proxy_secret(configuration: Configuration) -> str | None:
    """Return what a proxy proves itself by, and refuse what would let in anybody who sends a header."""
    header = configuration.get("proxy_user_header", "bridge")
    path = _readable(configuration, "bridge", "proxy_secret_file")
    if header is None and path is not None:
        raise UsageError("proxy_secret_file: got a secret without proxy_user_header, expected both")
    if header is not None and configuration.get("auth", "bridge") is False:
        raise UsageError(f"proxy_user_header: got {header!r} with auth: false, expected only one of them")
    if path is not None:
        secret = _secret(path, "proxy_secret_file", "a secret")
        if not re.fullmatch(r"[!-~]{16,}", secret):
            raise UsageError(
                f"proxy_secret_file: expected at least 16 letters and digits, without spaces ({path}); "
                "make one with: openssl rand -hex 24"
            )
        return secret
    if header is not None and configuration.get("socket", "bridge") is None:
        raise UsageError(
            f"proxy_user_header: got {header!r} at a port, where any program could send it; "
            "expected proxy_secret_file as well, or socket"
        )
    return None


def _secret(path: str, name: str, what: str) -> str:
    """Return the one line of a file."""
    warn_if_exposed(Path(path), name)
    try:
        text = Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: got {path!r}, expected text in UTF-8") from error
    if not text:
        raise UsageError(f"{name}: got an empty file, expected {what} ({path})")
    return text
