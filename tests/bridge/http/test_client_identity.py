from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers, MultipleValuesError

from fleetglass.bridge.http.client_identity import (
    LOCAL_SOCKET,
    SECRET_HEADER,
    Caller,
    identify,
    is_local,
    peer_address,
)
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess

SECRET = "a secret of some length"
FORWARDED = {
    "Host": "127.0.0.1:8765",
    "X-Forwarded-For": "198.51.100.9, 203.0.113.5",
    "X-Forwarded-Host": "glass.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-User": "ada",
}


def _told(**settings: object) -> BridgeSettings:
    return BridgeSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", LOCAL_SOCKET])
def test_a_trusted_proxy_on_this_machine_names_the_viewer(peer: str) -> None:
    """Its last entry is the address it saw itself; a user whom it names is nobody without more trust."""
    assert identify(peer, Headers(FORWARDED), _told(trusted_proxy=True)) == Caller(
        address="203.0.113.5", hosts=("127.0.0.1:8765", "glass.example"), secure=True
    )


@pytest.mark.parametrize(
    ("peer", "trusted"), [("192.0.2.1", True), ("127.0.0.1", False), (LOCAL_SOCKET, False)]
)
def test_forwarded_headers_of_anybody_else_are_not_believed(peer: str, *, trusted: bool) -> None:
    """Neither from another machine, nor from this one unless told so."""
    told = _told(trusted_proxy=trusted)
    assert identify(peer, Headers(FORWARDED), told) == Caller(peer, ("127.0.0.1:8765",))


def test_what_a_proxy_does_not_say_stays_as_it_is() -> None:
    """Without headers it is the proxy itself; an empty or unfilled user is none, a word no address."""
    told = _told(trusted_proxy=True, proxy_user_header="X-Forwarded-User")
    assert identify("::1", Headers(Host="a"), told) == Caller("::1", ("a",))
    for nobody in ("  ", "{http.auth.user.id}"):
        headers = Headers({"X-Forwarded-For": "unknown", "X-Forwarded-User": nobody})
        assert identify("::1", headers, told) == Caller("::1", (None,))


@pytest.mark.parametrize(
    ("peer", "secret", "given", "believed"),
    [
        ("127.0.0.1", SECRET, SECRET, True),
        (LOCAL_SOCKET, SECRET, SECRET, True),
        ("192.0.2.1", SECRET, SECRET, True),
        (LOCAL_SOCKET, None, None, True),
        (LOCAL_SOCKET, None, "any", True),
        ("127.0.0.1", None, None, False),
        ("127.0.0.1", None, "", False),
        ("127.0.0.1", SECRET, None, False),
        ("127.0.0.1", SECRET, "", False),
        ("127.0.0.1", SECRET, SECRET[:-1], False),
        ("127.0.0.1", SECRET, SECRET.upper(), False),
        ("127.0.0.1", SECRET, "s\xe9cret", False),
        (LOCAL_SOCKET, SECRET, None, False),
        (LOCAL_SOCKET, SECRET, "another", False),
    ],
)
def test_a_user_counts_with_the_secret_or_over_the_unix_socket(
    peer: str, secret: str | None, given: str | None, *, believed: bool
) -> None:
    """Nothing else that a request can carry proves that the proxy has let somebody in."""
    headers = Headers({"X-Remote-User": "ada"})
    if given is not None:
        headers[SECRET_HEADER] = given
    told = _told(proxy_user_header="x-remote-user", proxy_secret=secret)
    caller = identify(peer, headers, told)
    assert (caller.user, caller.unproved_user) == (("ada", False) if believed else (None, True))
    assert caller.wrong_secret is (secret is not None and given not in {None, secret})
    assert SECRET not in repr(told)


def test_a_user_in_another_header_is_nobody() -> None:
    """Only the header that was named is read."""
    told = _told(trusted_proxy=True, proxy_user_header="X-Remote-User")
    caller = identify(LOCAL_SOCKET, Headers(FORWARDED), told)
    assert (caller.user, caller.unproved_user) == (None, False)


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-User", "X-Forwarded-Host", SECRET_HEADER])
def test_a_name_that_stands_twice_is_refused(name: str) -> None:
    """Proxy and bridge could read different ones."""
    headers = Headers([(name, SECRET), (name, SECRET)])
    told = _told(trusted_proxy=True, proxy_user_header="X-Forwarded-User", proxy_secret=SECRET)
    with pytest.raises(MultipleValuesError):
        identify("127.0.0.1", headers, told)


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
        identify(
            "127.0.0.1", Headers(fields), _told(trusted_proxy=True, proxy_user_header="X-Forwarded-User")
        )
