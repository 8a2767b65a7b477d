"""Readings from `/proc` (proc(5); kernel: Documentation/filesystems/proc.rst)."""

import os
import time

from fleetglass.agent.readings.kinds import (
    CpuReading,
    DiskCounters,
    DiskReading,
    InterfaceCounters,
    MemoryReading,
    NetworkReading,
)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SECTOR_BYTES = 512  # of /proc/diskstats, whatever the device's own is (kernel: admin-guide/iostats.rst)


def read_file(path: str) -> bytes:
    """Return the whole of a small file of `/proc` or `/sys`."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 -- a Path costs more than the reading
        return file.read()


def read_cpu() -> CpuReading:
    """Read `/proc/stat`."""
    return parse_stat(time.monotonic(), read_file("/proc/stat"))


def read_memory() -> MemoryReading:
    """Read `/proc/meminfo` and `/proc/vmstat`."""
    return parse_memory(time.monotonic(), read_file("/proc/meminfo"), read_file("/proc/vmstat"))


def read_disks() -> DiskReading:
    """Read `/proc/diskstats`."""
    return parse_diskstats(time.monotonic(), read_file("/proc/diskstats"))


def read_network() -> NetworkReading:
    """Read `/proc/net/dev`."""
    return parse_net_dev(time.monotonic(), read_file("/proc/net/dev"))


def read_tcp() -> dict[str, int] | None:
    """Read `/proc/net/snmp` and `/proc/net/sockstat`: listing every socket would cost far more."""
    return parse_tcp(read_file("/proc/net/snmp"), read_file("/proc/net/sockstat"))


def read_pressure(resource: str) -> dict[str, float] | None:
    """Read `/proc/pressure/<resource>`; kernels without it, or with it switched off, give None."""
    try:
        return parse_pressure(read_file(f"/proc/pressure/{resource}"))
    except OSError:
        return None


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(read_file("/proc/self/statm").split()[1]) * _PAGE_BYTES


def parse_stat(at: float, text: bytes) -> CpuReading:
    """Read the text of `/proc/stat`. The kernel counts guest time in user too; here it is apart."""
    times: dict[str, float] = {}
    cores: dict[str, tuple[float, float]] = {}
    context_switches = interrupts = None
    for line in text.splitlines():
        if line.startswith(b"cpu"):
            name, *numbers = line.split()
            # Old kernels have fewer columns.
            user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice = (
                *map(int, numbers[:10]),
                *(0,) * (10 - len(numbers)),
            )
            if name != b"cpu":
                busy = user + nice + system + irq + softirq + steal
                cores[name.decode()] = (busy, busy + idle + iowait)
                continue
            times = {
                "user": user - guest,
                "nice": nice - guest_nice,
                "system": system,
                "idle": idle,
                "iowait": iowait,
                "irq": irq,
                "softirq": softirq,
                "steal": steal,
                "guest": guest + guest_nice,
            }
        elif line.startswith(b"intr "):
            interrupts = int(line.split(None, 2)[1])
        elif line.startswith(b"ctxt "):
            context_switches = int(line[5:])
            break
    return CpuReading(at, times, cores, context_switches, interrupts)


def parse_memory(at: float, meminfo: bytes, vmstat: bytes) -> MemoryReading:
    """Read the texts of `/proc/meminfo` (kibibytes) and `/proc/vmstat` (pages)."""
    sizes: dict[bytes, int] = {}
    for line in meminfo.splitlines():
        name, _, rest = line.partition(b":")
        sizes[name] = int(rest.split(None, 1)[0]) * 1024
    free = sizes[b"MemFree"]
    cached = sizes.get(b"Cached", 0)
    return MemoryReading(
        at=at,
        total=sizes[b"MemTotal"],
        # Kernels before 3.14 do not say; free and cached is what was believed then.
        available=sizes.get(b"MemAvailable", free + cached),
        free=free,
        cached=cached + sizes.get(b"SReclaimable", 0),
        buffers=sizes.get(b"Buffers"),
        shared=sizes.get(b"Shmem"),
        swap_total=sizes.get(b"SwapTotal", 0),
        swap_free=sizes.get(b"SwapFree", 0),
        swapped_in=_pages(vmstat, b"\npswpin "),
        swapped_out=_pages(vmstat, b"\npswpout "),
    )


def parse_diskstats(at: float, text: bytes) -> DiskReading:
    """Read the text of `/proc/diskstats`, without loop and ram slots that nothing ever used."""
    devices: dict[str, DiskCounters] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 14:
            continue
        name = fields[2].decode(errors="replace")
        reads, writes = int(fields[3]), int(fields[7])
        if not reads and not writes and name.startswith(("loop", "ram")):
            continue
        devices[name] = DiskCounters(
            reads=reads,
            writes=writes,
            read_bytes=int(fields[5]) * _SECTOR_BYTES,
            written_bytes=int(fields[9]) * _SECTOR_BYTES,
            busy=int(fields[12]) / 1000,
        )
    return DiskReading(at, devices)


def parse_net_dev(at: float, text: bytes) -> NetworkReading:
    """Read the text of `/proc/net/dev`."""
    interfaces: dict[str, InterfaceCounters] = {}
    for line in text.splitlines()[2:]:
        # A name may hold a colon (an alias), the numbers never do.
        name, _, rest = line.rpartition(b":")
        fields = rest.split()
        interfaces[name.strip().decode(errors="replace")] = InterfaceCounters(
            received_bytes=int(fields[0]),
            transmitted_bytes=int(fields[8]),
            received_packets=int(fields[1]),
            transmitted_packets=int(fields[9]),
            receive_errors=int(fields[2]),
            transmit_errors=int(fields[10]),
            receive_drops=int(fields[3]),
            transmit_drops=int(fields[11]),
        )
    return NetworkReading(at, interfaces)


def parse_tcp(snmp: bytes, sockstat: bytes) -> dict[str, int] | None:
    """Return sockets by state. `established` holds those in CLOSE-WAIT too (RFC 4022, tcpCurrEstab)."""
    states: dict[str, int] = {}
    tables = [line.split() for line in snmp.splitlines() if line.startswith(b"Tcp:")]
    if len(tables) == 2 and b"CurrEstab" in tables[0]:
        states["established"] = int(tables[1][tables[0].index(b"CurrEstab")])
    for line in sockstat.splitlines():
        if line.startswith(b"TCP:"):
            fields = line.split()
            numbers = dict(zip(fields[1::2], fields[2::2], strict=False))
            for name, field in (("time_wait", b"tw"), ("orphan", b"orphan")):
                if field in numbers:
                    states[name] = int(numbers[field])
    return states or None


def parse_pressure(text: bytes) -> dict[str, float]:
    """Return shares in percent by `some_10s` and the like (kernel: Documentation/accounting/psi.rst)."""
    shares: dict[str, float] = {}
    for line in text.splitlines():
        kind, *fields = line.split()
        for field in fields[:3]:
            span, _, value = field.partition(b"=")
            shares[f"{kind.decode()}_{span[3:].decode()}s"] = float(value)
    return shares


def _pages(vmstat: bytes, name: bytes) -> int | None:
    start = vmstat.find(name)
    if start < 0:
        return None
    return int(vmstat[start + len(name) :].split(None, 1)[0]) * _PAGE_BYTES
