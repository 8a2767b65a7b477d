"""Text frames as they go over the wire, made once and shared by all viewers that get them.

websockets makes and compresses a frame anew for each connection it is sent on, which costs more than sending
it. It keeps no state over whole text frames, so that ours and its own may follow each other.
"""

import struct
import zlib
from typing import Final

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from fleetglass.bridge.http.websocket_adapter import AdaptedConnection

DEFLATE: Final = ServerPerMessageDeflateFactory(server_no_context_takeover=True)
"""Each frame is compressed for itself: only so can viewers share it, and none needs memory of its own."""

_LEVEL = 1
_SYNC_TAIL_BYTES = 4


class SharedFrames:
    """Remembers the last text, as viewers get the same one after the other."""

    def __init__(self) -> None:
        self._texts: list[bytes | None] = [None, None]
        self._wires: list[bytes] = [b"", b""]

    def send(self, connection: AdaptedConnection, text: bytes) -> None:
        """Write a text to a viewer; to one that is leaving, nothing.

        What is waiting in its buffer is not looked at.
        """
        if connection.is_open:
            deflated = connection.compresses
            if self._texts[deflated] is not text:
                self._texts[deflated], self._wires[deflated] = text, _wire(text, deflated=deflated)
            connection.write(self._wires[deflated])


def _wire(text: bytes, *, deflated: bool) -> bytes:
    """Return one unmasked, final text frame (RFC 6455, 5.2; RFC 7692, 7.2.1)."""
    first = 0x81
    if deflated:
        compressor = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
        text = (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-_SYNC_TAIL_BYTES]
        first |= 0x40
    length = len(text)
    if length < 126:
        header = struct.pack("!BB", first, length)
    elif length < 65536:
        header = struct.pack("!BBH", first, 126, length)
    else:
        header = struct.pack("!BBQ", first, 127, length)
    return header + text
