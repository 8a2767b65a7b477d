"""Every group over a copy of a real tree, while something about it goes wrong."""

import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec import UNSET

from agent.frozen_mounts import mount_root
from agent.gpu_tree import AMD, add_card, add_process
from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.sampler import Sampler
from fleetglass.agent.selection import DEFAULT_INTERFACES, Selection, Selections
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import encode
from fleetglass.wire.payloads import Cpu, Disk, Gpu, Group, Memory, Network, Process
from support.programs import REPOSITORY
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux import LinuxReadings

G = TypeVar("G", bound=Group)

GROUPS = {"cpu", "memory", "disk", "network", "sensor", "filesystem", "process"}


class Host:
    """A server whose files a test may change between two ticks, and whose monotonic clock it sets."""

    def __init__(
        self,
        root: Path,
        *,
        interval: float = 1.0,
        interfaces: Selection = DEFAULT_INTERFACES,
        prepare: Callable[[Path], object] = lambda _: None,
    ) -> None:
        """`prepare` may change the tree before it is first read."""
        shutil.copytree(REPOSITORY / "tests" / "fixtures" / "server", root)
        mount_root(root)
        prepare(root)
        self.root = root
        self.now = 100.0
        self.wall = 1_760_000_000.0
        settings = AgentSettings(
            broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), host_id="db-1", root=str(root)
        )
        selections = Selections(interfaces=interfaces)
        readings = LinuxReadings(str(root), clock=lambda: self.now, selections=selections)
        collectors = default_collectors(settings, readings)
        self.sampler = Sampler(collectors, interval=interval)
        self.tick = 0
        self.sample()

    def sample(self, seconds: float = 0.0) -> dict[str, Group]:
        """Let so many seconds pass, and take a tick. Every group is due at each."""
        self.now += seconds
        self.wall += seconds
        self.sampler.runs.clear()
        found = {one.group: one.message for one in self.sampler.sample(self.wall, self.tick)}
        self.tick += 1
        return found

    def replace(self, path: str, *changes: tuple[str, str]) -> None:
        """Change a text."""
        file = self.root / path
        text = file.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        file.write_text(text)

    def state(self, group: str) -> str:
        """Return how a collector did at its last turn."""
        return self.sampler.runs[group].state


def of(found: dict[str, Group], kind: type[G]) -> G:
    """Return the message of that kind."""
    return next(one for one in found.values() if isinstance(one, kind))


def core(number: int, *busy_and_idle: int) -> str:
    """Return a line of /proc/stat with some ticks of user, system, idle and iowait more than the tree has."""
    user, system, idle, iowait = busy_and_idle
    return (
        f"cpu{number} {9123456 + number * 1001 + user} 12 {3123456 + number * 203 + system} "
        f"{412345678 - number * 1204 + idle} {81233 + iowait} 41233 21233 0 0 0"
    )


def test_rates_are_what_the_counters_grew_by(tmp_path: Path) -> None:
    """After 2 s each rate is half of what its counter grew by."""
    host = Host(tmp_path / "root")
    stat = (host.root / "proc/stat").read_text().splitlines()
    total = [int(number) for number in stat[0].split()[1:]]
    # Of 400 ticks of core 0 100 are user, 60 system, 200 idle, 40 iowait; all other cores stand still.
    total[0] += 100
    total[2] += 60
    total[3] += 200
    total[4] += 40
    stat[0] = "cpu  " + " ".join(map(str, total))
    stat[1] = core(0, 100, 60, 200, 40)
    stat[2:65] = [core(number, 0, 0, 400, 0) for number in range(1, 64)]
    text = (
        "\n".join(stat)
        .replace("ctxt 91234567890", "ctxt 91234571890")
        .replace("intr 81234567890", "intr 81234569890")
    )
    (host.root / "proc/stat").write_text(text + "\n")
    host.replace("proc/diskstats", ("nvme1n1 9023456 1289065 802345678", "nvme1n1 9023656 1289065 802353678"))
    host.replace("proc/diskstats", (" 2 41034567 ", " 2 41035567 "), ("sda 4123456", "sda 4123450"))
    host.replace("proc/1/net/dev", ("712345678901 812345678", "712347678901 812347678"))
    host.replace("proc/1/net/dev", ("402345678901 502345678", "402345679901 502345688"))
    host.replace("proc/vmstat", ("pswpin 0", "pswpin 10"))
    host.replace("proc/1518/stat", (" 8123456 912344 ", " 8123506 912394 "))
    found = host.sample(2.0)

    cpu = of(found, Cpu)
    assert (cpu.total_percent, cpu.user_percent, cpu.system_percent) == (40.0, 25.0, 15.0)
    assert (cpu.idle_percent, cpu.iowait_percent, cpu.steal_percent) == (50.0, 10.0, 0.0)
    assert cpu.core_percents == [40.0] + [0.0] * 63
    assert (cpu.context_switches_per_second, cpu.interrupts_per_second) == (2000, 1000)
    disk = of(found, Disk)
    assert disk.devices["nvme1n1"].reads_per_second == 100
    assert disk.devices["nvme1n1"].read_bytes_per_second == 2_048_000
    assert disk.devices["nvme1n1"].busy_percent == 50.0
    assert disk.devices["nvme1n1"].writes_per_second == 0
    network = of(found, Network)
    assert network.interfaces["eno2"].receive_bytes_per_second == 1_000_000
    assert network.interfaces["eno2"].receive_packets_per_second == 1000
    assert network.interfaces["eno2"].transmit_bytes_per_second == 500
    assert network.interfaces["eno2"].transmit_packets_per_second == 5
    assert network.interfaces["eno1"].receive_bytes_per_second == 0
    memory = of(found, Memory)
    assert memory.swap_in_bytes_per_second == 5 * os.sysconf("SC_PAGE_SIZE")
    process = of(found, Process)
    top = process.top_cpu[0]
    assert (top.pid, top.cpu_percent) == (1518, 50.0 * 100 / os.sysconf("SC_CLK_TCK"))


