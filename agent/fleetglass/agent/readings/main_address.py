"""The address from which this machine reaches the world."""

import socket

# Documentation addresses (RFC 5737, RFC 3849). Nothing is sent there: connecting a datagram socket only looks
# the route up.
_FAR_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_main_address() -> str | None:
    """Return the source address of the default route, of IPv4 where there is one; None without a route."""
    for family, far in _FAR_AWAY:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                address = str(probe.getsockname()[0])
        except OSError:
            continue
        if address not in {"0.0.0.0", "::"} and not address.startswith("127."):
            return address
    return None
