"""What a bridge is told; built once, passed down."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleetglass.mqtt.credentials import BrokerAccess

if TYPE_CHECKING:
    from fleetglass.fleet.expected_hosts import ExpectedHost


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSettings:
    """All that a bridge can be told."""

    broker: BrokerAccess
    prefixes: tuple[str, ...] = ("fleet",)
    host: str = "127.0.0.1"
    port: int = 8765
    socket: str | None = None
    """Path of a Unix socket to serve at, instead of `host` and `port`."""
    cert: str | None = None
    """Serve by TLS with this certificate chain, in PEM; read again when it changes."""
    key: str | None = None
    """Key of the certificate; without one it is in the same file."""
    ping_interval: float = 20.0
    """Seconds between two pings to a viewer."""
    ping_timeout: float = 20.0
    """Seconds within which a viewer must answer a ping."""
    auth: bool = True
    """Ask viewers for the token when they come from elsewhere than this machine."""
    trusted_proxy: bool = False
    """Believe `X-Forwarded-For`, `-Host` and `-Proto` of a proxy that connects over loopback or `socket`."""
    proxy_user_header: str | None = None
    """Header in which a proxy names the user it has let in, who needs no token.

    It counts only with `proxy_secret`, or without one over `socket`.
    """
    proxy_secret: str | None = field(default=None, repr=False)
    """What the proxy must send in `X-Fleetglass-Proxy-Secret` for the user it names to count."""
    token_file: str | None = None
    """Where the viewer token is kept; made at the first start that needs one."""
    allowed_hosts: tuple[str, ...] = ()
    """Names under which browsers may reach the page, besides loopback, `host` and IP addresses."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may open the WebSocket, besides the page's own."""
    compress: bool = False
    """Compress what viewers get, where they can take it: less than half the bytes, for more CPU time."""
    history_bytes: int = 64 * 1024 * 1024
    """Memory that the history of all hosts may take."""
    history_all_hosts: int = 32
    """Up to this many hosts, the live groups of all are kept; beyond, of watched hosts only."""
    hosts: "tuple[ExpectedHost, ...]" = ()
    """Hosts that are listed even when they were never heard."""
    hosts_file: str | None = None
    """YAML file with more of them; read again when it changes."""
