"""The first bytes of a connection: one HTTP request without a body, or a refusal.

The HTTP of the websockets library closes without an answer what it does not read, and fails over what
follows a request; so it is given exactly one request that it does read.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

MAX_HEAD_BYTES = 16 * 1024
MAX_LINE_BYTES = 8 * 1024
"""Of the request line and of each header, with its end; websockets reads no longer ones."""
MAX_FIELDS = 100

_END = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) [!-~]+ HTTP/1\.[01]\r?")
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r?")


class Refusal(NamedTuple):
    """Why a request is not answered as asked."""

    status: HTTPStatus
    text: str


_TOO_LONG = Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"expected at most {MAX_HEAD_BYTES} bytes")
_NO_REQUEST = Refusal(HTTPStatus.BAD_REQUEST, "expected an HTTP request")


def read_head(received: bytes | bytearray) -> bytes | Refusal | None:
    """Return the head of a request up to its empty line, a refusal, or None while more has to come."""
    first, ended, _ = received.partition(b"\n")
    if len(first) >= MAX_LINE_BYTES:
        return Refusal(
            HTTPStatus.REQUEST_URI_TOO_LONG, f"expected an address of less than {MAX_LINE_BYTES} bytes"
        )
    request = _REQUEST_LINE.fullmatch(first)
    if ended and request is None:
        return _NO_REQUEST
    end = _END.search(received)
    if end is None or request is None:
        return _TOO_LONG if len(received) > MAX_HEAD_BYTES else None
    if end.end() > MAX_HEAD_BYTES:
        return _TOO_LONG
    head = bytes(received[: end.end()])
    if request[1] not in (b"GET", b"HEAD"):
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "expected GET or HEAD")
    *lines, _ = head.split(b"\n")
    if not all(line.endswith(b"\r") for line in lines):
        return Refusal(HTTPStatus.BAD_REQUEST, "expected lines that end with CR LF")
    fields = lines[1:-1]
    if len(fields) > MAX_FIELDS or any(len(field) >= MAX_LINE_BYTES for field in fields):
        return Refusal(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"expected at most {MAX_FIELDS} headers of less than {MAX_LINE_BYTES} bytes each",
        )
    if any(_FIELD.fullmatch(field) is None for field in fields):
        return Refusal(HTTPStatus.BAD_REQUEST, "expected headers of the form Name: value")
    if any(map(_announces_body, fields)):
        return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "expected a request without a body")
    return head


def _announces_body(field: bytes) -> bool:
    name, _, value = field.partition(b":")
    if name.lower() == b"content-length":
        return value.strip() != b"0"
    return name.lower() == b"transfer-encoding"
