"""`fleetglass doctor`: checks what can go wrong, one line each, with what to do about it."""

import argparse
import importlib.util
import os
import platform
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.arguments import add_keys
from fleetglass.cli.broker_choice import INSTALL_MOSQUITTO, find_mosquitto
from fleetglass.cli.configuration import Configuration, read_configuration
from fleetglass.cli.errors import CommandError
from fleetglass.cli.page import is_healthy, local_address, page_url
from fleetglass.cli.probe import probe
from fleetglass.cli.settings import agent_settings, bridge_settings
from fleetglass.wire import BrokerAccess
from fleetglass.wire.version import VERSION


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check; `remedy` says what to do when it is not well."""

    what: str
    well: bool
    text: str
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_keys(parser, "agent", "bridge")


def run(arguments: argparse.Namespace) -> int:
    """Print every finding; exit code 1 when something is wrong."""
    well = True
    for finding in _findings(arguments):
        well = well and finding.well
        remedy = f"; {finding.remedy}" if finding.remedy else ""
        print(f"{'ok   ' if finding.well else 'wrong'}  {finding.what}: {finding.text}{remedy}", flush=True)
    return 0 if well else 1


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    yield Finding("versions", True, f"fleetglass {VERSION}, Python {platform.python_version()}")
    yield _own_broker()
    try:
        configuration = read_configuration(vars(arguments))
        agent, bridge = agent_settings(configuration), bridge_settings(configuration)
    except CommandError as error:
        yield Finding("configuration", False, str(error))
        return
    source = f"read from {configuration.path}" if configuration.path else "no file; defaults and environment"
    yield Finding("configuration", True, f"{source}; this host is {agent.host_id!r}, prefix {agent.prefix!r}")
    for name, access in {"agent": agent.broker, "bridge": bridge.broker}.items():
        if name == "agent" or access != agent.broker:
            for node in access.nodes:
                yield _broker(node, configuration)
    yield _page(bridge)


def _own_broker() -> Finding:
    if program := find_mosquitto():
        return Finding("broker program", True, f"mosquitto is at {program}")
    if importlib.util.find_spec("amqtt") is not None:
        return Finding(
            "broker program", True, f"the embedded broker serves a home; for more: {INSTALL_MOSQUITTO}"
        )
    return Finding(
        "broker program", True, f"none here; `fleetglass up` needs --broker, or: {INSTALL_MOSQUITTO}"
    )


def _broker(access: BrokerAccess, configuration: Configuration) -> Finding:
    what = f"broker {access.url}"
    try:
        answer = probe(access)
    except CommandError as error:
        return Finding(what, False, str(error))
    match answer.outcome:
        case "accepted":
            return Finding(what, True, "reachable, and it lets us in")
        case "refused":
            remedy = "user name in the address, password in FLEETGLASS_PASSWORD or password_file"
            return Finding(what, False, answer.reason, answer.remedy or remedy)
        case "no_mqtt":
            return Finding(what, False, answer.reason, answer.remedy or "check host and port")
        case "nothing":
            given = configuration.get("broker", "agent") or configuration.get("broker", "bridge")
            remedy = "start it, or name another with --broker" if given else "`fleetglass up` starts one"
            return Finding(what, False, f"nothing answers: {answer.reason}", remedy)


def _page(bridge: BridgeSettings) -> Finding:
    if bridge.socket is not None:
        served = os.path.exists(bridge.socket)  # noqa: PTH110 - a folder that may not be entered is an error of its own in Path
        return Finding(f"page at socket {bridge.socket}", True, "there" if served else "not running")
    host, port, tls = bridge.host, bridge.port, bridge.cert is not None
    url = page_url(host, port, tls=tls)
    if is_healthy(host, port, tls=tls):
        return Finding(f"page {url}", True, "served and well")
    try:
        socket.create_connection((local_address(host), port), 1).close()
    except OSError:
        return Finding(f"page {url}", True, "not running; `fleetglass up` or `fleetglass bridge` serves it")
    return Finding(f"page {url}", False, "another program listens there", "choose another port with --port")
