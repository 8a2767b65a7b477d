import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewers.token import (
    note_address,
    page_address,
    read_or_make_token,
    read_token,
    replace_token,
    running_link,
    viewer_link,
)
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.errors import BridgeError


def _settings(token_file: Path | None = None, host: str = "0.0.0.0") -> BridgeSettings:
    return BridgeSettings(
        broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)),
        host=host,
        token_file=str(token_file) if token_file else None,
    )


def test_a_token_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """The second start finds the token of the first, in a file that nobody else can read."""
    path = tmp_path / "state" / "token"
    token, made = read_or_make_token(_settings(path))
    assert made
    assert read_or_make_token(_settings(path)) == (token, False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["token"]


def test_a_new_token_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """It is another one, as private, and there is nothing left of the old."""
    path = tmp_path / "token"
    path.write_text("old\n")
    path.chmod(0o644)
    token = replace_token(_settings(path))
    assert token != "old"
    assert read_or_make_token(_settings(path)) == (token, False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_root_replaces_the_token_of_another_user(tmp_path: Path) -> None:
    """A service runs as a user of its own, and must be able to read what root has put there."""
    path = tmp_path / "token"
    path.write_text("old\n")
    os.chown(path, 65534, 65534)
    replace_token(_settings(path))
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_token_file_that_cannot_be_is_an_error_in_words(tmp_path: Path) -> None:
    """The message names the file and what was expected."""
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(BridgeError, match="empty file, expected a token"):
        read_or_make_token(_settings(empty))
    for use in (read_or_make_token, replace_token):
        with pytest.raises(BridgeError, match="expected a file this user can write"):
            use(_settings(empty / "below"))
    empty.write_bytes(b"\xff\xfe")
    with pytest.raises(BridgeError, match="expected a file this user can write"):
        read_or_make_token(_settings(empty))


def test_the_link_can_be_opened_from_another_machine() -> None:
    """It has a name that the bridge answers to; what only the proxy knows is left open."""
    told = replace(_settings(), allowed_hosts=("glass.example",))
    assert viewer_link(told, "t") == "http://glass.example:8765/#token=t"
    assert viewer_link(replace(told, host="192.0.2.7", cert="c"), "t") == "https://192.0.2.7:8765/#token=t"
    assert viewer_link(replace(told, host="2001:db8::7"), "t") == "http://[2001:db8::7]:8765/#token=t"
    assert viewer_link(replace(told, trusted_proxy=True), "t") == "…/#token=t"
    assert "0.0.0.0" not in page_address(_settings())
    assert page_address(replace(told, socket="/run/s")) == "unix:/run/s"


def test_the_link_of_a_running_bridge_has_the_address_that_it_serves(tmp_path: Path) -> None:
    """Whatever the settings of the command are that asks for it; what is no address is left alone."""
    serving, asking = _settings(tmp_path / "token", "192.0.2.7"), _settings(tmp_path / "token", "127.0.0.1")
    assert running_link(asking, "t") == viewer_link(asking, "t")
    note_address(serving)
    assert running_link(asking, "t") == "http://192.0.2.7:8765/#token=t"
    note_address(replace(serving, socket="/run/s"))
    assert running_link(asking, "t") == "…/#token=t"
    for rubbish in (b"", b"\xff", b"http://a/\nhttp://b/", b"\x1b[2J/", b"http://a/#"):
        (tmp_path / "token.address").write_bytes(rubbish)
        assert running_link(asking, "t") == viewer_link(asking, "t")


def test_a_token_is_read_and_not_made(tmp_path: Path) -> None:
    """Asking for it changes nothing."""
    path = tmp_path / "token"
    assert read_token(_settings(path)) is None
    assert not path.exists()
    path.write_text("t\n")
    assert read_token(_settings(path)) == "t"
    path.write_text("")
    with pytest.raises(BridgeError, match="empty file"):
        read_token(_settings(path))
