"""What the log says of trouble with the broker: enough to act on, and no more."""

import logging

from fleetglass.mqtt.address import BrokerURL

_log = logging.getLogger(__name__)


class Troubles:
    """Says each kind of trouble once, until a connection has lasted; one that comes and goes is one kind."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._short_connections = 0

    def tell(self, kind: str, text: str, *values: object, cause: Exception | None = None) -> None:
        """Say a trouble, unless one of its kind was said."""
        if kind not in self._told:
            _log.warning(text, *values, exc_info=cause)
        self._told.add(kind)

    def lost(self, url: BrokerURL, reason: str) -> None:
        """Say that a connection was lost."""
        self._short_connections += 1
        if self._short_connections == 1:
            self.tell("unreachable", "broker %s: connection lost (%s); trying again", url, reason)
        else:
            text = "broker %s: connection lost again at once (%s); does another agent use this host id?"
            self.tell("unstable", text, url, reason)

    def connected(self, url: BrokerURL) -> None:
        """Say that there is a connection, unless the last ones did not last."""
        if not self._told:
            _log.info("connected to broker %s", url)
        elif "unstable" not in self._told:
            _log.info("broker %s: connected", url)

    def lasted(self, url: BrokerURL) -> None:
        """Take it that all is well: whatever comes now is new. May be called again."""
        if "unstable" in self._told:
            _log.info("broker %s: the connection lasts", url)
        self._told.clear()
        self._short_connections = 0
