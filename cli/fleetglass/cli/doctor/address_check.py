"""The address under which other machines reach this one."""

from collections.abc import Iterator

from fleetglass.agent.readings import Readings
from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.main_address import main_address


def check_address(readings: Readings) -> Iterator[Finding]:
    """Tell the main address."""
    address = main_address(readings)
    if address is None:
        yield Finding("address", "note", "this machine has no default route, so no main address", "ip route")
    else:
        yield Finding("address", "ok", address)
