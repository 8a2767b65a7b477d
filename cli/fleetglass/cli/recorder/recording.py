r"""A recording of the topics of a fleet, as bytes: what came when. Nothing here reads or writes a file.

It is a gzip stream of JSON objects, one a line, so that `zcat FILE` shows it. The first line is the header:

    {"recording":1,"version":"0.1.0","prefix":"fleet","started":1795271535.003}

and each other one a message, `after` so many seconds, its topic without the prefix:

    {"after":0.512,"topic":"web-1/pulse","payload":"{\"time\":1795271535.5, …}"}

What `flush` has given away can be read whatever happens after it: a recording that was cut off ends there.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fleetglass.wire import PayloadError, PrefixError, Topics
from fleetglass.wire.codec import decode_text
from fleetglass.wire.payloads import Time

FORMAT: Final = 1

_GZIP = zlib.MAX_WBITS | 16
_LEVEL = 6
_PIECE_BYTES = 512
"""A damaged place takes at most so much before it with it."""
_MAX_LINE_BYTES = 1024 * 1024
_MAX_SECONDS = 1e9
"""No recording takes longer: 30 years."""

_encode = msgspec.json.Encoder().encode


class RecordingError(ValueError):
    """This is no recording that can be read; the message is one line."""


class Header(msgspec.Struct, kw_only=True):
    """Where and when it was recorded."""

    recording: int = FORMAT
    """Version of the format."""
    version: str
    """Of the program that wrote it."""
    prefix: str
    started: Time


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message."""

    after: float
    """Seconds since the recording started."""
    topic: str
    """Without the prefix, such as `web-1/pulse`."""
    payload: bytes
    retained: bool = False
    """Whether the broker had kept it from before we came."""


class RecordingWriter:
    """Makes the bytes of a recording: header, messages, and `flush` now and then; `end` at the end."""

    def __init__(self, header: Header) -> None:
        self._compressor = zlib.compressobj(_LEVEL, wbits=_GZIP)
        self._waiting = [self._compressor.compress(_encode(header) + b"\n")]

    def add(self, message: Recorded) -> None:
        """Add a message; its bytes come with the next `flush`."""
        line = _Line(after=round(message.after, 4), topic=message.topic, retained=message.retained)
        try:
            line.payload = message.payload.decode()
        except UnicodeDecodeError:
            line.payload_base64 = message.payload
        self._waiting.append(self._compressor.compress(_encode(line) + b"\n"))

    def flush(self) -> bytes:
        """Return the bytes of all that was added since the last time."""
        return self._take(self._compressor.flush(zlib.Z_SYNC_FLUSH))

    def end(self) -> bytes:
        """Return the last bytes."""
        return self._take(self._compressor.flush())

    def _take(self, last: bytes) -> bytes:
        taken = b"".join([*self._waiting, last])
        self._waiting.clear()
        return taken


class Recording:
    """The messages of a recording, read once, as they are asked for.

    Args:
        data: its bytes, in pieces of any size.

    Raises:
        RecordingError: it does not begin with a header that this version knows.
    """

    def __init__(self, data: Iterable[bytes]) -> None:
        self.cut_after: float | None = None
        """Once all was read: seconds from start to last message, if there its end or the rest is missing."""
        self._lines = _lines(data)
        self.header = _header(next(self._lines, None) or b"")

    def __iter__(self) -> Iterator[Recorded]:
        last = 0.0
        for line in self._lines:
            if line is None:
                return
            try:
                message = _message(line)
            except PayloadError:
                break
            last = message.after
            yield message
        self.cut_after = last


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    after: Annotated[float, Meta(ge=0, le=_MAX_SECONDS)]
    topic: str
    retained: bool = False
    payload: str = ""
    payload_base64: bytes | UnsetType = UNSET


def _lines(data: Iterable[bytes]) -> Iterator[bytes | None]:
    """Yield the whole lines of what can be unfolded, and None at the end of a recording that has one."""
    rest = b""
    for piece in _unfolded(data):
        if piece is None:
            yield None
            return
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        if len(rest) > _MAX_LINE_BYTES:
            return


def _unfolded(data: Iterable[bytes]) -> Iterator[bytes | None]:
    unfolder = zlib.decompressobj(_GZIP)
    try:
        for large in data:
            for start in range(0, len(large), _PIECE_BYTES):
                folded = large[start : start + _PIECE_BYTES]
                while folded and not unfolder.eof:
                    yield unfolder.decompress(folded, _MAX_LINE_BYTES)
                    folded = unfolder.unconsumed_tail
    except zlib.error:
        return
    if unfolder.eof:
        yield None


def _message(line: bytes) -> Recorded:
    read = decode_text(line, _Line)
    payload = read.payload.encode() if isinstance(read.payload_base64, UnsetType) else read.payload_base64
    return Recorded(read.after, read.topic, payload, read.retained)


def _header(line: bytes) -> Header:
    try:
        said = decode_text(line, dict[str, Any])
        found = said["recording"]
    except (PayloadError, KeyError) as error:
        raise RecordingError("got no recording, expected what `fleetglass record` wrote") from error
    if found != FORMAT:
        raise RecordingError(
            f"got a recording of format {found!r}, expected {FORMAT}; a newer version reads it"
        )
    try:
        header = msgspec.convert(said, Header)
        Topics(header.prefix)
    except (msgspec.ValidationError, PrefixError) as error:
        raise RecordingError(f"got a recording with a damaged header: {error}") from error
    return header
