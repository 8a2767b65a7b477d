"""The first bytes of a connection: one HTTP request without a body, or a refusal.

The HTTP of the websockets library closes without an answer what it does not read, and fails over what
follows a request; so it is given exactly one request that it does read.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

MAX_HEAD_BYTES = 16 * 1024

_END = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) [!-~]+ HTTP/1\.[01]\r?")
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r?")


class Refusal(NamedTuple):
    """Why a request is not answered as asked."""

    status: HTTPStatus
    text: str


def read_head(received: bytes | bytearray) -> bytes | Refusal | None:
    """Return the head of a request up to its empty line, a refusal, or None while more has to come."""
    end = _END.search(received)
    if end is None:
        if len(received) > MAX_HEAD_BYTES:
            return Refusal(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"expected at most {MAX_HEAD_BYTES} bytes"
            )
        first = received.partition(b"\n")
        if first[1] and _REQUEST_LINE.fullmatch(first[0]) is None:
            return Refusal(HTTPStatus.BAD_REQUEST, "expected an HTTP request")
        return None
    head = bytes(received[: end.end()])
    if len(head) > MAX_HEAD_BYTES:
        return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"expected at most {MAX_HEAD_BYTES} bytes")
    line, *fields = head[: end.start()].split(b"\n")
    request = _REQUEST_LINE.fullmatch(line)
    if request is None:
        return Refusal(HTTPStatus.BAD_REQUEST, "expected an HTTP request")
    if request[1] not in (b"GET", b"HEAD"):
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "expected GET or HEAD")
    if len(fields) > 100:
        return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "expected at most 100 headers")
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
