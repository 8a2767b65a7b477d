"""What the log says about a connection to a broker: enough to act on, and no more."""

import logging

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess, credentials
from fleetglass.wire.errors import ConnectionEnd

_log = logging.getLogger(__name__)


class ConnectionLog:
    """Says each kind of trouble once, until a connection has lasted; one that comes and goes is one kind."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._short_connections = 0

    def started(self, access: BrokerAccess, default_user: str | None = None) -> None:
        """Say what is odd about how the broker is to be reached; the arguments are those of `credentials`."""
        if access.password is not None and credentials(access, default_user).password is None:
            _log.warning(
                "broker %s: the password is not used: got no user, expected one in the address",
                access.url,
            )

    def tell(self, kind: str, text: str, *values: object, cause: Exception | None = None) -> None:
        """Say a trouble, unless one of its kind was said."""
        if kind not in self._told:
            _log.warning(text, *values, exc_info=cause)
        self._told.add(kind)

    def ended(self, url: BrokerURL, end: ConnectionEnd, reason: str) -> None:
        """Say how an attempt or a connection ended."""
        match end:
            case "lost":
                self._lost(url, reason)
            case "renewed":
                _log.info("broker %s: %s; connecting anew", url, reason)
            case "files":
                self.tell(end, "broker %s: %s; trying again", url, reason)
            case "unreachable":
                self.tell(end, "broker %s cannot be reached: %s; trying again", url, reason)
            case "unanswered":
                text = (
                    "broker %s: no answer such as a broker gives; trying again (%s; check the port, mqtt:// "
                    "or mqtts://, and whether it asks for a client certificate)"
                )
                self.tell(end, text, url, reason)
            case "version" | "refused":
                self.tell("refused", "broker %s refuses this client: %s; trying again", url, reason)

    def connected(self, url: BrokerURL) -> None:
        """Say that there is a connection, unless the last ones did not last."""
        if not self._told:
            _log.info("connected to broker %s", url)
        elif "unstable" not in self._told:
            _log.info("broker %s: connected", url)

    def lasted(self, url: BrokerURL) -> None:
        """Take it that all is well: whatever comes now is new. May be called again."""
        if "unstable" in self._told:
            _log.info("broker %s: the connection is stable again", url)
        self._told.clear()
        self._short_connections = 0

    def _lost(self, url: BrokerURL, reason: str) -> None:
        self._short_connections += 1
        if self._short_connections == 1:
            self.tell("unreachable", "broker %s: connection lost (%s); trying again", url, reason)
        else:
            text = "broker %s: connection lost again at once (%s); see the broker's log"
            self.tell("unstable", text, url, reason)
