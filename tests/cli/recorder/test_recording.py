import gzip
import itertools
import json
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.cli.recorder.recording import Header, Recorded, Recording, RecordingError, RecordingWriter

HEADER = Header(version="1.2.3", prefix="fleet", started=1000.0)

messages = st.builds(
    Recorded,
    after=st.floats(0, 1e6).map(lambda seconds: round(seconds, 4)),
    topic=st.text(max_size=40),
    payload=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    retained=st.booleans(),
)


def flushed(told: Iterable[Recorded]) -> list[bytes]:
    """Return what each message adds, and last the end."""
    writer = RecordingWriter(HEADER)
    parts = []
    for message in told:
        writer.add(message)
        parts.append(writer.flush())
    return [*parts, writer.end()]


def written(*told: Recorded) -> bytes:
    return b"".join(flushed(told))


@given(st.lists(messages, max_size=20), st.integers(1, 500))
def test_comes_back_as_it_was(told: list[Recorded], piece: int) -> None:
    """Any payload, text or not, comes back byte by byte, in whatever pieces the file is read."""
    data = written(*told)
    recording = Recording(data[at : at + piece] for at in range(0, len(data), piece))
    assert recording.header == HEADER
    assert list(recording) == told
    assert recording.cut_after is None


@given(st.lists(messages, min_size=1, max_size=20), st.data())
def test_a_cut_loses_what_is_behind_it(told: list[Recorded], data: st.DataObject) -> None:
    """Cut anywhere after the header, the messages that were flushed before the cut are all there."""
    sizes = list(itertools.accumulate(len(part) for part in flushed(told)))
    whole = written(*told)
    cut = data.draw(st.integers(sizes[0], len(whole) - 1))
    recording = Recording([whole[:cut]])
    found = list(recording)
    assert found == told[: len(found)]
    assert len(found) >= sum(size <= cut for size in sizes)
    assert recording.cut_after == found[-1].after


@given(st.binary(min_size=1, max_size=50), st.data())
def test_damage_ends_it(noise: bytes, data: st.DataObject) -> None:
    """Noise ends a recording without an error, and of what is before it at most 512 bytes are lost."""
    chance = random.Random(1)
    told = [Recorded(float(second), "web-1/pulse", chance.randbytes(100)) for second in range(50)]
    sizes = list(itertools.accumulate(len(part) for part in flushed(told)))
    whole = written(*told)
    at = data.draw(st.integers(sizes[5], len(whole) - 1))
    found = list(Recording([whole[:at] + noise + whole[at:]]))
    intact = sum(size <= at - 512 for size in sizes)
    assert found[:intact] == told[:intact]


def test_others_can_read_it() -> None:
    """`zcat` prints it as lines of JSON: the header, then the messages; what is no text in base64."""
    data = written(Recorded(0.5, "a/pulse", b'{"time":1}'), Recorded(1, "b/pulse", b"\xff", retained=True))
    assert [json.loads(line) for line in gzip.decompress(data).splitlines()] == [
        {"recording": 1, "version": "1.2.3", "prefix": "fleet", "started": 1000.0},
        {"after": 0.5, "topic": "a/pulse", "payload": '{"time":1}'},
        {"after": 1.0, "topic": "b/pulse", "retained": True, "payload_base64": "/w=="},
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "got no recording"),
        (b"no gzip", "got no recording"),
        (gzip.compress(b"no json\n"), "got no recording"),
        (gzip.compress(b"[1]\n"), "got no recording"),
        (gzip.compress(b'{"a":1}\n'), "got no recording"),
        (gzip.compress(b'{"recording":2}\n'), "got a recording of format 2, expected 1"),
        (gzip.compress(b'{"recording":1}\n'), "a damaged header: .*version"),
        (
            gzip.compress(b'{"recording":1,"version":"1","prefix":"a//b","started":1}\n'),
            "a damaged header: prefix",
        ),
        (
            gzip.compress(b'{"recording":1,"version":"1","prefix":"a","started":1e300}\n'),
            "a damaged header: .*started",
        ),
        (gzip.compress(b"[" * 100_000 + b"\n"), "got no recording"),
        (gzip.compress(b"x" * 5_000_000), "got no recording"),
    ],
    ids=[
        "empty",
        "no gzip",
        "no JSON",
        "list",
        "other",
        "future",
        "no version",
        "bad prefix",
        "no time",
        "deep",
        "endless",
    ],
)
def test_what_is_no_recording(data: bytes, expected: str) -> None:
    """Anything else is refused in one line."""
    with pytest.raises(RecordingError, match=expected) as error:
        Recording([data])
    assert "\n" not in str(error.value)


def test_a_moment_that_never_comes_ends_it() -> None:
    """A message that would be played in millions of years is damage."""
    header = b'{"recording":1,"version":"1","prefix":"fleet","started":1}\n'
    lines = b'{"after":1,"topic":"a/pulse"}\n{"after":1e300,"topic":"a/pulse"}\n'
    recording = Recording([gzip.compress(header + lines)])
    assert [message.after for message in recording] == [1]
    assert recording.cut_after == 1


def test_a_line_without_end_takes_no_memory() -> None:
    """What unfolds into one endless line ends the recording there."""
    header = b'{"recording":1,"version":"1","prefix":"fleet","started":1}\n'
    recording = Recording([gzip.compress(header + b"x" * 50_000_000)])
    assert list(recording) == []
    assert recording.cut_after == 0
