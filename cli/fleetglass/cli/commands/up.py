"""`fleetglass up`: a broker, the agent and the bridge together, until Ctrl-C."""

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.commands.bridge import SHOW_LINK
from fleetglass.cli.commands.simulate import MAX_HOSTS
from fleetglass.cli.configuration.arguments import add_keys, key_arguments, read_option
from fleetglass.cli.configuration.broker_choice import BrokerChoice, check_given, choose_local
from fleetglass.cli.configuration.file import Configuration, read_configuration
from fleetglass.cli.configuration.keys import Part
from fleetglass.cli.configuration.page_address import check_port_is_free, is_healthy, page_url
from fleetglass.cli.configuration.settings import agent_settings, bridge_settings
from fleetglass.cli.configuration.values import Whole
from fleetglass.cli.runtime.stop_signals import StopSignals
from fleetglass.cli.supervisor import Supervisor
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from fleetglass.wire.errors import CommandError, UsageError

POLL_SECONDS: Final = 0.05
BROKER_START_SECONDS: Final = 15.0
SLOW_START_SECONDS: Final = 15.0
DEMO_STOP_SECONDS: Final = 15.0
"""Thousands of hosts are not cleared at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command: its own, and those of agent and bridge."""
    parser.add_argument(
        "--broker-port",
        metavar="PORT",
        default="1883",
        help="port of the broker on this machine (default: 1883)",
    )
    parser.add_argument("--demo", metavar="N", default="0", help="add N synthetic hosts to this one")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    add_keys(parser, "agent", "bridge")


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal ends it."""
    broker_port = read_option(Whole(1, 65535), arguments.broker_port, "--broker-port")
    demo = read_option(Whole(0, MAX_HOSTS), arguments.demo, "--demo")
    configuration = read_configuration(vars(arguments))
    told: dict[Part, BrokerAccess] = {"agent": agent_settings(_for_publishers(configuration)).broker}
    settings = bridge_settings(configuration)
    told["bridge"] = settings.broker
    if settings.socket is not None:
        raise UsageError("socket: got a path, expected none; `fleetglass bridge` can serve on a socket")
    check_port_is_free(settings.host, settings.port)
    link = _viewer_link(settings)
    choice = _choose_broker(configuration, told, broker_port)
    _say(f"using {choice.description}")
    with StopSignals() as stop, Supervisor(stop, _say) as supervisor:
        if choice.command:
            _start_broker(stop, supervisor, choice)
        for part in ("bridge", "agent"):
            supervisor.start(part, _command(part, arguments, configuration, choice))
        if demo:
            command = [*_command("simulate", arguments, configuration, choice), f"--hosts={demo}"]
            # It clears its hosts when it is asked to end.
            supervisor.start("simulate", command, dies_by_term=True, stop_seconds=DEMO_STOP_SECONDS)
        if _wait_for_page(stop, supervisor, settings):
            _announce(settings, link, in_browser=arguments.open)
        while not stop.requested:
            supervisor.watch(3600)
    return 0


def _for_publishers(configuration: Configuration) -> Configuration:
    # The bridge reads all prefixes; this machine is one host, under the first.
    prefixes = configuration.get("prefix", "agent")
    return replace(configuration, arguments={**configuration.arguments, "prefix": prefixes and prefixes[:1]})


def _choose_broker(
    configuration: Configuration, told: Mapping[Part, BrokerAccess], port: int
) -> BrokerChoice:
    given = [access for part, access in told.items() if configuration.get("broker", part)]
    if not given:
        return choose_local(port)
    return [check_given(access) for access in dict.fromkeys(given)][-1]


def _start_broker(stop: StopSignals, supervisor: Supervisor, choice: BrokerChoice) -> None:
    # mosquitto saves the retained messages when it is asked to end; it needs no more than that.
    supervisor.start("broker", choice.command, dies_by_term=choice.saves_when_asked, serves_others=True)
    deadline = time.monotonic() + BROKER_START_SECONDS
    access = BrokerAccess(url=choice.url)
    while not stop.requested and probe(access, 1.0).outcome != "accepted":
        if time.monotonic() > deadline:
            raise CommandError(
                f"broker: the one started on {choice.url} gave no answer within {BROKER_START_SECONDS:g} s"
            )
        supervisor.watch(POLL_SECONDS)


def _command(
    part: Part, arguments: argparse.Namespace, configuration: Configuration, choice: BrokerChoice
) -> list[str]:
    given = dict(vars(arguments))
    if part != "bridge":
        given["prefix"] = _for_publishers(configuration).get("prefix", part)
    command = [sys.executable, "-m", "fleetglass.cli", part, *key_arguments(given, part)]
    if not configuration.get("broker", part):
        command.append(f"--broker={choice.url}")
    if not configuration.get("log_level", part):
        command.append("--log-level=warning")
    return command


def _wait_for_page(stop: StopSignals, supervisor: Supervisor, settings: BridgeSettings) -> bool:
    slow_at = time.monotonic() + SLOW_START_SECONDS
    while not stop.requested:
        if is_healthy(settings.host, settings.port, tls=settings.cert is not None):
            return True
        if slow_at < time.monotonic():
            slow_at = float("inf")
            url = page_url(settings.host, settings.port, tls=settings.cert is not None)
            _say(f"{url} does not answer yet; still waiting (a firewall there? --port chooses another)")
        supervisor.watch(POLL_SECONDS)
    return False


def _viewer_link(settings: BridgeSettings) -> str | None:
    """Return the link for viewers who need the token, which is made here and not by the bridge's process."""
    from fleetglass.bridge.viewers.access import needs_token  # most need no token
    from fleetglass.bridge.viewers.token import read_or_make_token, viewer_link
    from fleetglass.wire.errors import BridgeError

    if not needs_token(settings):
        return None
    try:
        return viewer_link(settings, read_or_make_token(settings)[0])
    except BridgeError as error:
        raise CommandError(str(error)) from error


def _announce(settings: BridgeSettings, link: str | None, *, in_browser: bool) -> None:
    url = page_url(settings.host, settings.port, tls=settings.cert is not None)
    print(f"Fleetglass is at {url}", flush=True)
    if link is not None and sys.stdout.isatty():
        print(f"Viewer link: {link}", flush=True)
    elif link is not None:
        _say(f"viewers need the token; its link: {SHOW_LINK}")
    if in_browser:
        import webbrowser  # rarely asked for

        if not webbrowser.open(url):
            _say(f"no browser could be opened; open {url} yourself")


def _say(text: str) -> None:
    print(f"fleetglass: {text}", file=sys.stderr, flush=True)
