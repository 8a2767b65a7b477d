"""The mean CPU use of the hosts of several bridges, every few seconds, and a warning when it is high.

python examples/distributed_average.py ws://one.example:8765/ws ws://two.example:8765/ws
"""

import argparse
import asyncio
from contextlib import AsyncExitStack, suppress

from fleetglass.client import DEFAULT_URL, MonitoringClient

WARNING_PERCENT = 80.0


def cpu_by_host(clients: list[MonitoringClient]) -> dict[str, float]:
    """Return the last CPU use of every host that is live, of all clients."""
    return {
        host: use
        for client in clients
        for host, known in client.hosts.items()
        if known["state"] == "live" and (last := client.get_last_data(host))
        if (use := last["data"].get("processor", {}).get("usage_percent")) is not None
    }


async def follow(urls: list[str], every_seconds: float, warning_percent: float) -> None:
    """Print one line every few seconds; a bridge that goes away is waited for."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(MonitoringClient(url)) for url in urls]
        await asyncio.gather(*(client.start_async() for client in clients))
        while True:
            await asyncio.sleep(every_seconds)
            uses = cpu_by_host(clients)
            if not uses:
                print("no host tells its CPU use", flush=True)
                continue
            mean = sum(uses.values()) / len(uses)
            warning = "  WARNING" if mean >= warning_percent else ""
            print(f"{mean:.1f} % mean CPU use of {len(uses)} hosts{warning}", flush=True)


def main() -> None:
    """Read the arguments, then print until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("urls", nargs="*", default=[DEFAULT_URL])
    parser.add_argument("--every", type=float, default=5.0, help="seconds (default: 5)")
    parser.add_argument("--warning", type=float, default=WARNING_PERCENT, help="percent (default: 80)")
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(follow(arguments.urls, arguments.every, arguments.warning))


if __name__ == "__main__":
    main()
