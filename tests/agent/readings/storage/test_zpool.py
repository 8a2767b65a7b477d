import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from fleetglass.agent.readings.storage.zpool import PoolReader, parse_list, parse_pools
from fleetglass.wire.payloads import StorageArray

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")


def every(_: str) -> bool:
    return True


def vdev(kind: str = "disk", state: str = "ONLINE", checksum: object = 0, **vdevs: Any) -> dict[str, Any]:
    errors = {"read_errors": 0, "write_errors": "1", "checksum_errors": checksum}
    return {"vdev_type": kind, "state": state, **errors} | ({"vdevs": vdevs} if vdevs else {})


def pool(state: str = "ONLINE", mirror: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    tree = {"tank": vdev("root", state, mirror=mirror or vdev("mirror", sda=vdev(), sdb=vdev()))}
    return {"name": "tank", "state": state, "vdevs": tree, "error_count": "0"} | more


def told(**pools: Any) -> bytes:
    return json.dumps({"output_version": {"command": "zpool status"}, "pools": pools}).encode()


def test_a_healthy_pool() -> None:
    """Errors are summed over its disks; numbers come as numbers or as text."""
    assert parse_pools(told(tank=pool())) == {
        "tank": StorageArray(
            type="zfs",
            health="ok",
            state="online",
            devices=2,
            degraded_devices=0,
            read_errors=0,
            write_errors=2,
            checksum_errors=0,
            data_errors=0,
        )
    }
    assert parse_pools(told()) == {}


def test_a_pool_that_lacks_a_disk() -> None:
    """It is degraded; which pool it is and what it lost is told, and how far the replacement is."""
    half = vdev("mirror", "DEGRADED", sda=vdev(checksum="1.50K"), sdb=vdev(state="FAULTED", checksum=2))
    scan = {
        "function": "RESILVER",
        "state": "SCANNING",
        "to_examine": "4.00G",
        "skipped": "0B",
        "issued": "1.00G",
    }
    found = parse_pools(told(tank=pool("DEGRADED", half, scan_stats=scan, error_count=7)))
    assert found is not None
    tank = found["tank"]
    assert (tank.health, tank.state, tank.degraded_devices) == ("degraded", "degraded", 1)
    assert (tank.checksum_errors, tank.data_errors) == (1538, 7)
    assert (tank.sync_action, tank.sync_percent) == ("resilver", 25.0)


def test_a_scrub_that_has_ended_does_not_run() -> None:
    """Only one that runs is told."""
    found = parse_pools(told(tank=pool(scan_stats={"function": "SCRUB", "state": "FINISHED"})))
    assert found is not None
    assert found["tank"].sync_action is UNSET


@pytest.mark.parametrize("state", ["SUSPENDED", "FAULTED", "UNAVAIL", "REMOVED", "OFFLINE"])
def test_every_other_state_is_a_failure(state: str) -> None:
    """A pool in it gives no data."""
    found = parse_pools(told(tank=pool(state)))
    assert found is not None
    assert (found["tank"].health, found["tank"].state) == ("failed", state.lower())


def test_draid_whose_parts_have_no_state() -> None:
    """OpenZFS leaves it out there; nothing is made up. Logs count, and a hole where one was does not."""
    draid = {"vdevs": {"sda": vdev(), "sdb": {"name": "sdb"}}}
    logs = {"nvme0n1": vdev(state="REMOVED"), "hole": vdev("hole")}
    found = parse_pools(told(tank=pool(mirror=draid, logs=logs)))
    assert found is not None
    assert (found["tank"].devices, found["tank"].degraded_devices) == (3, 1)


@pytest.mark.parametrize("output", [b"", b"invalid option 'j'", b"[]", b"{}", b'{"pools": 5}', b"\xff"])
def test_what_is_no_answer(output: bytes) -> None:
    """Nothing is made of it."""
    assert parse_pools(output) is None


def test_a_list() -> None:
    """Name and health, separated by a tab."""
    assert parse_list(b"tank\tDEGRADED\nboot pool\tONLINE\nno pools available\n") == {
        "tank": StorageArray(type="zfs", health="degraded", state="degraded"),
        "boot pool": StorageArray(type="zfs", health="ok", state="online"),
    }


class Zpool:
    """A machine with a `zpool` that says what it is told, and notes each call."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 0.0
        program = root / "bin/zpool"
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\necho "$1 $ZFS_MODULE_LOADING" >> {root}/calls\n'
            f'cat "{root}/$1" 2>/dev/null || {{ echo "invalid option \'j\'" >&2; exit 2; }}\n'
        )
        program.chmod(0o755)
        environment = {"PATH": f"{root}/bin{os.pathsep}{os.environ['PATH']}"}
        self.reader = PoolReader(root=root, environment=environment, clock=lambda: self.now)

    @property
    def calls(self) -> list[str]:
        """Every command that it was given, and whether it might load the kernel's module."""
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def kernel(self, name: str, state: str) -> None:
        """Let the kernel's module tell the state of a pool."""
        path = self.root / "proc/spl/kstat/zfs" / name / "state"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(state + "\n")


def test_pools_are_asked_for_seldom(tmp_path: Path) -> None:
    """Every half hour, and at once when the kernel says that one has changed."""
    machine = Zpool(tmp_path)
    machine.kernel("tank", "ONLINE")
    (tmp_path / "status").write_bytes(told(tank=pool()))
    for _ in range(3):
        assert machine.reader.read(every)[0]["zfs/tank"].devices == 2
    assert machine.calls == ["status NO"]
    machine.kernel("tank", "DEGRADED")
    (tmp_path / "status").write_bytes(told(tank=pool("DEGRADED")))
    assert machine.reader.read(every)[0]["zfs/tank"].health == "degraded"
    machine.now = 1800
    machine.reader.read(every)
    assert len(machine.calls) == 3
    assert machine.reader.read(lambda name: name != "zfs/tank") == ({}, None)


def test_an_older_zpool_is_asked_for_a_list(tmp_path: Path) -> None:
    """And where there is no program, as in a container, the kernel tells the states."""
    machine = Zpool(tmp_path)
    machine.kernel("tank", "ONLINE")
    (tmp_path / "list").write_bytes(b"tank\tDEGRADED\n")
    assert machine.reader.read(every)[0]["zfs/tank"].health == "degraded"
    assert machine.calls == ["status NO", "list NO"]
    (tmp_path / "bin/zpool").unlink()
    alone = PoolReader(root=tmp_path, environment={"PATH": f"{tmp_path}/bin"})
    assert alone.read(every) == ({"zfs/tank": StorageArray(type="zfs", health="ok", state="online")}, None)


def test_a_zpool_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state that the kernel tells stays."""
    monkeypatch.setattr("fleetglass.agent.readings.storage.zpool._RUN_SECONDS", 0.2)
    machine = Zpool(tmp_path)
    machine.kernel("tank", "SUSPENDED")
    (tmp_path / "bin/zpool").write_text("#!/bin/sh\nsleep 600\n")
    pools, problem = machine.reader.read(every)
    assert (pools["zfs/tank"].health, problem) == ("failed", "zpool: took more than 0.2 s")


def test_a_machine_without_pools(tmp_path: Path) -> None:
    """Has none, and no problem."""
    assert PoolReader(root=tmp_path, environment={"PATH": str(tmp_path)}).read(every) == ({}, None)