def test_a_pipe_in_place_of_a_file_costs_only_its_group(tmp_path: Path) -> None:
    """A file that never answers makes its own group late, the others go on, and it may come back."""
    host = Host(tmp_path / "root", interval=0.2)
    file = host.root / "proc/diskstats"
    text = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    seen: set[str] = set()

    def others_go_on() -> bool:
        seen.update(host.sample(1.0))  # on a busy machine any of them may be late once
        return seen >= GROUPS - {"disk"}

    wait_for(others_go_on, "every other group")
    assert "disk" not in seen
    assert host.state("disk") == "late"
    file.open(
        "wb"
    ).close()  # ends the waiting; nothing is written, as the reader refuses a pipe once it is open
    file.unlink()
    file.write_bytes(text)
    wait_for(lambda: set(host.sample(1.0)) == GROUPS, "every group")
    assert host.state("disk") == "ok"


def test_a_process_that_cannot_be_read_costs_no_gpu(tmp_path: Path) -> None:
    """While an fdinfo never answers, every group goes on with it, and the GPU is told without its users."""

    def prepare(root: Path) -> None:
        add_card(root, "card0", "0000:0b:00.0", AMD)
        folder = add_process(root, 1518, files={5: ("/dev/dri/renderD128", "")})
        (folder / "fdinfo/5").unlink()
        os.mkfifo(folder / "fdinfo/5")

    host = Host(tmp_path / "root", interval=0.2, prepare=prepare)
    seen: set[str] = set()

    def all_go_on() -> bool:
        seen.update(host.sample(61.0))
        return seen >= GROUPS | {"gpu"}

    wait_for(all_go_on, "every group")
    wait_for(
        lambda: any(one.name == "fleetglass-gpu-users" for one in threading.enumerate()), "the stuck thread"
    )
    for _ in range(3):
        (device,) = of(host.sample(61.0), Gpu).devices.values()
        assert (device.busy_percent, device.processes) == (4.0, UNSET)
    assert host.state("gpu") == "ok"
    (host.root / "proc/1518/fdinfo/5").open("wb").close()  # ends the waiting


@pytest.mark.parametrize("path", ["proc/diskstats", "proc/1/net/dev", "proc/meminfo", "proc/1/mountinfo"])
def test_a_file_that_cannot_be_read_costs_only_its_group(tmp_path: Path, path: str) -> None:
    """A file that is gone, refused or no file at all is named in one line, until it is back."""
    groups = {"diskstats": "disk", "dev": "network", "meminfo": "memory", "mountinfo": "filesystem"}
    group = groups[Path(path).name]
    host = Host(tmp_path / "root")
    file = host.root / path
    kept = file.rename(tmp_path / "kept")
    file.mkdir()
    host.sample(1.0)  # what comes from other files, such as pressure, is left of the group
    assert host.sampler.runs[group].reason
    assert "\n" not in str(host.sampler.runs[group].reason)
    assert all(run.state == "ok" for name, run in host.sampler.runs.items() if name not in {group, "process"})
    file.rmdir()
    shutil.copy(kept, file)
    assert set(host.sample(1.0)) == GROUPS


