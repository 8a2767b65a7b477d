"""psutil is asked for every value that it and the Linux readings both tell of this machine.

A counter only grows: it is read between two readings of psutil, and must lie between them. Sizes move both
ways, so they have the bounds that each test states.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from fleetglass.agent.collectors.filesystem import mount_use
from fleetglass.agent.collectors.memory import memory_use
from fleetglass.agent.readings import host_readings
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems are read through psutil")

TICK = os.sysconf("SC_CLK_TCK")
MIB = 1024 * 1024


def between(ask: Callable[[], Any], read: Callable[[], Any]) -> tuple[Any, Any, Any]:
    """Return what psutil says, our reading, and what psutil says after it."""
    return ask(), read(), ask()


def test_processor_times() -> None:
    """In ticks; psutil counts guest time in user time as well, as the kernel does."""
    before, ours, after = between(psutil.cpu_times, host_readings().cpu)
    for kind in ("system", "irq", "softirq", "steal"):
        low, high = (getattr(one, kind) * TICK for one in (before, after))
        assert low - 1 <= ours.times[kind] <= high + 1, kind
    low, high = ((one.user + one.nice) * TICK for one in (before, after))
    assert low - 1 <= ours.times["user"] + ours.times["nice"] + ours.times["guest"] <= high + 1


def test_time_of_each_core() -> None:
    """Busy is all but idle and waiting."""
    before, ours, after = between(lambda: psutil.cpu_times(percpu=True), host_readings().cpu)
    assert len(ours.cores) == len(before)
    for earlier, (busy, idle, waiting), later in zip(before, ours.cores.values(), after, strict=True):
        low, high = (
            (one.user + one.nice + one.system + one.irq + one.softirq + one.steal) * TICK
            for one in (earlier, later)
        )
        assert low - 2 <= busy <= high + 2
        idle_low, idle_high = ((one.idle + one.iowait) * TICK for one in (earlier, later))
        assert idle_low - 2 <= idle + waiting <= idle_high + 2


def test_switches_and_interrupts() -> None:
    """Both are counters since boot."""
    before, ours, after = between(psutil.cpu_stats, host_readings().cpu)
    assert before.ctx_switches <= ours.context_switches <= after.ctx_switches
    assert before.interrupts <= ours.interrupts <= after.interrupts


def test_load() -> None:
    """The kernel counts anew every five seconds."""
    before, ours, after = between(os.getloadavg, host_readings().load)
    assert ours in (before, after)
    assert psutil.getloadavg() in (ours, os.getloadavg())


def test_frequency() -> None:
    """The mean lies between half of the slowest and twice the fastest core: they change all the time."""
    ours = host_readings().frequency()
    cores = [one.current * 1e6 for one in psutil.cpu_freq(percpu=True)]
    assert (ours is not None) == bool(cores)
    if ours is not None:
        assert len(ours.cores) in (0, len(cores))
        assert min(cores) / 2 <= (ours.current or 0) <= max(cores) * 2


def test_cores_and_boot() -> None:
    """The same number of cores; the same second of boot, give or take one."""
    ours = host_readings().host()
    assert (ours.logical_cores, ours.physical_cores) == (psutil.cpu_count(), psutil.cpu_count(logical=False))
    assert ours.boot_time is not None
    assert abs(ours.boot_time - psutil.boot_time()) <= 1
    uptime = host_readings().uptime_seconds()
    assert uptime is not None
    assert abs(time.time() - uptime - psutil.boot_time()) <= 2


def test_memory() -> None:
    """Total alike; the parts within a twentieth of it, for other tests run at the same time."""
    _, reading, theirs = between(psutil.virtual_memory, host_readings().memory)
    ours: Any = memory_use(None, reading, time=0.0, tick=1)
    assert ours.total_bytes == theirs.total
    for told, name in (
        (ours.available_bytes, "available"),
        (ours.free_bytes, "free"),
        (ours.cached_bytes, "cached"),
        (ours.buffers_bytes, "buffers"),
        (ours.shared_bytes, "shared"),
    ):
        assert abs(told - getattr(theirs, name)) <= theirs.total / 20, name
    assert abs(ours.used_percent - theirs.percent) <= 5


def test_swap() -> None:
    """Sizes alike within 64 MiB; what went in and out lies between two readings."""
    before, ours, after = between(psutil.swap_memory, host_readings().memory)
    assert ours.swap_total == after.total
    assert abs(ours.swap_free - after.free) <= 64 * MIB
    assert before.sin <= ours.swapped_in <= after.sin
    assert before.sout <= ours.swapped_out <= after.sout


def test_disks() -> None:
    """Counters of each device that both tell; psutil tells every one."""
    before, ours, after = between(
        lambda: psutil.disk_io_counters(perdisk=True, nowrap=False), lambda: host_readings().disks().devices
    )
    assert ours.keys() <= after.keys()
    assert ours
    for name in ours.keys() & before.keys():
        one = ours[name]
        told = (one.reads, one.writes, one.read_bytes, one.written_bytes, one.busy)
        for low, value, high in zip(_disk(before[name]), told, _disk(after[name]), strict=True):
            assert low <= value <= high, name


def test_filesystems() -> None:
    """Psutil tells the mounts of devices: those that we tell too have its sizes, within 64 MiB."""
    ours: dict[str, Any] = {one.mount: mount_use(one) for one in host_readings().filesystems().filesystems}
    theirs = {one.mountpoint: one for one in psutil.disk_partitions(all=False)}
    both = ours.keys() & theirs.keys()
    if not both:
        pytest.skip("no filesystem on a device, as in a container")
    for mount in both:
        usage = psutil.disk_usage(mount)
        assert (ours[mount].device, ours[mount].type) == (theirs[mount].device, theirs[mount].fstype)
        assert ours[mount].total_bytes == usage.total
        assert abs(ours[mount].used_bytes - usage.used) <= 64 * MIB
        assert abs(ours[mount].free_bytes - usage.free) <= 64 * MIB
        assert abs(ours[mount].used_percent - usage.percent) <= 1


def test_network_counters() -> None:
    """Every interface of psutil's, and each counter between two readings."""
    before, ours, after = between(
        lambda: psutil.net_io_counters(pernic=True, nowrap=False),
        lambda: host_readings().network().interfaces,
    )
    assert before.keys() & after.keys() <= ours.keys()
    for name in ours.keys() & before.keys() & after.keys():
        one = ours[name]
        told = (
            one.transmitted_bytes, one.received_bytes, one.transmitted_packets, one.received_packets,
            one.receive_errors, one.transmit_errors, one.receive_drops, one.transmit_drops,
        )  # fmt: skip
        for low, value, high in zip(before[name], told, after[name], strict=True):
            assert low <= value <= high, name


