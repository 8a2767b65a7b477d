import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    from fleetglass.agent.readings import linux_proc

STAT = b"""cpu  100 10 50 800 20 1 2 3 40 5
cpu0 60 10 30 400 10 1 1 3 40 5
cpu1 40 0 20 400 10 0 1 0 0 0
intr 12345 1 2 3
ctxt 67890
btime 1700000000
"""

NET_DEV = b"""Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier
    lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0
eth0:1:1000 20 3 4 0 0 0 0 2000 30 5 6 0 0 0 0
"""

DISKSTATS = b"""   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
   7       1 loop1 5 0 10 0 0 0 0 0 0 2 2 0 0 0 0 0 0
   8       0 sda 100 0 800 50 200 0 1600 70 0 1500 120 0 0 0 0 0 0
"""

MEMINFO = b"""MemTotal:       1000 kB
MemFree:         300 kB
MemAvailable:    600 kB
Buffers:          10 kB
Cached:          200 kB
Shmem:             5 kB
SwapTotal:       100 kB
SwapFree:         40 kB
SReclaimable:     50 kB
HugePages_Total:       0
"""


def test_guest_time_is_told_apart_from_user_time() -> None:
    """The kernel counts guests in user and nice too; here every kind is apart."""
    reading = linux_proc.parse_stat(1.0, STAT)
    assert reading.times["user"] == 60
    assert reading.times["nice"] == 5
    assert reading.times["guest"] == 45
    assert sum(reading.times.values()) == 986
    assert reading.cores == {0: (105, 400, 10), 1: (61, 400, 10)}
    assert (reading.context_switches, reading.interrupts) == (67890, 12345)


def test_an_old_kernel_has_fewer_columns() -> None:
    """Missing columns count as no time."""
    assert linux_proc.parse_stat(1.0, b"cpu 1 2 3 4\ncpu0 1 2 3 4\n").cores == {0: (6, 4, 0)}


def test_a_core_that_is_off_has_no_line() -> None:
    """The others keep their numbers."""
    text = b"cpu  2 0 2 8\ncpu0 1 0 1 4\ncpu3 1 0 1 4\ncpu12 1 0 1 4\n"
    assert list(linux_proc.parse_stat(1.0, text).cores) == [0, 3, 12]


@pytest.mark.parametrize("wrapped", [b"1844674407365", b"18446744073709551610"])
def test_a_time_that_fell_below_zero_is_none(wrapped: bytes) -> None:
    """Stolen time that runs backwards after a migration would be all the time there ever was."""
    text = b"cpu  10 0 20 800 5 0 0 %b 0 0\ncpu0 10 0 20 800 5 0 0 %b 0 0\n" % (wrapped, wrapped)
    reading = linux_proc.parse_stat(1.0, text)
    assert (reading.times["steal"], reading.times["user"]) == (0, 10)
    assert reading.cores[0] == (30, 800, 5)


def test_memory_is_in_bytes() -> None:
    """Kibibytes become bytes, pages become bytes, and reclaimable slabs are cache."""
    reading = linux_proc.parse_memory(1.0, MEMINFO, b"pgpgin 1\npswpin 2\npswpout 3\n")
    assert (reading.total, reading.available) == (1024_000, 614_400)
    assert reading.cached == 256_000
    assert (reading.swap_total, reading.swap_free) == (102_400, 40_960)
    assert reading.swapped_out is not None
    assert reading.swapped_in == reading.swapped_out // 3 * 2


def test_a_kernel_without_swap_counters_gives_none() -> None:
    """Counters that are not there are None, not 0."""
    assert linux_proc.parse_memory(1.0, MEMINFO, b"pgpgin 1\n").swapped_in is None


