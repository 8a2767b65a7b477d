"""One connection: says whether a broker is there and lets us in."""

import os
from dataclasses import dataclass
from typing import Final, Literal

from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.paho_connection import PahoConnection
from fleetglass.mqtt.refusals import error_text
from fleetglass.mqtt.socket_loop import Waker, serve
from fleetglass.mqtt.tls import tls_context
from fleetglass.mqtt.version_fallback import VersionFallback
from fleetglass.wire.errors import CertificateError, ConnectionEnd, UsageError

TIMEOUT_SECONDS: Final = 3.0

Outcome = Literal["accepted", "refused", "no_mqtt", "nothing"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt; `reason` says why it was not accepted, `remedy` what helps, if known."""

    outcome: Outcome
    reason: str = ""
    remedy: str = ""


def probe(
    access: BrokerAccess, timeout: float = TIMEOUT_SECONDS, *, default_user: str | None = None
) -> Answer:
    """Connect to the first node as any client does, and leave again.

    Args:
        access: where the broker is, and how to be let in.
        timeout: in seconds, for the connection and again for its answer.
        default_user: as for `credentials`.

    Raises:
        UsageError: a file for TLS cannot be used.
    """
    try:
        if access.url.tls:
            tls_context(access)  # told before anything is asked of the broker
    except CertificateError as error:
        raise UsageError(str(error)) from error
    versions = VersionFallback()
    while True:
        answer, end = _attempt(access, versions, timeout, default_user)
        if not versions.after(end):
            return answer


def _attempt(
    access: BrokerAccess, versions: VersionFallback, timeout: float, default_user: str | None
) -> tuple[Answer, ConnectionEnd]:
    connection = PahoConnection(
        access,
        client_id=f"fleetglass-probe-{os.urandom(4).hex()}",
        versions=versions,
        default_user=default_user,
        keepalive_seconds=ord("\n"),  # for which a web server waits before it answers
        connect_seconds=timeout,
        answer_seconds=timeout,
    )
    if not connection.connect():
        return _unreachable(connection), connection.end
    with Waker() as waker:
        serve(
            connection.client,
            waker,
            lambda: connection.patience_seconds if connection.end == "unanswered" else 0.0,
        )
    is_silent = connection.client.socket() is not None
    connection.client.disconnect()
    connection.client.loop_write()
    connection.close()
    match connection.end:
        case "unanswered":
            return _unanswered(connection, access, is_silent=is_silent), connection.end
        case "lost":
            return Answer("accepted"), connection.end
        case _:
            return Answer("refused", connection.reason), connection.end


def _unreachable(connection: PahoConnection) -> Answer:
    if connection.socket is None:
        return Answer("nothing", connection.reason)
    if (untrusted := getattr(connection.error, "verify_message", None)) is not None:
        reason = f"its certificate is not trusted: {untrusted}"
        return Answer("refused", reason, "name who signed it with ca_file")
    return Answer("no_mqtt", f"no TLS: {connection.reason}")


def _unanswered(connection: PahoConnection, access: BrokerAccess, *, is_silent: bool) -> Answer:
    failure = connection.socket.failure if connection.socket is not None else None
    if failure is None:
        reason = "it does not answer" if is_silent else "what answers there is no MQTT broker"
        return Answer("no_mqtt", reason)
    # By TLS 1.3 a broker that misses our certificate ends the connection only after the handshake, and
    # whether its reason can still be read is a matter of luck.
    if access.url.tls and not access.has_certificate:
        remedy = "if it wants a certificate of its clients: certificate_file and key_file"
        return Answer("no_mqtt", f"it ended the connection: {error_text(failure)}", remedy)
    return Answer("no_mqtt", error_text(failure))
