import errno
import socket
import ssl

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.refusals import error_text, is_final, is_version_refusal, reason_text


@pytest.mark.parametrize(
    ("code", "text", "final"),
    [
        (0x84, "unsupported version of MQTT", True),
        (0x86, "wrong user name or password", True),
        (0x87, "not authorized", True),
        (0x88, "broker unavailable", False),
        (0x9C, "use another server", False),
    ],
)
def test_a_refusal_is_told_in_words(*, code: int, text: str, final: bool) -> None:
    """Each has its words, ours or those of the specification; some will not change by themselves."""
    reason = ReasonCode(PacketTypes.CONNACK, identifier=code)
    assert reason_text(reason) == text
    assert is_final(reason) is final
    assert is_version_refusal(reason) is (code == 0x84)


def test_every_reason_can_be_told() -> None:
    """No code that a broker may answer CONNECT with, or end a connection with, is without words."""
    for kind in (PacketTypes.CONNACK, PacketTypes.DISCONNECT, PacketTypes.PUBACK):
        for code, names in ReasonCode(kind).names.items():
            if any(kind in kinds for kinds in names.values()):
                text = reason_text(ReasonCode(kind, identifier=code))
                assert text
                assert "\n" not in text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "name or service not known"),
        (TimeoutError("timed out"), "no answer in time"),
        (OSError(), "OSError"),
        (ConnectionError("got a malformed message"), "got a malformed message"),
    ],
)
def test_an_error_is_told_in_words(error: OSError, text: str) -> None:
    """Without numbers, and so that it fits into a sentence."""
    assert error_text(error) == text


def test_an_error_of_tls_is_told_without_its_place_in_the_library() -> None:
    """What OpenSSL says is told in lower case, and why a certificate is not trusted beside it."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(ssl.SSLError) as caught:
            ssl.create_default_context().wrap_socket(near, server_hostname="broker.example")
    assert error_text(caught.value) in {"wrong version number", "packet length too long"}
