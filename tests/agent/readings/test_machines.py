"""What the fixture trees hold, to the last digit."""

import sys
import time
from pathlib import Path

import pytest

from agent.frozen_mounts import stat_as_mounted
from fleetglass.agent.readings.types import FilesystemReading
from fleetglass.agent.selection import DEFAULT_DISKS, EVERYTHING, Selection, Selections
from support.programs import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings import linux
    from fleetglass.agent.readings.linux import LinuxReadings
    from fleetglass.agent.readings.linux_filesystem import FilesystemReader

MACHINES = ("raspberry-pi-4", "laptop", "server", "container", "workstation-amd", "virtual-machine")


def machine(name: str) -> "LinuxReadings":
    return LinuxReadings(str(REPOSITORY / "tests" / "fixtures" / name), clock=lambda: 1.0)


def links_of(host: "LinuxReadings") -> dict[str, tuple[bool | None, int | None]]:
    """Return whether each interface is up, and its speed."""
    return {name: one[:2] for name, one in host.links(host.network().interfaces).items()}


def filesystems(name: str) -> list[FilesystemReading]:
    """Return every filesystem of a machine, as if it were mounted here."""
    root = str(REPOSITORY / "tests" / "fixtures" / name)
    return FilesystemReader(root, stat=stat_as_mounted(root), patience=20)().filesystems


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_can_be_read(name: str) -> None:
    """Every group of every machine is read without an error."""
    host = machine(name)
    assert host.host().logical_cores == len(host.cpu().cores)
    assert host.memory().total
    assert host.disks().devices
    assert "lo" in host.network().interfaces
    assert links_of(host)["lo"] == (True, None)
    assert host.tcp()
    assert host.addresses()["lo"][0] == "127.0.0.1/8"
    assert filesystems(name)[0].mount == "/"
    assert host.processes().processes
    assert host.load()
    assert host.uptime_seconds()
    assert host.batteries() is not None
    assert host.sensors() is not None


def test_a_raspberry_pi() -> None:
    """Its model, the frequency of each core, and the temperature of the processor."""
    host = machine("raspberry-pi-4")
    assert host.host() == (
        "Debian GNU/Linux 12 (bookworm)",
        "Linux 6.6.51+rpt-rpi-v8",
        "aarch64",
        "Raspberry Pi 4 Model B Rev 1.4",
        4,
        4,
        1763000000,
        None,
        "Raspberry Pi 4 Model B Rev 1.4",
    )
    assert host.frequency() == (
        1_050_000_000,
        {0: 1_500_000_000, 1: 1_500_000_000, 2: 600_000_000, 3: 600_000_000},
        600_000_000,
        1_800_000_000,
    )
    assert host.sensors().temperatures == [
        ("cpu_thermal/temp1", "cpu_thermal", "temp1", 48.199, None, 110.0, False)
    ]
    assert links_of(host) == {"eth0": (True, 125_000_000), "lo": (True, None), "wlan0": (False, None)}
    assert host.pressure("cpu") is None
    assert list(host.disks().devices) == ["mmcblk0", "mmcblk0p1", "mmcblk0p2"]
    assert host.disks().devices["mmcblk0"] == (41233, 301233, 1_644_720_128, 4_671_209_472, 402.312)
    assert host.addresses()["eth0"] == ["192.168.7.21/24", "fe80::dea6:32ff:fe12:3456/64"]
    assert host.mac_addresses() == {"eth0": "dc:a6:32:12:34:56", "wlan0": "dc:a6:32:12:34:57"}
    assert host.main_address() == "192.168.7.21"


def test_a_laptop() -> None:
    """Both its batteries, not that of its mouse; fans, and what is mounted over the network."""
    host = machine("laptop")
    assert host.host()[-2:] == ("LENOVO", "20L50000GE")
    first, second = host.batteries()
    assert first[:5] == ("BAT0", 64.0, False, 6335, "discharging")
    assert first[5:7] == pytest.approx((7.012, 11.834))
    assert first[7:10] == pytest.approx((12.34, 19.23, 23.94))
    assert first[10:14] == (None, None, None, 213)
    assert second[:6] == ("BAT1", 98.0, False, None, "not-charging", 0.0)
    assert second[7:10] == (None, None, None)
    assert second[10:13] == pytest.approx((1.851, 1.89, 2.1))
    assert second.cycles is None
    assert host.sensors().fans == [("thinkpad/fan1", "thinkpad", "fan1", 2712, False)]
    assert len(host.sensors().temperatures) == 6
    assert [(one.mount, one.type) for one in filesystems("laptop")] == [
        ("/", "btrfs"),
        ("/boot", "ext4"),
        ("/boot/efi", "vfat"),
        ("/home/anna/My Cloud", "fuse.sshfs"),
    ]
    assert host.addresses()["tun0"] == ["10.8.0.6/24"]
    assert host.links(["wlp3s0"])["wlp3s0"].signal == -56
    assert host.pressure("io") == {
        "some_10s": 0.12,
        "some_60s": 0.31,
        "some_300s": 0.22,
        "full_10s": 0.1,
        "full_60s": 0.25,
        "full_300s": 0.18,
    }
    processes = host.processes().processes
    assert host.full_name(3311, processes[3311].name) == "gnome-terminal-server"
    assert (host.owner(3311), processes[3311].state) == ("anna", "running")


