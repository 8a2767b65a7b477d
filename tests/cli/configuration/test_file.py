import os
from pathlib import Path

import pytest

from fleetglass.cli.configuration.file import read_configuration
from fleetglass.wire.errors import UsageError


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


def test_secret_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A password in a private file is taken; in one that every user can read it is, with a warning."""
    path = write(tmp_path / "f.yaml", "password: geheim\n")
    path.chmod(0o600)
    assert read_configuration({"config": str(path)}, {}).get("password", "agent") == "geheim"
    assert capsys.readouterr().err == ""
    exposed = write(tmp_path / "g.yaml", "password: geheim\n")
    exposed.chmod(0o644)
    assert read_configuration({"config": str(exposed)}, {}).get("password", "agent") == "geheim"
    assert f"warning: password: {exposed} can be read by every user" in capsys.readouterr().err


def test_secret_of_another_kind_is_not_shown(tmp_path: Path) -> None:
    """What stands where a key should be is not repeated in the error."""
    path = write(tmp_path / "f.yaml", "private_key: geheim\n")
    path.chmod(0o600)
    with pytest.raises(UsageError, match=r"^private_key: got a secret, expected a text in PEM"):
        read_configuration({"config": str(path)}, {})


def test_a_key_is_there_once(tmp_path: Path) -> None:
    """A key that is there twice, of which YAML takes the last, is refused with its line."""
    path = write(tmp_path / "f.yaml", "prefix: a\nagent:\n  interval: 1\nprefix: b\n")
    with pytest.raises(UsageError, match=r"^prefix: named twice \(.*, line 4\)$"):
        read_configuration({"config": str(path)}, {})
    write(path, "agent:\n  interval: 1\n  interval: 2\n")
    with pytest.raises(UsageError, match=r"^interval: named twice \(.*line 3\)$"):
        read_configuration({"config": str(path)}, {})


def test_a_file_that_is_nested_without_end(tmp_path: Path) -> None:
    """It is refused in one line, as whatever else is no configuration."""
    path = write(tmp_path / "f.yaml", "[" * 50_000)
    with pytest.raises(UsageError, match="too many levels, expected YAML"):
        read_configuration({"config": str(path)}, {})


def test_a_found_file_that_is_not_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with the credential of the host does not keep its users from running other commands."""
    path = write(tmp_path / ".config/fleetglass/fleetglass.yaml", "prefix: own\n")
    monkeypatch.setattr("os.access", lambda _, mode: mode == os.F_OK)  # root may read every file
    assert read_configuration({}, {"HOME": str(tmp_path)}).path is None
    assert f"{path} may not be read by this user" in capsys.readouterr().err


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


def test_each_bad_host_of_a_list_is_told_with_its_place(tmp_path: Path) -> None:
    """One line for each; the hosts that a command is given as arguments are no such list."""
    path = write(tmp_path / "f.yaml", "bridge:\n  hosts: [web-1, 7, {name: x}]\n")
    with pytest.raises(UsageError) as refused:
        read_configuration({"config": str(path)}, {})
    assert list(refused.value.args) == [
        f"hosts: item 2: got 7, expected a host id in quotes, or a mapping with id (bridge.hosts in {path})",
        f"hosts: item 3: got no id, expected a host id (bridge.hosts in {path})",
    ]
    with pytest.raises(UsageError, match=r"^hosts: item 1: .*\(FLEETGLASS_HOSTS\)$"):
        read_configuration({}, {"FLEETGLASS_HOSTS": "Web 1"})
    given = read_configuration({"hosts": ["web-*"]}, {"FLEETGLASS_HOSTS": "a, b"})
    assert [host.id for host in given.get("hosts", "watch")] == ["a", "b"]
    top = read_configuration({"config": str(write(path, "hosts: [nas]\n"))}, {})
    assert [top.get("hosts", part)[0].id for part in ("bridge", "watch")] == ["nas", "nas"]
