"""One connection: says whether a broker is there and lets us in."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.address import BrokerAccess
from fleetglass.mqtt.bulk_socket import BulkSocket
from fleetglass.mqtt.paho_client import paho_client
from fleetglass.mqtt.refusals import error_text, is_version_refusal, reason_text
from fleetglass.mqtt.socket_loop import serve
from fleetglass.mqtt.tls import tls_context
from fleetglass.mqtt.version_fallback import TRIAL_ANSWER_SECONDS, VersionFallback
from fleetglass.mqtt.waker import Waker
from fleetglass.wire.errors import CertificateError, ConnectionEnd, UsageError

if TYPE_CHECKING:
    import socket
    import ssl

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
        attempt = _Attempt(access, versions, timeout, default_user)
        answer = attempt.run()
        if not versions.after(attempt.end):
            return answer


class _Attempt:
    """A connection by one version of MQTT."""

    def __init__(
        self, access: BrokerAccess, versions: VersionFallback, timeout: float, default_user: str | None
    ) -> None:
        self.end: ConnectionEnd = "unreachable"
        self._access = access
        self._answer_seconds = min(timeout, TRIAL_ANSWER_SECONDS) if versions.is_trial else timeout
        self._socket: BulkSocket | None = None
        self._reason: ReasonCode | None = None
        self._client = paho_client(
            access,
            client_id=f"fleetglass-probe-{os.getpid()}",
            version=versions.version,
            default_user=default_user,
            connect_seconds=timeout,
            wrap=self._wrap,
        )
        self._client.on_connect = self._answered

    def run(self) -> Answer:
        url = self._access.url
        try:
            self._client.connect(url.host, url.port, keepalive=10)
        except (OSError, ValueError) as error:
            if self._socket is None:
                return Answer("nothing", error_text(error))
            if (untrusted := getattr(error, "verify_message", None)) is not None:
                reason = f"its certificate is not trusted: {untrusted}"
                return Answer("refused", reason, "name who signed it with ca_file")
            return Answer("no_mqtt", f"no TLS: {error_text(error)}")
        self.end = "unanswered"
        with Waker() as waker:
            serve(self._client, waker, self._patience(time.monotonic() + self._answer_seconds))
        is_silent = self._client.socket() is not None
        self._client.disconnect()
        self._client.loop_write()
        if (sock := self._client.socket()) is not None:
            sock.close()
        return self._unanswered(is_silent=is_silent) if self._reason is None else self._told(self._reason)

    def _wrap(self, connected: "socket.socket | ssl.SSLSocket") -> BulkSocket:
        self._socket = BulkSocket(connected)
        return self._socket

    def _patience(self, answer_by: float) -> Callable[[], float]:
        return lambda: answer_by - time.monotonic() if self._reason is None else 0.0

    def _answered(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        self._reason = reason

    def _told(self, reason: ReasonCode) -> Answer:
        if not reason.is_failure:
            self.end = "lost"
            return Answer("accepted")
        self.end = "version" if is_version_refusal(reason) else "refused"
        return Answer("refused", reason_text(reason))

    def _unanswered(self, *, is_silent: bool) -> Answer:
        failure = self._socket.failure if self._socket is not None else None
        if failure is None:
            reason = "it does not answer" if is_silent else "what answers there is no MQTT broker"
            return Answer("no_mqtt", reason)
        # By TLS 1.3 a broker that misses our certificate ends the connection only after the handshake, and
        # whether its reason can still be read is a matter of luck.
        if self._access.url.tls and not self._access.has_certificate:
            remedy = "if it wants a certificate of its clients: certificate_file and key_file"
            return Answer("no_mqtt", f"it ended the connection: {error_text(failure)}", remedy)
        return Answer("no_mqtt", error_text(failure))