def test_memory_of_a_container_may_be_told_of_its_host() -> None:
    """What is available above the total is what is free, as procps says; other sizes above it are absent."""
    text = (
        b"MemTotal: 512 kB\nMemFree: 400 kB\nMemAvailable: 900 kB\nBuffers: 600 kB\nCached: 100 kB\n"
        b"Shmem: 18446744073709551610 kB\nSReclaimable: 700 kB\nSwapTotal: 100 kB\nSwapFree: 200 kB\n"
    )
    reading = linux_proc.parse_memory(1.0, text, b"")
    assert (reading.available, reading.free, reading.cached) == (409_600, 409_600, 102_400)
    assert (reading.buffers, reading.shared, reading.swap_total, reading.swap_free) == (
        None,
        None,
        102_400,
        None,
    )


@pytest.mark.parametrize("free", [b"0", b"18446744073709551488", b"-128"])
def test_a_container_without_swap_has_none_free(free: bytes) -> None:
    """Whatever the size of no swap that is free is told to be."""
    reading = linux_proc.parse_memory(1.0, b"SwapTotal: 0 kB\nSwapFree: %b kB\n" % free, b"")
    assert (reading.swap_total, reading.swap_free) == (0, 0)


def test_sizes_that_fell_below_zero_are_absent() -> None:
    """A total is not a size either when it is as large as no memory can be."""
    below = b"MemTotal: 18446744073709551000 kB\nMemFree: 18446744073709551000 kB\nMemAvailable: -4 kB\n"
    reading = linux_proc.parse_memory(
        1.0, below + b"SwapTotal: 18446744073709551000 kB\nSwapFree: 1 kB\n", b""
    )
    assert (reading.total, reading.free, reading.available) == (None, None, None)
    assert reading.swap_total is None


@pytest.mark.parametrize("line", [b"", b"MemAvailable: 0 kB\n", b"MemAvailable: 100 kB\n"])
def test_what_is_available_may_not_be_told(line: bytes) -> None:
    """It is what is free or in caches, of which shared memory cannot be taken."""
    text = b"MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 30 kB\nCached: 500 kB\nShmem: 400 kB\n" + line
    assert linux_proc.parse_memory(1.0, text, b"").available == 230 * 1024


def arcstats(size: int, least: int) -> bytes:
    """Return a kstat of ZFS."""
    return (
        b"13 1 0x01 147 39984 5200 910\nname                            type data\n"
        b"hits                            4    1\nc_min                           4    %d\n"
        b"size                            4    %d\nl2_size                         4    7\n" % (least, size)
    )


ZFS = b"""MemTotal: 1000 kB
MemFree: 100 kB
MemAvailable: 150 kB
Buffers: 10 kB
Cached: 90 kB
AnonPages: 200 kB
"""


@pytest.mark.parametrize(
    ("size", "least", "available"),
    [
        pytest.param(400, 100, 450, id="down to its minimum"),
        pytest.param(80, 100, 150, id="below its minimum"),
        pytest.param(600, 0, 750, id="all that is not explained otherwise"),
        pytest.param(601, 0, 150, id="of the host, seen in a container"),
        pytest.param(18446744073709551000, 0, 150, id="wrapped"),
    ],
)
def test_the_cache_of_zfs_can_be_taken(size: int, least: int, available: int) -> None:
    """The kernel counts it as used, but programs get it when they need memory."""
    reading = linux_proc.parse_memory(1.0, ZFS, b"", arcstats(size * 1024, least * 1024))
    assert reading.available == available * 1024


def test_the_cache_of_zfs_is_no_more_than_there_is() -> None:
    """Together with what the kernel calls available it is the whole memory at most."""
    text = ZFS.replace(b"150 kB", b"800 kB")
    assert linux_proc.parse_memory(1.0, text, b"", arcstats(500 * 1024, 0)).available == 1000 * 1024


def test_disks_are_counted_in_sectors_of_512_bytes() -> None:
    """Sectors become bytes, and a loop slot that nothing ever used is no device."""
    devices = linux_proc.parse_diskstats(DISKSTATS)
    assert set(devices) == {"loop1", "sda"}
    sda = devices["sda"]
    assert (sda.reads, sda.read_bytes, sda.writes, sda.written_bytes) == (100, 409_600, 200, 819_200)
    assert sda.busy == 1.5
    assert set(linux_proc.parse_diskstats(DISKSTATS, lambda name: name != "sda")) == {"loop1"}


