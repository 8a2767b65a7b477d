"""What is wrong with the way from the hosts to the bridge, in words."""

from collections.abc import Iterator

from fleetglass.client.formatting.quantities import clock_time, printable
from fleetglass.wire.protocol import BrokerChange, BrokerState, Welcome


class ConnectionNotices:
    """Remembers what the bridge said of its broker and of sites, and tells each change once."""

    def __init__(self) -> None:
        self._broker: BrokerState = "connected"
        self._sites_away: set[str] = set()

    def take(self, message: Welcome | BrokerChange) -> Iterator[str]:
        """Yield what has changed, a line for each."""
        broker = message.broker if isinstance(message, Welcome) else message.state
        if broker != self._broker:
            self._broker = broker
            connected = broker == "connected"
            yield f"the bridge has {'its broker again' if connected else 'no broker at present; waiting'}"
        for prefix in sorted(message.sites_away.keys() - self._sites_away):
            since = clock_time(message.sites_away[prefix])
            yield f"site {printable(prefix)} is cut off since {since}; what is shown of its hosts is old"
        for prefix in sorted(self._sites_away - message.sites_away.keys()):
            yield f"site {printable(prefix)} is connected again"
        self._sites_away = set(message.sites_away)
