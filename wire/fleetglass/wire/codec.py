"""Bytes to messages and back. JSON in UTF-8; nothing here reads or writes anything else."""

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from fleetglass.wire.bounds import UNPROVED, check_bounds, exact_decoder, too_deep
from fleetglass.wire.errors import PayloadError
from fleetglass.wire.payloads import GROUPS, MAX_PAYLOAD_BYTES, Pulse, Stamp
from fleetglass.wire.protocol import MAX_VIEWER_MESSAGE_BYTES, ViewerMessage

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct | dict[str, Any]) -> bytes:
    """Return a message, or the payload of an own metric, as JSON; absent values are left out."""
    return _encoder.encode(message)


def decode(payload: bytes, message_type: type[T]) -> T:
    """Return the message that a payload carries; unknown fields are ignored, but keep within the bounds too.

    Raises:
        PayloadError: the payload is too large, not JSON in UTF-8, not of that type, nested too deeply, or
            has a number that is too large.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadError(f"payload: got {len(payload)} bytes, expected at most {MAX_PAYLOAD_BYTES}")
    message = decode_text(payload, message_type)
    kind: Any = message_type
    check_bounds(payload, kind)
    return message


def decode_text(payload: bytes | str, message_type: type[T]) -> T:
    """Decode as `decode` does, without bounds: a frame of a bridge, or what `decode` has let in before.

    Raises:
        PayloadError: not JSON in UTF-8, or not of that type.
    """
    kind: Any = message_type
    try:
        if isinstance(payload, bytes):
            # Skipped fields are not checked for UTF-8 by the decoder, but a relay passes them on.
            payload.decode()
        message: T = _decoder(kind)(payload)
    except UnicodeError as error:
        raise PayloadError("payload: got bytes that are not UTF-8, expected JSON in UTF-8") from error
    except RecursionError as error:
        raise too_deep() from error
    except msgspec.MsgspecError as error:
        name = getattr(message_type, "__name__", "message").lower()
        raise PayloadError(f"payload: expected {name}: {_in_one_line(str(error))}") from error
    return message


def decode_pulse(payload: bytes) -> Pulse:
    """Decode a pulse as `decode` does, in half the time where it has no unknown field.

    Raises:
        PayloadError: as `decode`.
    """
    if len(payload) <= MAX_PAYLOAD_BYTES:
        try:
            pulse: Pulse = exact_decoder(Pulse)(payload)
        except UNPROVED:
            pass  # of a newer agent, or one to refuse with the reason
        else:
            return pulse
    return decode(payload, Pulse)


def decode_tick(group: str, payload: bytes) -> int:
    """Check that the message of a group may be relayed as it came, and return its tick.

    Raises:
        PayloadError: as `decode`.
    """
    known = GROUPS.get(group)
    if known is not None and len(payload) <= MAX_PAYLOAD_BYTES:
        try:
            tick: int = exact_decoder(known)(payload).tick
        except UNPROVED:
            pass  # as above
        else:
            return tick
    return decode_stamp(payload).tick


def decode_stamp(payload: bytes) -> Stamp:
    """Check that a data message may be relayed as it came, and return its stamp.

    Raises:
        PayloadError: as `decode`.
    """
    if len(payload) <= MAX_PAYLOAD_BYTES:
        try:
            return msgspec.convert(exact_decoder(dict)(payload), Stamp)
        except UNPROVED:
            pass  # as above
    return decode(payload, Stamp)


def decode_viewer_message(text: bytes | str) -> ViewerMessage:
    """Return what a viewer says.

    Raises:
        PayloadError: the text is too large, not JSON, or none of the viewer's messages.
    """
    if len(text) > MAX_VIEWER_MESSAGE_BYTES:
        raise PayloadError(f"message: got {len(text)} bytes, expected at most {MAX_VIEWER_MESSAGE_BYTES}")
    message: ViewerMessage = decode_text(text, cast("type[ViewerMessage]", ViewerMessage))
    return message


@cache
def _decoder(message_type: Hashable) -> Callable[[bytes | str], Any]:
    return msgspec.json.Decoder(cast("type[Any]", message_type)).decode


def _in_one_line(text: str) -> str:
    """Escape what is not printable: the decoder quotes what the payload says."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
