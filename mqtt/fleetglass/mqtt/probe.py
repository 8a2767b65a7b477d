"""One MQTT CONNECT: says whether a broker is there and lets us in. Needs no MQTT library."""

import os
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Literal

from fleetglass.mqtt.address import BrokerAccess
from fleetglass.mqtt.tls import tls_context
from fleetglass.wire import CertificateError
from fleetglass.wire.errors import UsageError

TIMEOUT_SECONDS = 3.0

Outcome = Literal["accepted", "refused", "no_mqtt", "nothing"]

_REASONS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not accept the client id",
    3: "it is not available now",
    4: "the user name or the password is wrong",
    5: "it wants a user name and a password that may connect",
}
_DISCONNECT = b"\xe0\x00"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a CONNECT; `reason` says why it was not accepted, `remedy` what helps, if known."""

    outcome: Outcome
    reason: str = ""
    remedy: str = ""


def probe(access: BrokerAccess, timeout: float = TIMEOUT_SECONDS) -> Answer:
    """Connect as any client does, and leave again.

    Raises:
        UsageError: a file for TLS cannot be used.
    """
    try:
        context = tls_context(access) if access.url.tls else None
    except CertificateError as error:
        raise UsageError(str(error)) from error
    try:
        raw = socket.create_connection((access.url.host, access.url.port), timeout)
    except OSError as error:
        return Answer("nothing", _reason(error))
    with raw:
        try:
            connection = context.wrap_socket(raw, server_hostname=access.url.host) if context else raw
        except ssl.SSLCertVerificationError as error:
            reason = f"its certificate is not trusted: {error.verify_message}"
            return Answer("refused", reason, "name who signed it with ca_file")
        except OSError as error:
            return Answer("no_mqtt", f"no TLS: {_reason(error)}")
        with connection:
            return _exchange(connection, access)


def _exchange(connection: socket.socket, access: BrokerAccess) -> Answer:
    try:
        connection.sendall(_connect_packet(access))
        answer = _receive(connection, 4)
        if len(answer) == 4 and answer[:2] == b"\x20\x02" and answer[3] == 0:
            connection.sendall(_DISCONNECT)
    except TimeoutError:
        return Answer("no_mqtt", "it does not answer")
    except OSError as error:
        # By TLS 1.3 a broker that misses our certificate ends the connection only after the handshake, and
        # whether its reason can still be read is a matter of luck.
        if access.url.tls and not access.has_certificate:
            remedy = "if it wants a certificate of its clients: certificate_file and key_file"
            return Answer("no_mqtt", f"it ended the connection: {_reason(error)}", remedy)
        return Answer("no_mqtt", _reason(error))
    if len(answer) < 4 or answer[:2] != b"\x20\x02":
        return Answer("no_mqtt", "what answers there is no MQTT broker")
    if answer[3]:
        return Answer("refused", _REASONS.get(answer[3], f"it refuses with code {answer[3]}"))
    return Answer("accepted")


def _connect_packet(access: BrokerAccess) -> bytes:
    flags = 0x02
    payload = _text(f"fleetglass-probe-{os.getpid()}")
    if access.url.user is not None:
        flags |= 0x80
        payload += _text(access.url.user)
        if access.password is not None:
            flags |= 0x40
            payload += _text(access.password)
    body = _text("MQTT") + struct.pack("!BBH", 4, flags, 10) + payload
    return b"\x10" + _length(len(body)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _length(number: int) -> bytes:
    digits = bytearray()
    while number > 127:
        digits.append(number % 128 | 0x80)
        number //= 128
    return bytes([*digits, number])


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return (error.strerror or str(error) or type(error).__name__).lower()