def test_links() -> None:
    """Speed in megabits alike. psutil asks whether an interface is switched on, we whether it has a link."""
    theirs = psutil.net_if_stats()
    ours = host_readings().links(theirs)
    for name in ours.keys() & theirs.keys():
        assert (ours[name].speed or 0) == theirs[name].speed * 125_000, name
        assert theirs[name].isup or not ours[name].up, name


def test_addresses() -> None:
    """The same addresses on the same interfaces; an alias such as `eth0:1` belongs to its interface."""
    theirs: dict[str, set[str]] = {}
    for name, found in psutil.net_if_addrs().items():
        addresses = {
            f"{one.address.partition('%')[0]}/{_prefix(one.family, one.netmask)}"
            for one in found
            if one.family in (socket.AF_INET, socket.AF_INET6)
        }
        if addresses:
            theirs.setdefault(name.partition(":")[0], set()).update(addresses)
    assert {name: set(found) for name, found in host_readings().addresses().items()} == theirs


def _prefix(family: int, mask: str | None) -> int:
    return int.from_bytes(socket.inet_pton(family, mask or ""), "big").bit_count()


def test_hardware_addresses() -> None:
    """The same on the same interfaces; psutil gives loopback zeros, and tunnels the address of their end."""
    theirs = {
        name: one.address
        for name, found in psutil.net_if_addrs().items()
        for one in found
        if one.family == psutil.AF_LINK and one.address.count(":") >= 5 and one.address.strip("0:")
    }
    assert host_readings().mac_addresses() == theirs


