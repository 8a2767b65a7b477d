"""`fleetglass agent`: publish this host."""

import argparse
from pathlib import Path

from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.configuration.arguments import add_keys
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import agent_settings
from fleetglass.cli.runtime.heartbeat import Heartbeat
from fleetglass.cli.runtime.log import start_log
from fleetglass.cli.runtime.systemd_notify import Notifier
from fleetglass.wire.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_keys(parser, "agent")
    parser.add_argument(
        "--forget",
        action="store_true",
        help="do not sample: remove this host, or the host of --host-id, from the broker",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal ends it; or forget the host."""
    configuration = read_configuration(vars(arguments))
    settings = agent_settings(configuration)
    start_log("agent", configuration.get("log_level", "agent") or ("error" if arguments.forget else "info"))
    if arguments.forget:
        return _forget(settings)

    from fleetglass.agent.agent import Progress
    from fleetglass.agent.agent import run as run_agent
    from fleetglass.wire.errors import AgentError

    told: list[Progress] = [Notifier(period_seconds=settings.interval)]
    if (file := configuration.get("heartbeat_file", "agent")) is not None:
        told.append(Heartbeat(Path(file).expanduser()))

    def progress(doing: str | None) -> None:
        for tell in told:
            tell(doing)

    try:
        run_agent(settings, progress=progress)
    except AgentError as error:
        raise CommandError(str(error)) from error
    return 0


def _forget(settings: AgentSettings) -> int:
    from fleetglass.cli.host_removal import HostRemoval, check_broker, remove_hosts, report

    check_broker(settings.broker, settings.host_id)
    with HostRemoval(
        settings.broker,
        settings.host_id,
        prefix=settings.prefix,
        home_assistant_prefix=settings.home_assistant_prefix,
    ) as removal:
        return report(remove_hosts(removal, [settings.host_id]), settings.broker.url, settings.prefix)
