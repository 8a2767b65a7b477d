import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    from fleetglass.agent.readings import linux

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
    reading = linux.parse_stat(1.0, STAT)
    assert reading.times["user"] == 60
    assert reading.times["nice"] == 5
    assert reading.times["guest"] == 45
    assert sum(reading.times.values()) == 986
    assert reading.cores == {"cpu0": (105, 515), "cpu1": (61, 471)}
    assert (reading.context_switches, reading.interrupts) == (67890, 12345)


def test_an_old_kernel_has_fewer_columns() -> None:
    """Missing columns count as no time."""
    assert linux.parse_stat(1.0, b"cpu 1 2 3 4\ncpu0 1 2 3 4\n").cores == {"cpu0": (6, 10)}


def test_memory_is_in_bytes() -> None:
    """Kibibytes become bytes, pages become bytes, and reclaimable slabs are cache."""
    reading = linux.parse_memory(1.0, MEMINFO, b"pgpgin 1\npswpin 2\npswpout 3\n")
    assert (reading.total, reading.available) == (1024_000, 614_400)
    assert reading.cached == 256_000
    assert (reading.swap_total, reading.swap_free) == (102_400, 40_960)
    assert reading.swapped_out is not None
    assert reading.swapped_in == reading.swapped_out // 3 * 2


def test_a_kernel_without_swap_counters_gives_none() -> None:
    """Counters that are not there are None, not 0."""
    assert linux.parse_memory(1.0, MEMINFO, b"pgpgin 1\n").swapped_in is None


def test_disks_are_counted_in_sectors_of_512_bytes() -> None:
    """Sectors become bytes, and a loop slot that nothing ever used is no device."""
    reading = linux.parse_diskstats(1.0, DISKSTATS)
    assert set(reading.devices) == {"loop1", "sda"}
    sda = reading.devices["sda"]
    assert (sda.reads, sda.read_bytes, sda.writes, sda.written_bytes) == (100, 409_600, 200, 819_200)
    assert sda.busy == 1.5


def test_an_interface_name_may_hold_a_colon() -> None:
    """The last colon ends the name."""
    reading = linux.parse_net_dev(1.0, NET_DEV)
    assert list(reading.interfaces) == ["lo", "eth0:1"]
    assert reading.interfaces["eth0:1"] == (1000, 2000, 20, 30, 3, 5, 4, 6)


def test_tcp_sockets_are_counted_by_state() -> None:
    """Established sockets come from the protocol's counters, the others from the socket's."""
    snmp = b"Ip: Forwarding\nIp: 1\nTcp: RtoMin CurrEstab InSegs\nTcp: 200 17 99\n"
    sockstat = b"sockets: used 12\nTCP: inuse 4 orphan 1 tw 3 alloc 9 mem 2\n"
    assert linux.parse_tcp(snmp, sockstat) == {"established": 17, "time_wait": 3, "orphan": 1}
    assert linux.parse_tcp(b"", b"") is None


def test_pressure_is_told_by_kind_and_span() -> None:
    """Both lines give their three means."""
    text = b"some avg10=1.50 avg60=0.25 avg300=0.00 total=5\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=1\n"
    assert linux.parse_pressure(text) == {
        "some_10s": 1.5,
        "some_60s": 0.25,
        "some_300s": 0.0,
        "full_10s": 0.1,
        "full_60s": 0.0,
        "full_300s": 0.0,
    }


def test_a_kernel_without_pressure_gives_none() -> None:
    """A resource whose pressure the kernel does not tell is None."""
    assert linux.read_pressure("no-such-resource") is None


def test_the_real_host_can_be_read() -> None:
    """The files of the kernel that runs this test are understood."""
    assert linux.read_cpu().cores
    assert linux.read_memory().total > linux.read_memory().available > 0
    assert "lo" in linux.read_network().interfaces
    assert linux.resident_bytes() > 2**20
