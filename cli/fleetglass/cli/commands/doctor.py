"""`fleetglass doctor`: checks an installation, and prints each finding with its remedy in one line."""

import argparse
import importlib.util
import logging
import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from fleetglass.agent.own_container import SHOW_THE_HOST, shown_instead
from fleetglass.agent.settings import AgentSettings
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.configuration.arguments import add_keys
from fleetglass.cli.configuration.broker_choice import INSTALL_MOSQUITTO, find_mosquitto
from fleetglass.cli.configuration.file import Configuration, read_configuration
from fleetglass.cli.configuration.keys import keys_of
from fleetglass.cli.configuration.settings import agent_settings, bridge_settings
from fleetglass.cli.doctor.finding import Check, Finding, Report
from fleetglass.wire import is_host_id
from fleetglass.wire.errors import CommandError
from fleetglass.wire.version import VERSION

_WIDTH: Final = 20
_OF_WATCH: Final = {"url", "token_file"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "part",
        metavar="PART",
        nargs="?",
        choices=("agent", "bridge"),
        help="check only the agent or the bridge",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, as docs/doctor.md describes"
    )
    others = {key.name for key in keys_of("watch")} - {key.name for key in keys_of("agent", "bridge")}
    add_keys(parser, "agent", "bridge", "watch", without=tuple(others - _OF_WATCH))


def run(arguments: argparse.Namespace) -> int:
    """Print every finding; exit code 1 when something is wrong."""
    logging.getLogger("fleetglass").setLevel(logging.CRITICAL)  # the findings say it
    began = time.time()
    findings = []
    for finding in _findings(arguments):
        findings.append(finding)
        if not arguments.json:
            print(_line(finding), flush=True)
    well = all(one.state != "wrong" for one in findings)
    if arguments.json:
        print(msgspec.json.encode(Report(VERSION, round(began, 3), well, findings)).decode())
    return 0 if well else 1


def _line(finding: Finding) -> str:
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    text = f"{finding.state:5}  {finding.what:{_WIDTH}}  {finding.text}{remedy}"
    return "".join(one if one.isprintable() else "?" for one in text)


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    from fleetglass.cli.doctor.clock_check import check_clock
    from fleetglass.cli.doctor.service_check import check_service

    yield _versions()
    checks: dict[str, Check] = {}
    configuration: Configuration | None = None
    try:
        configuration = read_configuration(vars(arguments))
    except CommandError as error:
        yield _misconfigured(error)
    else:
        yield from _configured(arguments, configuration, checks)
    path = configuration.path if configuration else None
    checks["clock"] = check_clock
    if arguments.part != "bridge":
        checks["service agent"] = lambda: check_service("agent", path)
    if arguments.part != "agent":
        checks["service bridge"] = lambda: check_service("bridge", path)
    yield from _run_in_parallel(checks)


def _run_in_parallel(checks: Mapping[str, Check]) -> Iterator[Finding]:
    """Yield the findings of each check, in order. An unexpected exception costs one check, not the others."""
    with ThreadPoolExecutor(len(checks), "fleetglass-doctor") as pool:
        runs = {what: pool.submit(_findings_of, check) for what, check in checks.items()}
        for what, run in runs.items():
            try:
                yield from run.result()
            except Exception as error:
                if os.environ.get("FLEETGLASS_LOG_LEVEL") == "debug":
                    raise
                text = f"this check failed: {type(error).__name__}: {' '.join(str(error).split())}"
                remedy = "FLEETGLASS_LOG_LEVEL=debug fleetglass doctor shows where"
                yield Finding(what, "wrong", text, remedy)


def _findings_of(check: Check) -> list[Finding]:
    return list(check())


def _configured(
    arguments: argparse.Namespace, configuration: Configuration, checks: dict[str, Check]
) -> Iterator[Finding]:
    """Yield what the configuration says, and add the checks for which it suffices."""
    from fleetglass.cli.doctor.configuration_check import check_secrets

    agent: AgentSettings | None = None
    bridge: BridgeSettings | None = None
    source = f"read from {configuration.path}" if configuration.path else "no file; defaults and environment"
    try:
        agent = agent_settings(_of_agent(arguments, configuration)) if arguments.part != "bridge" else None
        bridge = bridge_settings(configuration) if arguments.part != "agent" else None
    except CommandError as error:
        yield _misconfigured(error)
    else:
        if agent is not None and bridge is not None and agent.user is not None and not is_host_id(agent.user):
            agent = None
        who = f"this host is {agent.host_id}, prefix {agent.prefix}" if agent else "of a bridge"
        yield Finding("configuration", "ok", f"{source}; {who}")
    yield from check_secrets(configuration)
    if agent is not None and agent.container is not None:
        kept = agent.kept_id_hash is not None
        text = f"the agent is {shown_instead(agent.container, agent.host_id, has_kept_id=kept)}"
        yield Finding("container", "note", text, SHOW_THE_HOST)
    if agent is not None or bridge is not None:
        from fleetglass.agent.readings import host_readings
        from fleetglass.cli.doctor.address_check import check_address

        readings = host_readings(agent.root if agent is not None else "/")
        checks["address"] = lambda: check_address(readings)
    if agent is not None:
        _add_agent(checks, agent, configuration)
    if bridge is not None:
        _add_bridge(checks, bridge, agent, configuration)
    if url := configuration.get("url", "watch"):
        yield from _add_url(checks, url, configuration)