def test_a_large_server() -> None:
    """64 threads on 32 cores, every disk, bonds and VLANs with their speeds and addresses."""
    host = machine("server")
    assert host.host()[3:6] == ("AMD EPYC 7302 16-Core Processor", 32, 64)
    frequency = host.frequency()
    assert frequency is not None
    assert list(frequency.cores) == list(range(64))
    assert [*frequency.cores.values()][:4] == [1_500_000_000, 2_000_000_000, 2_500_000_000, 3_000_000_000]
    assert (len(frequency.cores), frequency.current, frequency.highest) == (64, 2_250_000_000, None)
    assert len(host.disks().devices) == 16
    assert links_of(host) == {
        "bond0": (True, 6_250_000_000),
        "bond0.120": (True, 6_250_000_000),
        "docker0": (True, None),
        "eno1": (True, 3_125_000_000),
        "eno2": (True, 3_125_000_000),
        "lo": (True, None),
        "veth3a1b2c4": (True, 1_250_000_000),
    }
    assert host.network().interfaces["eno2"] == (
        712_345_678_901,
        402_345_678_901,
        812_345_678,
        502_345_678,
        12,
        0,
        123,
        0,
    )
    assert host.addresses() == {
        "lo": ["127.0.0.1/8", "::1/128"],
        "bond0": ["10.20.0.11/24"],
        "bond0.120": ["10.20.120.11/24", "2001:db8:120::11/64"],
        "docker0": ["172.17.0.1/16"],
    }
    assert host.main_address() == "10.20.0.11"
    assert [(one.mount, one.device) for one in filesystems("server")] == [
        ("/", "/dev/mapper/rl-root"),
        ("/boot", "/dev/nvme0n1p2"),
        ("/mnt/backup", "nas.dc2:/export/backup"),
        ("/srv/postgres", "/dev/md127"),
    ]
    assert host.tcp() == {"established": 812, "time_wait": 311, "orphan": 4}
    assert host.processes().processes[1518].state == "disk-sleep"
    assert host.owner(2213) == "www-data"


def test_interfaces_that_are_left_out() -> None:
    """Neither counters nor addresses are read of what a selection leaves out."""
    root = str(REPOSITORY / "tests" / "fixtures" / "server")
    host = LinuxReadings(root, selections=Selections(interfaces=Selection(include=("eno*", "docker0"))))
    assert set(host.network().interfaces) == {"eno1", "eno2", "docker0"}
    assert host.addresses() == {"docker0": ["172.17.0.1/16"]}
    assert set(host.mac_addresses()) == {"eno1", "eno2", "docker0"}


def test_a_container() -> None:
    """A container sees its own mounts and network; what its `/sys` lacks is absent."""
    host = machine("container")
    assert [(one.mount, one.type) for one in filesystems("container")] == [
        ("/", "overlay"),
        ("/data", "ext4"),
    ]
    assert host.sensors() == ([], [])
    assert host.batteries() == []
    assert host.memory()[7:9] == (0, 0)
    assert host.addresses() == {"lo": ["127.0.0.1/8"], "eth0": ["172.18.0.4/16"]}
    assert (host.owner(1), host.owner(14)) == ("node", "root")


def test_a_workstation() -> None:
    """The temperatures and the fan of a graphics card are among the sensors."""
    host = machine("workstation-amd")
    assert [one[2:4] for one in host.sensors().temperatures if one.chip == "amdgpu"] == [
        ("edge", 63.0),
        ("junction", 71.0),
        ("mem", 70.0),
    ]
    assert host.sensors().fans == [("amdgpu/fan1", "amdgpu", "fan1", 1412, False)]
    assert host.host()[3:6] == ("AMD Ryzen 5 5600X 6-Core Processor", 6, 12)


@pytest.mark.parametrize("text", ["To Be Filled By O.E.M.", "System Product Name", "Default string", " "])
def test_a_maker_that_wrote_nothing(tmp_path: Path, text: str) -> None:
    """What firmware says where its maker said nothing is no name."""
    folder = tmp_path / "sys" / "class" / "dmi" / "id"
    folder.mkdir(parents=True)
    for name in ("sys_vendor", "product_name"):
        (folder / name).write_text(f"{text}\n")
    assert LinuxReadings(str(tmp_path)).host()[-2:] == (None, None)


