"""`fleetglass simulate`: publish synthetic hosts, marked as such."""

import argparse
import time

from fleetglass.cli.configuration.arguments import add_keys, read_option
from fleetglass.cli.configuration.broker_choice import check_given
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import broker_access, single_prefix
from fleetglass.cli.configuration.values import Number, Whole
from fleetglass.cli.runtime.log import start_log

MAX_HOSTS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--hosts", metavar="N", required=True, help="number of hosts")
    parser.add_argument("--suspended", metavar="N", default="0", help="hosts that sleep (default: 0)")
    parser.add_argument("--cores", metavar="N", default="4", help="cores of each host (default: 4)")
    parser.add_argument("--duration", metavar="SECONDS", help="stop after this time (default: never)")
    parser.add_argument("--seed", metavar="N", default="0", help="number that selects a fleet (default: 0)")
    add_keys(parser, "simulate")


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal, or for the duration."""
    hosts = read_option(Whole(1, MAX_HOSTS), arguments.hosts, "--hosts")
    suspended = read_option(Whole(0, hosts), arguments.suspended, "--suspended")
    cores = read_option(Whole(1, 1024), arguments.cores, "--cores")
    seed = read_option(Whole(0, 2**31), arguments.seed, "--seed")
    duration = None
    if arguments.duration is not None:
        duration = read_option(Number(0.1, 1e8), arguments.duration, "--duration")
    configuration = read_configuration(vars(arguments))
    access = broker_access(configuration, "simulate")
    prefix = single_prefix(configuration, "simulate")
    interval = configuration.get("interval", "simulate") or 1.0
    start_log("simulate", configuration.get("log_level", "simulate") or "info")
    check_given(access)

    from fleetglass.cli.runtime.stop_signals import StopSignals
    from fleetglass.cli.simulator.simulated_fleet import SimulationSettings, run_fleet
    from fleetglass.cli.simulator.synthetic_host import make_host
    from fleetglass.wire.version import VERSION

    now = time.time()
    settings = SimulationSettings(
        broker=access,
        hosts=tuple(make_host(number, cores=cores, now=now, seed=seed) for number in range(1, hosts + 1)),
        version=VERSION,
        prefix=prefix,
        interval=interval,
        duration=duration,
        suspended=suspended,
    )
    with StopSignals() as stop:
        run_fleet(settings, stop)
    return 0
