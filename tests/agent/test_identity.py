from pathlib import Path

import pytest

from fleetglass.agent import identity
from fleetglass.agent.identity import host_name, kept_id_hash, machine_id_hash, new_session


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


def test_a_container_keeps_an_id_on_a_volume(tmp_path: Path) -> None:
    """It is made once, and again where it is not whole: a full disk may have left an empty file."""
    folder = tmp_path / "fleetglass"
    mounts = mount_of(tmp_path)
    kept = kept_id_hash(folder, mounts)
    assert kept is not None
    assert (len(kept), kept_id_hash(folder, mounts)) == (16, kept)
    made = {kept}
    for text in ("", "\n", "3f2a9c\n", "no id\n" * 1000):
        (folder / "machine-id").write_text(text)
        again = kept_id_hash(folder, mounts)
        assert again is not None
        assert again == kept_id_hash(folder, mounts)
        made.add(again)
    assert len(made) == 5
    assert [one.name for one in folder.iterdir()] == ["machine-id"]


@pytest.mark.parametrize(
    ("mount", "source", "kind"),
    [
        pytest.param("/", "/", "overlay", id="in the container"),
        pytest.param("", "/", "tmpfs", id="in memory"),
        pytest.param(
            "",
            "/var/lib/kubelet/pods/3f2a/volumes/kubernetes.io~empty-dir/state",
            "ext4",
            id="emptyDir of a pod",
        ),
        pytest.param("/other", "/", "ext4", id="volume elsewhere"),
    ],
)
def test_a_folder_that_goes_with_the_container_keeps_no_id(
    tmp_path: Path, mount: str, source: str, kind: str
) -> None:
    """Each container would be another host, as without the folder."""
    mounts = mount_of(tmp_path, mount or None, source, kind)
    assert kept_id_hash(tmp_path / "fleetglass", mounts) is None


def test_a_folder_that_cannot_be_written_keeps_no_id(tmp_path: Path) -> None:
    """The agent starts all the same."""
    assert kept_id_hash(Path("/proc/fleetglass")) is None
    assert kept_id_hash(tmp_path / "fleetglass", str(tmp_path / "missing")) is None
    (tmp_path / "machine-id").mkdir()
    assert kept_id_hash(tmp_path, mount_of(tmp_path)) is None


def mount_of(folder: Path, mount: str | None = None, source: str = "/", kind: str = "ext4") -> str:
    """Write what the kernel tells of a container with one mount, by default that of the folder."""
    file = folder / "mountinfo"
    file.write_text(
        "22 1 0:20 / / rw,relatime - overlay overlay rw,lowerdir=/l\n"
        f"30 22 8:1 {source} {mount or folder} rw,relatime - {kind} /dev/sda1 rw\n"
    )
    return str(file)


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