@pytest.mark.skipif(sys.platform == "linux" and os.geteuid() == 0, reason="root may read everything")
def test_permission_denied_costs_only_its_group(tmp_path: Path) -> None:
    """A file that may not be read is the failure of its own group."""
    host = Host(tmp_path / "root")
    (host.root / "proc/diskstats").chmod(0)
    assert set(host.sample(1.0)) == GROUPS - {"disk"}


def test_a_device_may_be_unplugged_and_come_back(tmp_path: Path) -> None:
    """What vanished is absent; back again with smaller counters, it has no rate."""
    host = Host(tmp_path / "root")
    disks, links = host.root / "proc/diskstats", host.root / "proc/1/net/dev"
    before = disks.read_text(), links.read_text()
    disks.write_text("".join(line for line in before[0].splitlines(keepends=True) if " sda " not in line))
    links.write_text("".join(line for line in before[1].splitlines(keepends=True) if "eno2" not in line))
    shutil.rmtree(host.root / "sys/class/net/eno2")
    found = host.sample(1.0)
    disk = of(found, Disk)
    network = of(found, Network)
    assert "sda" not in disk.devices
    assert "eno2" not in network.interfaces
    disks.write_text(before[0].replace("sda 4123456", "sda 1"))
    links.write_text(before[1])
    found = host.sample(1.0)
    disk = of(found, Disk)
    assert not isinstance(disk.devices["sda"].reads_per_second, int)
    assert disk.devices["sda"].read_total == 1
    assert {run.state for run in host.sampler.runs.values()} == {"ok"}


def test_an_interface_that_is_left_out_is_neither_read_nor_counted(tmp_path: Path) -> None:
    """Not even a folder that would hold the reader up is opened, and the sums are of the others."""
    host = Host(tmp_path / "root", interfaces=Selection(exclude=("eno1", "veth*")))
    shutil.rmtree(host.root / "sys/class/net/eno1")
    os.mkfifo(host.root / "sys/class/net/eno1")
    os.mkfifo(host.root / "sys/class/net/veth7")
    network = of(host.sample(20.0), Network)
    assert set(network.interfaces) == {"lo", "eno2", "bond0", "bond0.120", "docker0"}
    assert network.receive_total_bytes == network.interfaces["eno2"].receive_total_bytes


def test_a_host_with_many_containers_tells_no_more(tmp_path: Path) -> None:
    """By default the cables of containers are left out: two hundred are shorter than four."""
    host = Host(tmp_path / "root")
    counters = (host.root / "proc/1/net/dev").read_text()
    assert counters.count("veth") <= 4
    few = encode(of(host.sample(1.0), Network))
    assert b"veth" in few
    counters += "".join(f"veth{number:x}: {'7 ' * 16}\n" for number in range(200))
    (host.root / "proc/1/net/dev").write_text(counters)
    assert len(encode(of(host.sample(1.0), Network))) < len(few)


def test_a_process_may_end_while_it_is_read(tmp_path: Path) -> None:
    """A process whose folder is there and whose files are not has just ended."""
    host = Host(tmp_path / "root")
    (host.root / "proc/2012/stat").unlink()
    (host.root / "proc/1412/status").unlink()
    found = host.sample(1.0)
    process = of(found, Process)
    pids = {one.pid for one in process.top_memory}
    assert 2012 not in pids
    assert 1412 in pids


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_wrong_clock_changes_no_rate(tmp_path: Path, jump: float) -> None:
    """A wall clock that is set an hour forward or back shows in the time stamp, and in no rate."""
    host = Host(tmp_path / "root")
    host.replace("proc/1/net/dev", ("712345678901 812345678", "712347678901 812347678"))
    host.wall += jump
    found = host.sample(2.0)
    network = of(found, Network)
    assert network.interfaces["eno2"].receive_bytes_per_second == 1_000_000
    assert network.time == 1_760_000_002.0 + jump


def test_garbage_in_every_file_harms_nothing(tmp_path: Path) -> None:
    """Whatever the files hold, no number is made up and nothing worse happens than a failed group."""
    host = Host(tmp_path / "root")
    for file in (host.root / "proc").rglob("*"):
        if file.is_file():
            file.write_bytes(b"nan \xff\x00 : -inf\n- 1e999 0x7 \n")
    for file in (host.root / "sys").rglob("*"):
        if file.is_file():
            file.write_bytes(b"NaN\n")
    found = host.sample(1.0)
    assert {run.state for run in host.sampler.runs.values()} <= {"ok", "failed"}
    memory = of(found, Memory)
    assert not isinstance(memory.total_bytes, int)
    assert "sensor" not in found
    assert "disk" not in found
    assert "network" not in found
