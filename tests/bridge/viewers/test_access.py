from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.bridge.http.client_identity import Caller
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewers.access import Access, needs_token
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess

BROKER = BrokerAccess(url=BrokerURL("127.0.0.1", 1883))


def _settings(host: str = "127.0.0.1", *, auth: bool = True) -> BridgeSettings:
    return BridgeSettings(
        broker=BROKER,
        host=host,
        auth=auth,
        allowed_hosts=("glass.example",),
        allowed_origins=("https://other.example",),
    )


@pytest.mark.parametrize(
    ("host", "auth", "expected"),
    [
        ("127.0.0.1", True, False),
        ("localhost", True, False),
        ("::1", True, False),
        ("0.0.0.0", True, True),
        ("192.0.2.1", True, True),
        ("0.0.0.0", False, False),
    ],
)
def test_only_loopback_goes_without_a_token(host: str, *, auth: bool, expected: bool) -> None:
    """Bound to anything else, a bridge asks for a token unless it was told not to."""
    assert needs_token(_settings(host, auth=auth)) is expected


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("127.0.0.1:8765", True),
        ("localhost:8765", True),
        ("[::1]:8765", True),
        ("192.0.2.7", True),
        ("glass.example", True),
        ("evil.example:8765", False),
        ("LOCALHOST.:8765", True),
        ("Glass.Example.", True),
        ("[::1", False),
        ("[evil.example]", False),
        ("evil.example@127.0.0.1", False),
        ("127.0.0.1:8765/evil.example", False),
        ("localhost#.evil.example", False),
        ("localhost:evil.example", False),
        ("0x7f.1", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        (None, False),
    ],
)
def test_names_that_are_not_ours_are_not_answered(header: str | None, *, allowed: bool) -> None:
    """A foreign name that resolves to this machine gets nothing."""
    assert Access(_settings(), None).allows_host(header) is allowed


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "127.0.0.1:8765", True),
        ("http://127.0.0.1:8765", "127.0.0.1:8765", True),
        ("https://other.example", "127.0.0.1:8765", True),
        ("HTTPS://OTHER.example:443/", "127.0.0.1:8765", True),
        ("http://other.example", "127.0.0.1:8765", False),
        ("http://127.0.0.1:9999", "127.0.0.1:8765", False),
        ("http://127.0.0.1", "127.0.0.1:8765", False),
        ("https://evil.example", "127.0.0.1:8765", False),
        ("http://127.0.0.1:8765@evil.example", "127.0.0.1:8765", False),
        ("http://127.0.0.1:8765.evil.example", "127.0.0.1:8765", False),
        ("null", "127.0.0.1:8765", False),
        ("", "127.0.0.1:8765", False),
        ("ftp://127.0.0.1:8765", "127.0.0.1:8765", False),
        ("http://[::1]:8765", "[::1]:8765", True),
        ("http://Glass.Example.:8765", "glass.example:8765", True),
        ("https://glass.example", "glass.example", True),
        ("https://glass.example", "glass.example:443", True),
        ("http://glass.example", "glass.example:443", False),
        ("http://glass.example", None, False),
        ("null", "null", False),
    ],
)
def test_pages_of_others_may_not_open_the_websocket(
    origin: str | None, host: str | None, *, allowed: bool
) -> None:
    """Only the page itself, and origins that were named, may connect from a browser."""
    assert Access(_settings(), None).allows_origin(origin, host) is allowed


def test_a_frame_without_an_origin_cannot_be_named() -> None:
    """Any page of the web can make such a frame."""
    told = replace(_settings(), allowed_origins=("null", "*", ""))
    assert not Access(told, None).allows_origin("null", "127.0.0.1:8765")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"socket": "/run/s"}, False),
        ({"trusted_proxy": True}, True),
        ({"trusted_proxy": True, "auth": False}, False),
        ({"socket": "/run/s", "proxy_user_header": "X-Forwarded-User"}, True),
    ],
)
def test_behind_a_proxy_that_is_trusted_a_token_is_needed(told: dict[str, Any], *, expected: bool) -> None:
    """Through it everybody seems to be on this machine."""
    assert needs_token(replace(_settings(), **told)) is expected


def test_the_token_is_compared_whole() -> None:
    """Anything but the token is wrong; a user whom the proxy names needs none."""
    access = Access(_settings(), "secret")
    assert access.admits("secret")
    for wrong in (None, "", "secre", "secretx", "sécret", "\udcff"):
        assert not access.admits(wrong)
    assert access.admits(None, Caller("203.0.113.5", (), user="ada"))
    assert not access.admits(None, Caller("203.0.113.5", ()))


def test_a_new_token_is_noticed_and_a_lost_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The old token ends when there is a new one; while there is nothing to read, it stays."""
    path = tmp_path / "token"
    path.write_text("old\n")
    access = Access(_settings(), "old", path)
    assert not access.refresh()
    path.unlink()
    assert not access.refresh()
    assert not access.refresh()
    assert access.admits("old")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    path.write_text("new\n")
    assert access.refresh()
    assert access.admits("new")
    assert not access.admits("old")
    assert "new" not in "".join(record.getMessage().split("token")[0] for record in caplog.records)


@given(st.text(), st.text())
def test_any_header_is_let_in_or_not(host: str, origin: str) -> None:
    """Whatever a browser or a scanner sends, it is a yes or a no."""
    access = Access(_settings(), None)
    assert access.allows_host(host) in {True, False}
    assert access.allows_origin(origin, host) in {True, False}
