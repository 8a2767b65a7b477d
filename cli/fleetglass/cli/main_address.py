"""The address under which other machines reach this one, in words."""

from fleetglass.agent.readings import Readings


def main_address(readings: Readings) -> str | None:
    """Return the source address of the default route and its interface; None without a default route."""
    try:
        address = readings.main_address()
        networks = readings.addresses()
    except (OSError, ValueError):
        return None
    if address is None:
        return None
    for name, found in networks.items():
        if address in (one.partition("/")[0] for one in found):
            return f"{address} on {name}"
    return address