def test_temperatures_and_fans() -> None:
    """Each value that psutil tells is among ours within five degrees, or 200 turns."""
    ours = host_readings().sensors()
    for chip, sensors in psutil.sensors_temperatures().items():
        for sensor in sensors:
            if -90 < sensor.current < 400:
                assert any(
                    abs(one.current - sensor.current) <= 5 for one in ours.temperatures if one.chip == chip
                ), (chip, sensor)
    for chip, fans in psutil.sensors_fans().items():
        for fan in fans:
            assert any(abs(one.speed - fan.current) <= 200 for one in ours.fans if one.chip == chip), chip


def test_battery() -> None:
    """Psutil tells the first battery."""
    theirs = psutil.sensors_battery()
    ours = [one for one in host_readings().batteries() if one.charge is not None]
    assert theirs is None or any(abs((one.charge or 0) - theirs.percent) <= 1 for one in ours)


def test_which_processes_there_are() -> None:
    """All that live through the reading, and none that psutil knows neither before nor after it."""
    before, ours, after = between(
        lambda: set(psutil.pids()), lambda: set(host_readings().processes().processes)
    )
    assert before & after <= ours
    assert not {pid for pid in ours - before - after if psutil.pid_exists(pid)}


@contextlib.contextmanager
def busy_child() -> Iterator[psutil.Process]:
    """Give a process of three threads that uses time and memory."""
    program = (
        "import threading, time\n"
        "kept = bytearray(30_000_000)\n"
        "[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in '12']\n"
        "until = time.process_time() + 0.3\n"
        "while time.process_time() < until: pass\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        process = psutil.Process(child.pid)
        wait_for(lambda: process.status() == "sleeping", "the child to sleep")
        try:
            yield process
        finally:
            child.kill()


def test_one_process() -> None:
    """Name, state, owner, threads and start alike; memory within 1 MiB, time within a tick."""
    readings = host_readings()
    with busy_child() as child:
        ours = readings.processes()
        stat = ours.processes[child.pid]
        times, memory = child.cpu_times(), child.memory_info()
        assert readings.full_name(child.pid, stat.name) == child.name()
        assert readings.owner(child.pid) == child.username()
        assert stat.threads == child.num_threads() == 3
        assert stat.state == child.status() == "sleeping"
        assert abs(stat.cpu_seconds - times.user - times.system) <= 1 / TICK + 1e-6
        assert abs(stat.resident_bytes - memory.rss) <= MIB
        age = (ours.start_clock - stat.started) / TICK
        assert abs(time.time() - age - child.create_time()) <= 2


def test_sockets() -> None:
    """Established ones, which in the kernel's sum are those that the other side closed too."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        for _ in range(100):
            stack.enter_context(socket.create_connection(server.getsockname()))
            stack.enter_context(server.accept()[0])
        before, ours, after = between(_established, host_readings().tcp)
    assert ours is not None
    assert ours["established"] >= 200
    assert min(before, after) - 20 <= ours["established"] <= max(before, after) + 20


def test_own_memory() -> None:
    """The agent's report of itself, within 1 MiB."""
    ours = host_readings().own_resident_bytes()
    assert ours is not None
    assert abs(ours - psutil.Process().memory_info().rss) <= MIB


def _disk(counters: Any) -> tuple[float, ...]:
    return (
        counters.read_count,
        counters.write_count,
        counters.read_bytes,
        counters.write_bytes,
        counters.busy_time / 1000,
    )


def _established() -> int:
    wanted = (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT)
    return sum(one.status in wanted for one in psutil.net_connections(kind="tcp"))