def test_an_interface_name_may_hold_a_colon() -> None:
    """The last colon ends the name."""
    reading = linux_proc.parse_net_dev(1.0, NET_DEV)
    assert list(reading.interfaces) == ["lo", "eth0:1"]
    assert reading.interfaces["eth0:1"] == (1000, 2000, 20, 30, 3, 5, 4, 6)


def test_tcp_sockets_are_counted_by_state() -> None:
    """Established sockets come from the protocol's counters, the others from the socket's."""
    snmp = b"Ip: Forwarding\nIp: 1\nTcp: RtoMin CurrEstab InSegs\nTcp: 200 17 99\n"
    sockstat = b"sockets: used 12\nTCP: inuse 4 orphan 1 tw 3 alloc 9 mem 2\n"
    assert linux_proc.parse_tcp(snmp, sockstat) == {"established": 17, "time_wait": 3, "orphan": 1}
    assert linux_proc.parse_tcp(b"", b"") is None


def test_pressure_is_told_by_kind_and_span() -> None:
    """Both lines give their three means."""
    text = b"some avg10=1.50 avg60=0.25 avg300=0.00 total=5\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=1\n"
    assert linux_proc.parse_pressure(text) == {
        "some_10s": 1.5,
        "some_60s": 0.25,
        "some_300s": 0.0,
        "full_10s": 0.1,
        "full_60s": 0.0,
        "full_300s": 0.0,
    }


@given(st.binary())
def test_no_text_can_harm(text: bytes) -> None:
    """Whatever a file holds, each reader gives values or nothing."""
    linux_proc.parse_stat(1.0, b"cpu " + text)
    linux_proc.parse_stat(1.0, text)
    linux_proc.parse_boot_time(b"\nbtime " + text)
    linux_proc.parse_load(text)
    linux_proc.parse_memory(1.0, b"MemTotal:" + text, b"\npswpin " + text)
    linux_proc.parse_memory(1.0, ZFS, b"", b"\nsize " + text)
    linux_proc.parse_diskstats(text)
    linux_proc.parse_net_dev(1.0, b"\n\neth0:" + text)
    linux_proc.parse_tcp(b"Tcp: " + text, b"TCP: " + text)
    shares = linux_proc.parse_pressure(b"some " + text) or {}
    assert all(math.isfinite(share) for share in shares.values())


def test_garbage_costs_only_its_own_value() -> None:
    """A line that is no number, or NaN, leaves out its own value and no other."""
    stat = linux_proc.parse_stat(1.0, b"cpu  1 2 3 4\ncpu0 1 x 3 4\ncpu1 1 2 3 4\nintr nan\nctxt 5\n")
    assert (list(stat.cores), stat.interrupts, stat.context_switches) == ([1], None, 5)
    memory = linux_proc.parse_memory(1.0, MEMINFO.replace(b"600 kB", b"NaN kB"), b"pswpin -\npswpout 1\n")
    assert (memory.available, memory.total) == ((300 + 200 + 50 + 10 - 5) * 1024, 1_024_000)
    assert memory.swapped_in is None
    assert memory.swapped_out is not None
    disks = linux_proc.parse_diskstats(DISKSTATS.replace(b"loop1 5", b"loop1 ?") + b"8 1 sdb 1 2\n")
    assert set(disks) == {"sda"}
    network = linux_proc.parse_net_dev(1.0, NET_DEV.replace(b"lo: 10", b"lo: -"))
    assert list(network.interfaces) == ["eth0:1"]
    assert linux_proc.parse_pressure(b"some avg10=nan avg60=1.00 avg300=inf total=1\n") == {"some_60s": 1.0}
    assert linux_proc.parse_load(b"0.10 nan 0.20 1/2 3") is None
