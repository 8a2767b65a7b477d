"""Bytes to messages and back. JSON in UTF-8; nothing here reads or writes anything else."""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from fleetglass.wire.errors import PayloadError
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Stamp
from fleetglass.wire.protocol import MAX_VIEWER_MESSAGE_BYTES, ViewerMessage

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct | dict[str, Any]) -> bytes:
    """Return a message, or the payload of an own metric, as JSON; absent values are left out."""
    return _encoder.encode(message)


def decode(payload: bytes, message_type: type[T]) -> T:
    """Return the message that a payload carries; unknown fields are ignored.

    Raises:
        PayloadError: the payload is too large, not JSON in UTF-8, or not of that type.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadError(f"payload: got {len(payload)} bytes, expected at most {MAX_PAYLOAD_BYTES}")
    return decode_text(payload, message_type)


def decode_text(payload: bytes | str, message_type: type[T]) -> T:
    """Decode as `decode` does, without the limit on the size.

    Raises:
        PayloadError: not JSON in UTF-8, or not of that type.
    """
    try:
        if isinstance(payload, bytes):
            # Skipped fields are not checked for UTF-8 by the decoder, but a relay passes them on.
            payload.decode()
        message: T = _decoder(cast("Hashable", message_type)).decode(payload)
    except UnicodeError as error:
        raise PayloadError("payload: got bytes that are not UTF-8, expected JSON in UTF-8") from error
    except RecursionError as error:
        raise PayloadError("payload: got too many levels of nesting, expected a plain object") from error
    except msgspec.MsgspecError as error:
        name = getattr(message_type, "__name__", "message").lower()
        raise PayloadError(f"payload: expected {name}: {error}") from error
    return message


def decode_stamp(payload: bytes) -> Stamp:
    """Check that a data message may be relayed as it came, and return its stamp.

    Raises:
        PayloadError: as `decode`.
    """
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
def _decoder(message_type: Hashable) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(cast("type[Any]", message_type))