def test_this_machine_tells_what_psutil_tells() -> None:
    """Addresses, links and cores of the real host are those that psutil finds."""
    from fleetglass.agent.readings.portable import PortableReadings  # loads psutil

    own, other = LinuxReadings(), PortableReadings()
    assert {name: set(found) for name, found in own.addresses().items()} == {
        name: set(found) for name, found in other.addresses().items()
    }
    names = own.network().interfaces
    assert links_of(own) == {name: one[:2] for name, one in other.links(names).items()}
    assert own.mac_addresses() == other.mac_addresses()
    assert own.main_address() == other.main_address()
    assert own.host()[4:6] == other.host()[4:6]
    assert set(own.network().interfaces) == set(other.network().interfaces)


ARCSTATS = "13 1 0x01 2 99 5 9\nname type data\nc_min 4 0\nsize 4 307200\n"
LXCFS = "520 500 0:61 /proc/meminfo /proc/meminfo rw,nosuid,nodev - fuse.lxcfs lxcfs rw\n"


def test_a_container_does_not_have_the_cache_of_its_host(tmp_path: Path) -> None:
    """The cache of ZFS can be taken, except where lxcfs tells of a container, whose memory it is not in."""
    files = {
        "proc/meminfo": "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 100 kB\n",
        "proc/1/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
        "proc/spl/kstat/zfs/arcstats": ARCSTATS,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert LinuxReadings(str(tmp_path)).memory().available == 400 * 1024
    (tmp_path / "proc/1/mountinfo").write_text(files["proc/1/mountinfo"] + LXCFS)
    assert LinuxReadings(str(tmp_path)).memory().available == 100 * 1024


def test_zfs_may_come_later(tmp_path: Path) -> None:
    """It is looked for once a minute."""
    now = 0.0
    host = LinuxReadings(str(tmp_path), clock=lambda: now)
    (tmp_path / "proc/spl/kstat/zfs").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 100 kB\n")
    assert host.memory().available == 100 * 1024
    (tmp_path / "proc/spl/kstat/zfs/arcstats").write_text(ARCSTATS)
    assert host.memory().available == 100 * 1024
    now = 60.0
    assert host.memory().available == 400 * 1024


@pytest.mark.parametrize("replaced", [True, False])
def test_a_container_has_the_load_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    """Where lxcfs tells it; the kernel, asked, tells that of the whole machine."""
    file = tmp_path / "loadavg"
    file.write_text("900.10 900.20 900.30 1/2 3\n")
    host = LinuxReadings()
    monkeypatch.setattr(host, "_loadavg", str(file))
    monkeypatch.setattr(linux, "is_replaced", lambda *_: replaced)
    assert (host.load() == (900.1, 900.2, 900.3)) is replaced


@pytest.mark.parametrize(("told", "expected"), [("629.5 397.0\n", 629.5), ("", None), ("nan 1\n", None)])
def test_a_container_is_up_since_its_own_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, expected: float | None
) -> None:
    """Its /proc/uptime is that of lxcfs; the kernel's clock, which is the host's, fills in where it fails."""
    file = tmp_path / "uptime"
    file.write_text(told)
    host = LinuxReadings()
    monkeypatch.setattr(host, "_uptime", str(file))
    since = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert host.uptime_seconds() == pytest.approx(expected or since, abs=5)
    boot_time = host.host().boot_time
    assert boot_time == pytest.approx(time.time() - (expected or since), abs=5)


def test_an_empty_tree_has_nothing(tmp_path: Path) -> None:
    """What is not there is None or empty, or an error that costs only its own group."""
    host = LinuxReadings(str(tmp_path))
    assert host.host()[:1] + host.host()[3:] == (None,) * 7
    assert host.frequency() is None
    assert host.tcp() is None
    assert host.throttling() is None
    assert host.uptime_seconds() is None
    assert host.links(["eth0"]) == {}
    assert host.mac_addresses() == {}
    assert host.main_address() is None
    assert host.addresses() == {}
    assert host.batteries() == []
    assert host.cpu()[1:] == ({}, {}, None, None)
    assert set(host.memory()[1:]) == {None}
    assert host.load() is None
    for read in (host.disks, host.network, host.filesystems, host.processes):
        with pytest.raises(OSError, match="No such file"):
            read()


def test_a_container_whose_only_disk_is_a_loop(tmp_path: Path) -> None:
    """Loops are left out where there is anything else, and where somebody said so."""
    stats = tmp_path / "proc/diskstats"
    stats.parent.mkdir()
    loop = "7 0 loop0 5 0 40 1 6 0 48 1 0 2 2\n"

    def disks(text: str, selection: Selection) -> tuple[set[str], set[str]]:
        stats.write_text(text)
        reading = LinuxReadings(str(tmp_path), selections=Selections(disks=selection)).disks()
        return set(reading.devices), set(reading.summed)

    assert disks(loop, DEFAULT_DISKS) == ({"loop0"}, {"loop0"})
    assert disks(loop, Selection(exclude=("loop*",))) == (set(), set())
    assert disks(loop + loop.replace("loop0", "vda"), DEFAULT_DISKS) == ({"vda"}, {"vda"})
    assert disks(loop + loop.replace("loop0", "vda"), EVERYTHING) == ({"loop0", "vda"}, {"vda"})
