from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers, MultipleValuesError

from fleetglass.bridge.http.client_identity import LOCAL_SOCKET, Caller, identify, is_local, peer_address

FORWARDED = {
    "Host": "127.0.0.1:8765",
    "X-Forwarded-For": "198.51.100.9, 203.0.113.5",
    "X-Forwarded-Host": "glass.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-User": "ada",
}


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", LOCAL_SOCKET])
def test_a_trusted_proxy_on_this_machine_names_the_viewer(peer: str) -> None:
    """Its last entry is the address it saw itself; what stands before was claimed from outside."""
    assert identify(peer, Headers(FORWARDED), trusted_proxy=True) == Caller(
        address="203.0.113.5", hosts=("127.0.0.1:8765", "glass.example"), user="ada", secure=True
    )


@pytest.mark.parametrize(("peer", "trusted"), [("192.0.2.1", True), ("127.0.0.1", False)])
def test_forwarded_headers_of_anybody_else_are_not_believed(peer: str, *, trusted: bool) -> None:
    """Neither from another machine, nor from this one unless told so."""
    assert identify(peer, Headers(FORWARDED), trusted_proxy=trusted) == Caller(peer, ("127.0.0.1:8765",))


def test_what_a_proxy_does_not_say_stays_as_it_is() -> None:
    """Without headers it is the proxy itself; an empty or unfilled user is none, a word no address."""
    assert identify("::1", Headers(Host="a"), trusted_proxy=True) == Caller("::1", ("a",))
    for nobody in ("  ", "{http.auth.user.id}"):
        headers = Headers({"X-Forwarded-For": "unknown", "X-Forwarded-User": nobody})
        assert identify("::1", headers, trusted_proxy=True) == Caller("::1", (None,))


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-User", "X-Forwarded-Host"])
def test_a_name_that_stands_twice_is_refused(name: str) -> None:
    """Proxy and bridge could read different ones."""
    headers = Headers([(name, "a"), (name, "b")])
    with pytest.raises(MultipleValuesError):
        identify("127.0.0.1", headers, trusted_proxy=True)


@pytest.mark.parametrize(
    ("peername", "address", "local"),
    [
        (("127.0.0.1", 5), "127.0.0.1", True),
        (("::1", 5, 0, 0), "::1", True),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1", False),
        (("::ffff:127.0.0.1", 5, 0, 0), "127.0.0.1", True),
        ("", LOCAL_SOCKET, True),
        (None, LOCAL_SOCKET, True),
    ],
)
def test_the_other_end_of_a_connection(peername: object, address: str, *, local: bool) -> None:
    """Whatever kind of socket it came by."""
    assert peer_address(peername) == address
    assert is_local(address) is local


@given(st.lists(st.tuples(st.sampled_from(sorted(FORWARDED)), st.text("a1:, .\t\u00e9"))))
def test_any_headers_give_a_caller_or_are_refused(fields: list[tuple[str, str]]) -> None:
    """Nothing else is raised, whatever they hold."""
    with suppress(LookupError):
        identify("127.0.0.1", Headers(fields), trusted_proxy=True)
