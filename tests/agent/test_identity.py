from pathlib import Path

from fleetglass.agent.identity import host_name, machine_id_hash, new_session


def test_every_start_has_its_own_session() -> None:
    """A hundred starts have a hundred names."""
    assert len({new_session() for _ in range(100)}) == 100


def test_the_machine_id_is_hashed(tmp_path: Path) -> None:
    """The hash is always the same, and the id is not in it."""
    file = tmp_path / "var/lib/dbus/machine-id"
    file.parent.mkdir(parents=True)
    file.write_text("0123456789abcdef0123456789abcdef\n")
    found = machine_id_hash(str(tmp_path))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text(file.read_text())
    assert found == machine_id_hash(str(tmp_path))
    assert found is not None
    assert len(found) == 16
    assert found not in file.read_text()


def test_a_machine_without_an_id_has_no_hash(tmp_path: Path) -> None:
    """A missing or an empty file gives nothing."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").touch()
    assert machine_id_hash(str(tmp_path)) is None


def test_a_host_has_a_name() -> None:
    """The name can be written as UTF-8."""
    assert host_name().encode()


def test_a_mounted_host_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Under another folder the name is that of `etc/hostname`, and not of the container that reads it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("web-7\n")
    assert host_name(str(tmp_path)) == "web-7"
    assert host_name(str(tmp_path / "missing")) == host_name()
