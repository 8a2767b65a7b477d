"""Where messages come from: a bridge, or a broker without one. Whoever reads them need not know which."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from fleetglass.wire.protocol import BridgeMessage, Watch


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The connection broke and is tried again after `delay` seconds."""

    reason: str
    delay: float


class Source(Protocol):
    """Says what a bridge says: `Welcome` and `Fleet` after each connection, then what is selected."""

    async def select(self, watch: Watch) -> None:
        """Replace the selection, now and for every connection to come."""

    def messages(self) -> AsyncIterator[BridgeMessage | Interrupted]:
        """Yield what comes, for as long as this is iterated; once per source.

        Raises:
            ClientError: it cannot go on.
        """
