import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads control groups")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_cgroup import (
        container_of,
        parse_io,
        parse_membership,
        parse_pairs,
        read_use,
    )

ID = 16 * "3f4e"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"0::/system.slice/docker-{ID}.scope\n", f"system.slice/docker-{ID}.scope"),
        (f"0::/system.slice/docker-{ID}.scope/init.scope\n", f"system.slice/docker-{ID}.scope"),
        (f"0::/docker/{ID}\n", f"docker/{ID}"),
        (f"0::/machine.slice/libpod-{ID}.scope/container\n", f"machine.slice/libpod-{ID}.scope"),
        ("0::/kubepods/burstable\n", "kubepods/burstable"),
        ("0::/\n", None),
        ("0::/../..\n", None),
        (f"12:memory:/docker/{ID}\n", None),
        (f"1:name=systemd:/docker/{ID}\n0::/docker/{ID}\n", f"docker/{ID}"),
        (f"0::/a\x1cb\u2028c/docker-{ID}.scope\n", f"a\x1cb\u2028c/docker-{ID}.scope"),
        ("", None),
    ],
)
def test_the_group_of_a_container_is_found(text: str, path: str | None) -> None:
    """It is the group that bears the container's id, of version 2; the root of all is none."""
    assert parse_membership(text, ID) == path


def test_traffic_through_a_volume_counts_once(tmp_path: Path) -> None:
    """`io.stat` tells it of the volume, and of the disk on which the volume is."""
    blocks = tmp_path / "sys/devices/virtual/block"
    for name, number, below in (("sda", "8:0", ""), ("dm-0", "253:0", "sda"), ("sdb", "8:16", "")):
        (blocks / name / "slaves").mkdir(parents=True)
        for folder, link in (("dev/block", number), ("class/block", name)):
            (tmp_path / "sys" / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / "sys" / folder / link).symlink_to(blocks / name)
        if below:
            (blocks / name / "slaves" / below).symlink_to(blocks / below)
    group = tmp_path / "sys/fs/cgroup/docker" / ID
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 5\n")
    (group / "io.stat").write_text(
        "253:0 rbytes=10 wbytes=7\n8:0 rbytes=10 wbytes=7\n8:16 rbytes=5 wbytes=1\n"
    )
    (tmp_path / "proc/4242").mkdir(parents=True)
    (tmp_path / "proc/4242/cgroup").write_text(f"0::/docker/{ID}\n")
    use = read_use(tmp_path, 4242, ID, own_network=False)
    assert use is not None
    assert (use.read, use.written) == (15, 8)


def test_traffic_to_disks_is_added_up() -> None:
    """Every device counts; a device without numbers, and no file, count for nothing."""
    assert parse_io("8:16 rbytes=10 wbytes=20 rios=1\n8:0 rbytes=1 wbytes=2\n7:0 \n") == (11, 22)
    assert parse_io("7:1 7:0 8:0 rbytes=3 wbytes=4\n", lambda _: {"8:0"}) == (3, 4)
    assert parse_io("") == (None, None)


def test_a_group_that_is_gone_is_none(tmp_path: Path) -> None:
    """A container that has just stopped gives no use, and no error."""
    assert read_use(tmp_path, 4242, ID, own_network=True) is None
    (tmp_path / "proc/4242").mkdir(parents=True)
    (tmp_path / "proc/4242/cgroup").write_text(f"0::/docker/{ID}\n")
    assert read_use(tmp_path, 4242, ID, own_network=True) is None


@given(st.text())
def test_no_text_breaks_a_parser(text: str) -> None:
    """Whatever a file holds, there is a value or none."""
    parse_membership(text, ID)
    parse_io(text)
    parse_pairs(text)


OTHER = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("cgroup", "name"),
    [
        (f"0::/system.slice/docker-{ID}.scope", "3f4e3f4e3f4e"),
        (f"12:memory:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/", "3f4e3f4e3f4e"),
        (f"0::/machine.slice/libpod-{ID}.scope/container", "3f4e3f4e3f4e"),
        (f"0::/system.slice/nerdctl-{ID}.scope", "3f4e3f4e3f4e"),
        (f"0::/../docker-{OTHER}.scope", "trainer"),
        (f"0::/docker/{OTHER}/kubelet.slice/kubepods.slice/cri-containerd-{ID}.scope", "trainer"),
        (f"0::/kubepods.slice/kubepods-burstable-podf3.slice/crio-{ID}.scope", "ml/job-0/main"),
        (f"0::/kubepods/besteffort/podf3/{'9' * 64}", "999999999999"),
        ("0::/lxc.payload.web-1/system.slice/nginx.service", "web-1"),
        ("4:devices:/lxc/101/ns/init.scope", "101"),
        ("0::/machine.slice/systemd-nspawn@build.service/payload", "build"),
        ("0::/user.slice/user-1000.slice/session-2.scope", None),
        ("0::/", None),
        ("", None),
    ],
)
def test_the_container_of_a_process(tmp_path: Path, cgroup: str, name: str | None) -> None:
    """Engines, Kubernetes, LXC and nspawn each name the control group in their own way."""
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/cgroup").write_text(cgroup + "\n")
    logs = tmp_path / "var/log/containers"
    logs.mkdir(parents=True)
    for link in (f"job-0_ml_main-{ID}.log", "other_ml_main-1.log", "nonsense"):
        (logs / link).symlink_to("nowhere")
    assert container_of(str(tmp_path), 7, {OTHER: "trainer"}) == name


def test_a_process_that_ended_has_no_container(tmp_path: Path) -> None:
    """There is nothing to read."""
    assert container_of(str(tmp_path), 7, {}) is None
