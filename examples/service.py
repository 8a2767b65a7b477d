"""Monitoring as a part of a program that does something else.

The service starts whether or not a bridge is there, keeps trying, and hands on what the program asks for.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from fleetglass.client import DEFAULT_URL, ClientError, MonitoringClient

RETRIES = 5
RETRY_SECONDS = 10.0

log = logging.getLogger("service")


class MonitoringService:
    """Follows a fleet between `start` and `stop`, and knows the busiest host."""

    def __init__(self, url: str = DEFAULT_URL, retry_seconds: float = RETRY_SECONDS) -> None:
        self._retry_seconds = retry_seconds
        self._client = MonitoringClient(
            url,
            logger=log,
            on_message=self._take,
            on_error=self._note_error,
            on_connect=lambda: log.info("connected"),
            on_disconnect=lambda: log.info("disconnected"),
        )
        self._client.ws_client.on("host_state", self._note_state)
        self._uses: dict[str, float] = {}

    async def start(self) -> None:
        """Connect; five times, ten seconds apart. Once connected, the client finds its way back itself.

        Raises:
            ClientError: the bridge refuses us, or is not there after the last try.
            TimeoutError: it does not answer.
        """
        for left in reversed(range(RETRIES)):
            try:
                await self._client.start_async()
            except (ClientError, TimeoutError):
                if not left:
                    raise
                await asyncio.sleep(self._retry_seconds)
            else:
                return

    async def stop(self) -> None:
        """Disconnect."""
        await self._client.stop_async()

    @property
    def busiest(self) -> tuple[str, float] | None:
        """The host with the highest CPU use, and that use in percent."""
        return max(self._uses.items(), key=lambda entry: entry[1], default=None)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _take(self, message: Mapping[str, Any]) -> None:
        use = message["data"].get("processor", {}).get("usage_percent")
        if use is not None:
            self._uses[message["host"]] = use

    async def _note_state(self, change: Mapping[str, Any]) -> None:
        if change["new_state"] != "live":
            self._uses.pop(change["host"], None)

    async def _note_error(self, error: Exception) -> None:
        log.debug("went on after: %s", error)


async def main(url: str) -> None:
    """Print the busiest host every two seconds, until a signal."""
    logging.basicConfig(level=logging.INFO)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows, where Ctrl-C raises instead
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with MonitoringService(url) as service:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 2)
            print(service.busiest, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or [DEFAULT_URL]))
