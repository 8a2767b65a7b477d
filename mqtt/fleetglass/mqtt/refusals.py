"""Why a connection to a broker failed, in words: one wording for every part."""

from typing import Final

from paho.mqtt.reasoncodes import ReasonCode

_VERSION: Final = 0x84
_TOO_LARGE: Final = 0x95
# Reason codes of MQTT 5 (2.4). paho turns the return codes of MQTT 3.1.1 into these.
_TEXTS: Final = {
    0x80: "closed by the other side",
    _VERSION: "unsupported version of MQTT",
    0x85: "client id not accepted",
    0x86: "wrong user name or password",
    0x87: "not authorized",
    0x88: "broker unavailable",
    0x89: "broker busy",
    0x8A: "this client is banned",
    0x8B: "broker shutting down",
    0x8C: "authentication method not supported",
    0x8D: "no answer to a ping",
    0x8E: "another client came with the same client id",
    _TOO_LARGE: "packet too large",
    0x97: "quota exceeded",
    0x9A: "retained messages not supported",
    0x9B: "QoS not supported",
    0x9F: "too many connections at once",
}
# What brokers say, or paho where the broker says nothing, when a packet was too large, among much else.
_UNEXPLAINED: Final = frozenset({0x80, 0x81, 0x82, 0x83, _TOO_LARGE, 0x97})
_FINAL: Final = frozenset({_VERSION, 0x85, 0x86, 0x87, 0x8A, 0x8C})


def reason_text(reason: ReasonCode) -> str:
    """Return why a broker refuses or ends a connection, as part of a sentence."""
    return _TEXTS.get(reason.value) or str(reason).lower()


def is_version_refusal(reason: ReasonCode) -> bool:
    """Return whether the broker does not speak the version of MQTT that it was asked for."""
    return bool(reason.value == _VERSION)


def is_too_large(reason: ReasonCode) -> bool:
    """Return whether the broker says that a packet was too large for it."""
    return bool(reason.value == _TOO_LARGE)


def may_be_too_large(reason: ReasonCode) -> bool:
    """Return whether a connection that ended like this may have ended because of a packet too large."""
    return reason.value in _UNEXPLAINED


def is_final(reason: ReasonCode) -> bool:
    """Return whether the next attempt will be refused, too, unless somebody changes something."""
    return reason.value in _FINAL


def error_text(error: BaseException) -> str:
    """Return why a connection could not be made or broke, as part of a sentence."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if reason := getattr(error, "reason", None):  # of TLS
        text = str(reason).replace("_", " ").lower()
        return f"{text}: {detail}" if (detail := getattr(error, "verify_message", None)) else text
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:] if text else type(error).__name__
