"""What holds for every value of a payload, also in fields that nobody here knows: nesting and numbers.

Payloads are passed on as they came, so that readers in any language meet what is let in here. The check is
made of every message and has to cost little. Nearly all messages hold only what their type names, which the
decoder proves in one pass; only the others are looked at byte by byte.
"""

from collections.abc import Callable, Hashable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, UnsetType

from fleetglass.wire.errors import PayloadError

MAX_NESTING = 32
"""Objects and lists within each other in a payload, itself included.

The groups of this version take 3 and `info` takes 5. Parsers of other readers stop between 64 and 1,000.
"""
MAX_MAGNITUDE = 1e24
"""The largest number in a payload, on either side of zero.

Counters of 64 bits (1.8e19), their bits (1.5e20), and nanoseconds since 1970 (1.8e18) fit. So do sums: the
squares of a year of such samples of 20,000 hosts add up to 6e59, far below the 1.8e308 that a double holds.
"""
UNPROVED = (msgspec.MsgspecError, UnicodeError)
"""What an exact decoder raises for a payload that may still be a good one."""
_ANY_LEVELS = 4
"""How deep a value of any type is proved by the decoder. Each level doubles the size of its type."""
_SHOWN_DIGITS = 40
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NO_PUNCTUATION = bytes.maketrans(b"[]{}:,", b"      ")


def check_bounds(payload: bytes, message_type: Hashable = dict) -> None:
    """Check all values of a payload that is JSON in UTF-8; `message_type` is what it most likely fits.

    Raises:
        PayloadError: it is nested too deeply, or has a number beyond `MAX_MAGNITUDE`.
    """
    try:
        exact_decoder(message_type)(payload)
    except UNPROVED:
        if message_type is dict:
            _check_bytes(payload)
        else:
            check_bounds(payload)


def too_deep() -> PayloadError:
    """Return the error of a payload that is nested too deeply."""
    return PayloadError(
        f"payload: got more than {MAX_NESTING} levels of nesting, expected at most {MAX_NESTING}"
    )


@cache
def exact_decoder(message_type: Hashable) -> Callable[[bytes], Any]:
    """Return what decodes payloads within the bounds that have no field which the type does not name."""
    return msgspec.json.Decoder(_exact(message_type)).decode


def _exact(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _exact_struct(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        inner, *metas = arguments
        bounded = any(isinstance(meta, Meta) and meta.le is not None for meta in metas)
        return kind if bounded else Annotated[(_exact(inner), *metas)]
    if origin in (Union, UnionType):
        return Union[tuple(map(_exact, arguments))]  # noqa: UP007 - of a tuple
    if origin in (list, dict):
        return origin[tuple(map(_exact, arguments))]
    if kind is float:
        return Annotated[float, Meta(ge=-MAX_MAGNITUDE, le=MAX_MAGNITUDE)]
    if kind is int:
        return Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # msgspec takes no larger bound
    if kind is dict:
        return kind[str, _any(_ANY_LEVELS)]
    if origin is Literal or kind in (str, bool, UnsetType):
        return kind
    return _any(_ANY_LEVELS)


@cache
def _exact_struct(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    hints = get_type_hints(kind, include_extras=True)
    fields = [
        (one.name, _exact(hints[one.name]), *(() if one.required else (one.default,)))
        for one in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(
        kind.__name__,
        fields,
        bases=(kind,),
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,  # what comes out of JSON holds no cycle, and a tenth of the time is saved
    )


def _any(levels: int) -> Any:
    scalar = _exact(int) | _exact(float) | str | bool | None
    if not levels:
        return scalar
    inner = _any(levels - 1)
    lists, objects = cast("Any", list), cast("Any", dict)
    return scalar | lists[inner] | objects[str, inner]


def _check_bytes(payload: bytes) -> None:
    text = payload
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    bare = b" ".join(text.split(b'"')[::2])  # without the strings
    brackets = bare.translate(_ONE_BRACKET, _NO_BRACKETS)
    for _ in range(MAX_NESTING):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    if brackets:
        raise too_deep()
    for word in (b"true", b"false", b"null"):
        bare = bare.replace(word, b"")
    for number in bare.translate(_NO_PUNCTUATION).split():
        if not -MAX_MAGNITUDE <= float(number) <= MAX_MAGNITUDE:
            got = number[:_SHOWN_DIGITS].decode() + "…" * (len(number) > _SHOWN_DIGITS)
            raise PayloadError(f"payload: got the number {got}, expected -1e24 to 1e24")
