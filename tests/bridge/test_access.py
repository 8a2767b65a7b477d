import stat
from pathlib import Path

import pytest

from fleetglass.bridge.access import Access, needs_token, read_or_make_token
from fleetglass.bridge.errors import BridgeError
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.wire import BrokerAccess, BrokerURL

BROKER = BrokerAccess(url=BrokerURL("127.0.0.1", 1883))


def _settings(host: str = "127.0.0.1", *, auth: bool = True, token_file: str | None = None) -> BridgeSettings:
    return BridgeSettings(
        broker=BROKER,
        host=host,
        auth=auth,
        token_file=token_file,
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
        ("127.0.0.1.evil.example", False),
        ("", False),
        (None, False),
    ],
)
def test_names_that_are_not_ours_are_not_answered(header: str | None, *, allowed: bool) -> None:
    """A foreign name that resolves to this machine gets nothing."""
    assert Access(_settings(), None).allows_host(header) is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:8765", True),
        ("https://other.example", True),
        ("http://127.0.0.1:9999", False),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_pages_of_others_may_not_open_the_websocket(origin: str | None, *, allowed: bool) -> None:
    """Only the page itself, and origins that were named, may connect from a browser."""
    assert Access(_settings(), None).allows_origin(origin, "127.0.0.1:8765") is allowed


def test_a_token_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """The second start finds the token of the first, in a file that nobody else can read."""
    settings = _settings(token_file=str(tmp_path / "state" / "token"))
    token, made = read_or_make_token(settings)
    assert made
    assert read_or_make_token(settings) == (token, False)
    assert stat.S_IMODE((tmp_path / "state" / "token").stat().st_mode) == 0o600
    access = Access(settings, token)
    assert access.admits(token)
    assert not access.admits(None)
    assert not access.admits(token + "x")


def test_a_token_file_that_cannot_be_is_an_error_in_words(tmp_path: Path) -> None:
    """The message names the file and what was expected."""
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(BridgeError, match="empty file, expected a token"):
        read_or_make_token(_settings(token_file=str(empty)))
    with pytest.raises(BridgeError, match="expected a file this user can write"):
        read_or_make_token(_settings(token_file=str(empty / "below")))
