from pathlib import Path

import pytest

from fleetglass.cli.configuration.file import Configuration, read_configuration
from fleetglass.cli.configuration.source_choice import source_of
from fleetglass.client import BridgeSource, Source
from fleetglass.client.broker_source import BrokerSource
from fleetglass.wire.errors import UsageError


def choose(tmp_path: Path, file: str = "", variables: dict[str, str] | None = None, **said: object) -> Source:
    return source_of(configured(tmp_path, file, variables, **said))


def configured(tmp_path: Path, file: str, variables: dict[str, str] | None, **said: object) -> Configuration:
    path = tmp_path / "fleetglass.yaml"
    path.write_text(file)
    return read_configuration({"config": str(path)} | said, {"HOME": str(tmp_path)} | (variables or {}))


def test_a_bridge_unless_told_otherwise(tmp_path: Path) -> None:
    """The broker of agents and bridges, in the file or the environment, is not read straight."""
    assert isinstance(choose(tmp_path), BridgeSource)
    assert isinstance(choose(tmp_path, "broker: mqtt://b.example\n"), BridgeSource)
    assert isinstance(choose(tmp_path, variables={"FLEETGLASS_BROKER": "mqtt://b.example"}), BridgeSource)


def test_a_broker_that_is_named(tmp_path: Path) -> None:
    """The argument, or the section of the file, names a broker to read; the rest is what a bridge reads."""
    assert isinstance(choose(tmp_path, broker="mqtt://b.example"), BrokerSource)
    section = "prefix: [a, b]\nwatch:\n  broker: mqtt://b.example\n"
    assert isinstance(choose(tmp_path, section), BrokerSource)
    with pytest.raises(UsageError, match="sent in clear"):
        choose(tmp_path, section, {"FLEETGLASS_PASSWORD": "p"})


def test_the_nearer_word_counts(tmp_path: Path) -> None:
    """An argument goes before the environment, and that before the file, whichever of the two it names."""
    section = "watch:\n  broker: mqtt://b.example\n"
    url = "ws://b.example/ws"
    assert isinstance(choose(tmp_path, section, url=url), BridgeSource)
    assert isinstance(choose(tmp_path, section, {"FLEETGLASS_URL": url}), BridgeSource)
    assert isinstance(choose(tmp_path, "", {"FLEETGLASS_URL": url}, broker="mqtt://b"), BrokerSource)


def test_both_in_one_place(tmp_path: Path) -> None:
    """Who names a bridge and a broker is asked which of them."""
    with pytest.raises(UsageError, match="broker: got url as well, expected one of them"):
        choose(tmp_path, url="ws://b.example/ws", broker="mqtt://b.example")


def test_expected_hosts_are_for_a_broker(tmp_path: Path) -> None:
    """A bridge has its own list: an argument is refused; at the top of the file it is for both."""
    hosts = tmp_path / "hosts.yaml"
    hosts.write_text("[db-2]\n")
    file = f"hosts: [nas]\nhosts_file: {hosts}\n"
    source = choose(tmp_path, file, broker="mqtt://b.example")
    assert isinstance(source, BrokerSource)
    assert {entry.id for entry in source._relay.entries()} == {"nas", "db-2"}
    assert isinstance(choose(tmp_path, file), BridgeSource)
    with pytest.raises(UsageError, match=r"^--hosts-file: got a bridge .* expected --broker$"):
        choose(tmp_path, hosts_file=str(hosts))
    hosts.write_text("[7]\n")
    with pytest.raises(UsageError, match=r"^hosts_file: item 1: got 7"):
        choose(tmp_path, file, broker="mqtt://b.example")
