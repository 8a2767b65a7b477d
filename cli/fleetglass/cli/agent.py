"""`fleetglass agent`: publish this host."""

import argparse

from fleetglass.cli.arguments import add_keys
from fleetglass.cli.configuration import read_configuration
from fleetglass.cli.errors import CommandError
from fleetglass.cli.log import start_log
from fleetglass.cli.settings import agent_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_keys(parser, "agent")


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal ends it."""
    configuration = read_configuration(vars(arguments))
    settings = agent_settings(configuration)
    start_log("agent", configuration.get("log_level", "agent") or "info")

    from fleetglass.agent.agent import run as run_agent  # noqa: PLC0415 - bad usage is told without loading the part
    from fleetglass.agent.errors import AgentError  # noqa: PLC0415 - as above

    try:
        run_agent(settings)
    except AgentError as error:
        raise CommandError(str(error)) from error
    return 0
