from http import HTTPStatus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.exceptions import InvalidHandshake
from websockets.server import ServerProtocol

from fleetglass.bridge.http.request_head import MAX_FIELDS, MAX_HEAD_BYTES, MAX_LINE_BYTES, Refusal, read_head

HEAD = b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n"

_pieces = st.sampled_from(
    [
        *(b"GET", b"HEAD", b"POST", b" ", b"/", b"/ws", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r"),
        *(b":", b"Host: a", b"Content-Length: 0", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        *(b"\x00", b"\xff"),
    ]
)
_requests = st.one_of(st.binary(max_size=200), st.lists(_pieces, max_size=25).map(b"".join))


def test_one_request_is_cut_off_from_what_follows() -> None:
    """A second request, or anything else behind the empty line, is not passed on."""
    assert read_head(HEAD + b"GET / HTTP/1.1\r\n\r\n") == HEAD
    assert read_head(HEAD[:-1]) is None
    assert read_head(b"GET / HTTP/1.0\r\n\r\nrest") == b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        (b"\x16\x03\x01\x02\x00\x01\n", 400),
        (b"GET / HTTP/2.0\r\n", 400),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\n\n", 400),
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        (b"GET /" + b"a" * MAX_LINE_BYTES, 414),
        (b"GET /" + b"a" * MAX_LINE_BYTES + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /" + b"a" * MAX_HEAD_BYTES, 414),
        (b"HEAD /" + b"a" * 2 * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\na: " + b"b" * MAX_LINE_BYTES + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: bbbbbbbbbb\r\n" * 2000, 431),
        (b"GET / HTTP/1.1\r\na: " + b"b" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_in_words(received: bytes, status: int) -> None:
    """Each kind has its own status."""
    refusal = read_head(received)
    assert isinstance(refusal, Refusal)
    assert refusal.status == HTTPStatus(status)


def test_an_empty_body_is_none() -> None:
    """Some programs say so."""
    head = b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    assert read_head(head) == head


@given(_requests)
@example(b"GET / HTTP/1.1\r\nA:\x01\r\n\r\n")
@example(b"GET / HTTP/1.1\nA: b\n\n")
@example(b"GET /" + b"a" * (MAX_LINE_BYTES - 16) + b" HTTP/1.1\r\n\r\n")
@example(b"GET / HTTP/1.1\r\nA: " + b"b" * (MAX_LINE_BYTES - 5) + b"\r\n\r\n")
@example(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * MAX_FIELDS + b"\r\n")
def test_what_is_passed_on_is_read_by_websockets(received: bytes) -> None:
    """Any bytes give a head, a refusal or nothing yet; and a head is always a request to the library."""
    head = read_head(received)
    if not isinstance(head, bytes):
        return
    protocol = ServerProtocol()
    protocol.receive_data(head)
    assert len(protocol.events_received()) == 1, head
    assert not isinstance(protocol.handshake_exc, InvalidHandshake)


@given(_requests, st.integers(0, 200))
def test_what_comes_later_changes_no_answer(received: bytes, cut: int) -> None:
    """A request may come in any pieces: once there is an answer, more bytes do not change it."""
    early = read_head(received[:cut])
    if early is not None and not (isinstance(early, Refusal) and early.status == 400):
        assert read_head(received) == early
