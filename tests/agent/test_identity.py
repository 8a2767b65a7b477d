import tempfile
from pathlib import Path

import pytest

from fleetglass.agent import identity
from fleetglass.agent.identity import host_name, kept_id_hash, machine_id_hash, new_session

VOLUME = Path("/dev/shm")


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
    """A missing or an empty file gives nothing, nor does one from before the first boot of an image."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").touch()
    assert machine_id_hash(str(tmp_path)) is None
    (tmp_path / "etc/machine-id").write_text("uninitialized\n")
    assert machine_id_hash(str(tmp_path)) is None


@pytest.mark.skipif(not VOLUME.is_dir(), reason="no filesystem beside that of /")
def test_a_container_keeps_an_id_on_a_volume(tmp_path: Path) -> None:
    """It is made once; where the folder goes with the container, or cannot be written, there is none."""
    with tempfile.TemporaryDirectory(dir=VOLUME) as volume:
        folder = Path(volume, "fleetglass")
        kept = kept_id_hash(folder)
        assert kept is not None
        assert (len(kept), kept_id_hash(folder)) == (16, kept)
        (folder / "machine-id").unlink()
        assert kept_id_hash(folder) not in (None, kept)
    assert kept_id_hash(Path("/proc/fleetglass")) is None
    if tmp_path.stat().st_dev == Path("/").stat().st_dev:
        assert kept_id_hash(tmp_path / "fleetglass") is None


def test_a_host_has_a_name() -> None:
    """The name can be written as UTF-8."""
    assert host_name().encode()


def test_a_mounted_host_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Under another folder the name is that of `etc/hostname`, and not of the container that reads it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("web-7\n")
    assert host_name(str(tmp_path)) == "web-7"
    assert host_name(str(tmp_path / "missing")) == host_name()


@pytest.mark.parametrize("engine", ["docker", None])
def test_a_mounted_host_without_a_name_is_named_by_its_machine_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str | None
) -> None:
    """Some systems keep no `etc/hostname`; the name of the container would be another one tomorrow."""
    monkeypatch.setattr(identity, "own_container", lambda: engine)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").touch()
    (tmp_path / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    expected = f"host-{str(machine_id_hash(str(tmp_path)))[:8]}" if engine else host_name()
    assert host_name(str(tmp_path)) == expected
