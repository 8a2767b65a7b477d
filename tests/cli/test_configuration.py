from pathlib import Path

import pytest

from fleetglass.cli.configuration import read_configuration
from fleetglass.cli.errors import UsageError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_order_of_sources(tmp_path: Path) -> None:
    """Arguments win over the environment, it over a section of the file, and that over its top level."""
    path = write(tmp_path / "f.yaml", "prefix: top\nagent:\n  prefix: section\n  interval: 5\n")
    arguments: dict[str, object] = {"config": str(path)}

    def prefix(variables: dict[str, str], **more: object) -> object:
        return read_configuration(arguments | more, variables).get("prefix", "agent")

    assert prefix({"FLEETGLASS_PREFIX": "variable"}, prefix=["argument"]) == ("argument",)
    assert prefix({"FLEETGLASS_PREFIX": "variable"}) == ("variable",)
    assert prefix({}) == ("section",)
    assert read_configuration(arguments, {}).get("prefix", "bridge") == ("top",)
    assert read_configuration(arguments, {}).get("interval", "simulate") == 5
    assert read_configuration(arguments, {}).get("host_id", "agent") is None


def test_file_is_found(tmp_path: Path) -> None:
    """The user's own file is read without being named, and a named one wins over it."""
    own = write(tmp_path / ".config/fleetglass/fleetglass.yaml", "prefix: own\n")
    named = write(tmp_path / "named.yaml", "prefix: named\n")
    home = {"HOME": str(tmp_path)}
    assert read_configuration({}, home).path == own
    assert read_configuration({}, home).get("prefix", "bridge") == ("own",)
    assert read_configuration({}, home | {"FLEETGLASS_CONFIG": str(named)}).path == named
    assert read_configuration({"config": str(named)}, home).path == named


def test_no_file(tmp_path: Path) -> None:
    """Without a file there is nothing to read."""
    assert read_configuration({}, {"HOME": str(tmp_path)}).path is None


def test_empty_file_and_empty_values(tmp_path: Path) -> None:
    """An empty file, a section or a key without a value, and an empty variable say nothing."""
    path = write(tmp_path / "f.yaml", "agent:\nbroker:\n")
    configuration = read_configuration({"config": str(path)}, {"FLEETGLASS_HOST_ID": ""})
    assert configuration.get("broker", "agent") is None
    assert configuration.get("host_id", "agent") is None


def test_several_prefixes(tmp_path: Path) -> None:
    """A list in the file, commas in the environment and repeated arguments say the same."""
    path = write(tmp_path / "f.yaml", "bridge:\n  prefix: [a, b/c]\n")
    arguments: list[tuple[dict[str, object], dict[str, str]]] = [
        ({"config": str(path)}, {}),
        ({}, {"FLEETGLASS_PREFIX": "a, b/c", "HOME": ""}),
        ({"prefix": ["a", "b/c"]}, {}),
    ]
    for given, variables in arguments:
        assert read_configuration(given, variables).get("prefix", "bridge") == ("a", "b/c")


def test_secret_is_not_accepted_in_the_file(tmp_path: Path) -> None:
    """A password in the file is refused with a hint at password_file."""
    path = write(tmp_path / "f.yaml", "password: geheim\n")
    with pytest.raises(UsageError, match="password: got an unknown key, expected perhaps 'password_file'"):
        read_configuration({"config": str(path)}, {})


def test_every_section_is_checked(tmp_path: Path) -> None:
    """A mistake in the section of another part is told as well, before that part is started."""
    path = write(tmp_path / "f.yaml", "bridge: {port: eighty}\n")
    with pytest.raises(UsageError, match=r"port: got 'eighty', expected .* \(bridge.port in "):
        read_configuration({"config": str(path)}, {})


def test_file_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are told as such."""
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="got bytes that are not UTF-8"):
        read_configuration({"config": str(path)}, {})


def test_other_variables_are_left_alone() -> None:
    """Variables of other programs are no business of ours."""
    assert read_configuration({}, {"FLEET": "x", "PATH": "y"}).environment == {}
