"""The bridge's HTTP side, as seen from this machine."""

import http.client
import ipaddress
import socket
import ssl

from fleetglass.wire.errors import CommandError


def local_address(host: str) -> str:
    """Return the address under which this machine reaches a server bound to `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def page_url(host: str, port: int, *, tls: bool = False) -> str:
    """Return the address of the page for a browser on this machine."""
    address = local_address(host)
    name = f"[{address}]" if ":" in address else address
    return f"{'https' if tls else 'http'}://{name}:{port}/"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_healthy(host: str, port: int, *, tls: bool = False, timeout: float = 1.0) -> bool:
    """Whether a bridge answers there that it is well."""
    address = local_address(host)
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    if tls:
        connection = http.client.HTTPSConnection(address, port, timeout=timeout, context=unverified_tls())
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def unverified_tls() -> ssl.SSLContext:
    """Return what takes any certificate: our own bridge's is for a name, not this address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def check_port_is_free(host: str, port: int) -> None:
    """Bind as the bridge will, and let go.

    Raises:
        CommandError: the port is taken, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise CommandError(f"host: got {host!r}, expected an address of this machine (--host)") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise CommandError(
                f"port: got {port}, which this user may not open, expected 1024 or higher (--port)"
            ) from error
        except OSError as error:
            if not _is_local(host):
                raise CommandError(
                    f"host: got {host!r}, expected an address of this machine (--host)"
                ) from error
            raise CommandError(
                f"port: got {port} on {host}, which another program uses, expected a free port (--port)"
            ) from error


def _is_local(host: str) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
