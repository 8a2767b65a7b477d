import importlib.util
import stat
from pathlib import Path

import pytest

from fleetglass.cli.configuration import broker_choice
from fleetglass.cli.configuration.broker_choice import check_given, choose_local, configuration_folder
from fleetglass.wire.errors import CommandError
from support.ports import free_port
from support.replaceable_tls import ReplaceableTls

REPOSITORY = Path(__file__).resolve().parents[3]


def test_private_mosquitto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A free port gets a mosquitto of our own, with a state folder that only its user can enter."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a b"))
    monkeypatch.setattr(broker_choice, "find_mosquitto", lambda: "/x/mosquitto")
    port = free_port()
    choice = choose_local(port)
    folder = tmp_path / "a b" / "fleetglass" / f"mosquitto-{port}"
    assert choice.command == ("/x/mosquitto", "-c", str(folder / "mosquitto.conf"))
    assert choice.saves_when_asked
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    lines = (folder / "mosquitto.conf").read_text().splitlines()
    assert f"listener {port} 127.0.0.1" in lines
    assert f"persistence_location {folder}/" in lines
    assert not [line for line in lines if "@" in line and not line.startswith("#")]


def test_embedded_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mosquitto the embedded broker serves, and it says what to install for more."""
    pytest.importorskip("amqtt", reason="needs amqtt, as `make test` installs it")
    monkeypatch.setattr(broker_choice, "find_mosquitto", lambda: None)
    choice = choose_local(free_port())
    assert choice.command[1:3] == ("-m", "fleetglass.cli.embedded_broker")
    assert "embedded" in choice.description
    assert "apt install mosquitto" in choice.description


def test_no_broker_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any broker, every way to one is named."""
    monkeypatch.setattr(broker_choice, "find_mosquitto", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(CommandError, match=r"expected one of: apt install mosquitto; --broker URL$"):
        choose_local(free_port())


def test_state_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder that cannot be made is named in one line."""
    (tmp_path / "fleetglass").write_text("a file, not a folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(broker_choice, "find_mosquitto", lambda: "/x/mosquitto")
    with pytest.raises(CommandError, match="state folder: "):
        choose_local(free_port())


@pytest.mark.broker
def test_a_broker_that_is_not_trusted(tmp_path: Path) -> None:
    """The remedy for a wrong authority is the file that names the right one, and not a password."""
    tls = ReplaceableTls(tmp_path)
    tls.use(0)
    tls.trust(1)
    tls.broker.start()
    try:
        with pytest.raises(CommandError, match=r"not trusted: .*; name who signed it with ca_file$"):
            check_given(tls.access)
    finally:
        tls.broker.kill()


def test_every_line_is_explained() -> None:
    """The README beside the broker's configuration explains each of its lines."""
    folder = configuration_folder()
    assert folder == REPOSITORY / "mosquitto"
    readme = (folder / "README.md").read_text()
    for line in (folder / "private.conf").read_text().splitlines():
        if line and not line.startswith("#"):
            assert f"`{line.split()[0]} " in readme
