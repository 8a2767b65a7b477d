from types import SimpleNamespace
from typing import Any

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from fleetglass.bridge.viewers.shared_frames import SharedFrames


def _connection(*, deflated: bool = False, is_open: bool = True) -> Any:
    written: list[bytes] = []
    return SimpleNamespace(is_open=is_open, compresses=deflated, write=written.append, written=written)


def _read(data: bytes, *, deflated: bool) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    extensions = [PerMessageDeflate(True, True, 15, 15)] if deflated else []
    parsing = Frame.parse(reader.read_exact, mask=False, max_size=None, extensions=extensions)
    try:
        while True:
            next(parsing)
    except StopIteration as end:
        frame: Frame = end.value
        return frame


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 1_000_000])
def test_a_frame_reads_as_the_text_it_was_made_of(size: int, deflated: bool) -> None:  # noqa: FBT001
    """Whatever its length, compressed or not, another implementation reads it back."""
    text = b"".join(b"%d," % number for number in range(size))[:size]
    connection = _connection(deflated=deflated)
    SharedFrames().send(connection, text)
    frame = _read(connection.written[0], deflated=deflated)
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, text)


def test_viewers_share_what_was_made_once() -> None:
    """Viewers with and without compression may follow each other; each kind is made once."""
    frames = SharedFrames()
    viewers = [_connection(deflated=number % 2 == 1) for number in range(4)]
    text = b"x" * 1000
    for viewer in viewers:
        frames.send(viewer, text)
    assert viewers[0].written[0] is viewers[2].written[0]
    assert viewers[1].written[0] is viewers[3].written[0]
    assert len(viewers[1].written[0]) < 50


def test_a_viewer_that_is_leaving_gets_nothing() -> None:
    """Nothing may follow a close frame."""
    connection = _connection(is_open=False)
    SharedFrames().send(connection, b"x")
    assert connection.written == []
