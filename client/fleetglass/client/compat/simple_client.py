"""Following hosts in three lines."""

import os
import sys
from types import TracebackType
from typing import Any, Self

from fleetglass.client.bridge_source import DEFAULT_URL
from fleetglass.client.compat.callbacks import Function
from fleetglass.client.compat.monitoring_client import MonitoringClient
from fleetglass.client.formatting.formatters import Formatter


class SimpleMonitoringClient:
    """The shortest way to follow a bridge from a program without an event loop.

    Args:
        uri: the address of the bridge's WebSocket.
        on_data: called with each message, in a thread of its own.
        auto_print: whether each message is printed.
        format_type: how it is printed.
        color: whether in colours; without it, where there is a terminal and no `NO_COLOR`.
        options: as of `MonitoringClient`.
    """

    def __init__(
        self,
        uri: str = DEFAULT_URL,
        on_data: Function | None = None,
        *,
        auto_print: bool = True,
        format_type: str | Formatter = "simple",
        color: bool | None = None,
        **options: Any,
    ) -> None:
        self._client = MonitoringClient(
            uri,
            format_type=format_type,
            color=sys.stdout.isatty() and not os.environ.get("NO_COLOR") if color is None else color,
            sync_mode=True,
            on_message=on_data,
            show=print if auto_print else None,
            **options,
        )

    def connect(self) -> None:
        """Connect, as `MonitoringClient.start` does."""
        self._client.start()

    def disconnect(self) -> None:
        """Disconnect; repeating it does nothing."""
        self._client.stop()

    def wait(self, seconds: float | None = None) -> None:
        """Return when the client has given up, or after so many seconds."""
        self._client.wait(seconds)

    def is_connected(self) -> bool:
        """Return whether the bridge answers."""
        return self._client.is_connected()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.disconnect()
