"""From the configuration to the one frozen object that a part is given."""

import functools
import os
import stat
import sys
from pathlib import Path
from typing import Any

from fleetglass.agent.identity import host_name
from fleetglass.agent.settings import AgentSettings
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.configuration import Configuration
from fleetglass.cli.errors import UsageError
from fleetglass.cli.keys import Part
from fleetglass.wire import BrokerAccess, BrokerURL, ContractError, HostIdError, host_id_from_name

DEFAULT_BROKER = "mqtt://127.0.0.1:1883"
_TLS_FILES = ("ca_file", "certificate_file", "key_file")


def agent_settings(configuration: Configuration) -> AgentSettings:
    """Return what the agent is told.

    Raises:
        UsageError: the configuration does not fit together.
    """
    root = _root(configuration)
    return AgentSettings(
        broker=broker_access(configuration, "agent"),
        host_id=configuration.get("host_id", "agent") or _own_host_id(root),
        root=root,
        prefix=single_prefix(configuration, "agent"),
        custom_folder=_custom_folder(configuration),
        **_said(configuration, "agent", "interval", "top_processes", "containers", "units", "demand", "tags"),
        **_said(configuration, "agent", "home_assistant", "home_assistant_prefix", "interface"),
    )


def bridge_settings(configuration: Configuration) -> BridgeSettings:
    """Return what the bridge is told.

    Raises:
        UsageError: the configuration does not fit together.
    """
    prefixes = configuration.get("prefix", "bridge")
    names = ("host", "port", "socket", "reuse_port", "ping_interval", "ping_timeout", "auth", "token_file")
    cert, key = (_readable(configuration, "bridge", name) for name in ("cert", "key"))
    if key and not cert:
        raise UsageError("key: got a key without a certificate, expected cert as well")
    return BridgeSettings(
        broker=broker_access(configuration, "bridge"),
        **({"prefixes": prefixes} if prefixes else {}),
        cert=cert,
        key=key,
        **_said(configuration, "bridge", "allowed_hosts", "allowed_origins", "trusted_proxy"),
        **_said(configuration, "bridge", *names, "history_bytes", "history_all_hosts", "compress"),
    )


def broker_access(configuration: Configuration, part: Part) -> BrokerAccess:
    """Return where the broker of a part is and how to be let in.

    Raises:
        UsageError: a file is missing, or a password would travel in clear.
    """
    url, *others = configuration.get("broker", part) or (BrokerURL.parse(DEFAULT_BROKER),)
    files = {name: _readable(configuration, part, name) for name in _TLS_FILES}
    if files["key_file"] and not files["certificate_file"]:
        raise UsageError("key_file: got a key without a certificate, expected certificate_file as well")
    if not url.tls and any(files.values()):
        named = next(name for name in _TLS_FILES if files[name])
        raise UsageError(f"{named}: got a file for TLS with {url}, expected a broker at mqtts://")
    try:
        return BrokerAccess(
            url=url,
            others=tuple(others),
            password=configuration.get("password", part) or _password_from_file(configuration, part),
            insecure=bool(configuration.get("insecure", part)),
            **files,
        )
    except ContractError as error:
        raise UsageError(str(error)) from error


def single_prefix(configuration: Configuration, part: Part) -> str:
    """Return the one prefix that a publisher uses.

    Raises:
        UsageError: there are several.
    """
    prefixes = configuration.get("prefix", part) or ("fleet",)
    if len(prefixes) > 1:
        raise UsageError(f"prefix: got {', '.join(prefixes)}, expected one; only a bridge reads several")
    return str(prefixes[0])


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


def _own_host_id(root: str) -> str:
    name = host_name(root).split(".")[0] or "host"
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


def _readable(configuration: Configuration, part: Part, name: str) -> str | None:
    named = configuration.get(name, part)
    if named is None:
        return None
    path = Path(named).expanduser()
    if not os.access(path, os.R_OK) or not path.is_file():
        raise UsageError(f"{name}: got {named!r}, expected a file that exists and may be read")
    return str(path)


def _password_from_file(configuration: Configuration, part: Part) -> str | None:
    path = _readable(configuration, part, "password_file")
    if path is None:
        return None
    warn_if_exposed(Path(path), "password_file")
    try:
        password = Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"password_file: got {path!r}, expected text in UTF-8") from error
    if not password:
        raise UsageError(f"password_file: got an empty file, expected a password ({path})")
    return password


@functools.cache
def warn_if_exposed(path: Path, name: str) -> None:
    """Say in one line, once, that a secret can be read by every user."""
    if path.stat().st_mode & stat.S_IROTH:
        text = f"{name}: {path} can be read by every user; make it private: chmod 600 {path}"
        print(f"fleetglass: warning: {text}", file=sys.stderr)