def _of_agent(arguments: argparse.Namespace, configuration: Configuration) -> Configuration:
    # A bridge reads all prefixes; `fleetglass up` has this machine under the first.
    prefixes = configuration.get("prefix", "agent")
    if arguments.part is not None or not prefixes:
        return configuration
    return replace(configuration, arguments={**configuration.arguments, "prefix": prefixes[:1]})


def _add_agent(checks: dict[str, Check], agent: AgentSettings, configuration: Configuration) -> None:
    from fleetglass.cli.doctor.broker_check import BrokerNodes
    from fleetglass.cli.doctor.collector_check import check_collectors
    from fleetglass.cli.doctor.permission_check import check_agent

    def check() -> Iterator[Finding]:
        nodes = BrokerNodes(agent.broker, user=agent.user, named=bool(configuration.get("broker", "agent")))
        yield from nodes.check()
        if nodes.usable is not None:
            yield from check_agent(nodes.usable, agent)

    checks["broker"] = check
    checks["collectors"] = lambda: check_collectors(agent)


def _add_bridge(
    checks: dict[str, Check],
    bridge: BridgeSettings,
    agent: AgentSettings | None,
    configuration: Configuration,
) -> None:
    from fleetglass.cli.doctor.broker_check import BrokerNodes
    from fleetglass.cli.doctor.page_check import check_own_page
    from fleetglass.cli.doctor.permission_check import check_bridge

    user = bridge.broker.url.user

    def check() -> Iterator[Finding]:
        nodes = BrokerNodes(bridge.broker, user=user, named=bool(configuration.get("broker", "bridge")))
        yield from nodes.check()
        if nodes.usable is not None:
            yield from check_bridge(nodes.usable, user, bridge.prefixes)

    if agent is None or agent.broker != bridge.broker:
        checks["broker of bridge"] = check
    checks["page"] = lambda: check_own_page(bridge)


def _add_url(checks: dict[str, Check], url: str, configuration: Configuration) -> Iterator[Finding]:
    import ssl

    from fleetglass.cli.doctor.page_check import check_url

    token, ca_file = configuration.get("token", "watch"), configuration.get("ca_file", "watch")
    token_file = configuration.get("token_file", "watch")
    try:
        if token_file and not token:
            token = Path(token_file).expanduser().read_text("utf-8").strip()
        tls = ssl.create_default_context(cafile=ca_file) if url.startswith("wss") else None
    except (OSError, UnicodeError) as error:
        text = f"token_file or ca_file: {getattr(error, 'strerror', None) or error}"
        yield Finding("configuration", "wrong", text, "sudo fleetglass doctor, or name other files")
        return
    checks["page of --url"] = lambda: check_url(url, token, tls, time.time)


def _misconfigured(error: CommandError) -> Finding:
    denied = "permission denied" in str(error).lower()
    remedy = "sudo fleetglass doctor" if denied else "correct it; fleetglass agent --help names every setting"
    return Finding("configuration", "wrong", str(error), remedy)


def _versions() -> Finding:
    program = find_mosquitto()
    own = f"fleetglass {VERSION}, Python {platform.python_version()}"
    if program is not None:
        return Finding("versions", "ok", f"{own}, mosquitto {_mosquitto_version(program)}")
    if importlib.util.find_spec("amqtt") is not None:
        text = f"{own}, the embedded broker, which serves a home"
        return Finding("versions", "ok", text)
    text = f"{own}, no broker program; `fleetglass up` needs one, or --broker"
    return Finding("versions", "note", text, INSTALL_MOSQUITTO)


def _mosquitto_version(program: str) -> str:
    try:
        done = subprocess.run([program, "-h"], check=False, capture_output=True, text=True, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        return f"at {program}"
    found = re.search(r"version (\S+)", done.stdout)
    return found[1] if found else f"at {program}"
