"""Readers of the texts of `/proc` (proc(5); kernel: Documentation/filesystems/proc.rst).

A line that is not what it should be costs only its own value.
"""

import os
from collections.abc import Callable

from fleetglass.agent.readings.files import finite
from fleetglass.agent.readings.types import (
    Choice,
    CoreTimes,
    CpuReading,
    DiskCounters,
    InterfaceCounters,
    MemoryReading,
    NetworkReading,
    all_of,
)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_SECTOR_BYTES = 512  # of /proc/diskstats, whatever the device's own is (kernel: admin-guide/iostats.rst)

_MEMINFO = frozenset(
    b"MemTotal MemFree MemAvailable Buffers Cached AnonPages Shmem SReclaimable SwapTotal SwapFree".split()
)
_MOST_BYTES = 1 << 53  # a size that fell below zero is printed as one just under 2^64
# So are times, some after the kernel divided nanoseconds into ticks of 10 ms.
_BELOW_ZERO = b" 18446"


def parse_stat(at: float, text: bytes) -> CpuReading:
    """Read the text of `/proc/stat`. The kernel counts guest time in user too; here it is apart."""
    times: dict[str, float] = {}
    cores: dict[int, CoreTimes] = {}
    context_switches = interrupts = None
    whole = _above_zero if _BELOW_ZERO in text else int
    for line in text.splitlines():
        if line.startswith(b"cpu"):
            name, *numbers = line.split()
            if len(numbers) < 4:
                continue
            try:
                # Old kernels have fewer columns.
                user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice = (
                    *map(whole, numbers[:10]),
                    *(0,) * (10 - len(numbers)),
                )
                if name != b"cpu":
                    busy = user + nice + system + irq + softirq + steal
                    cores[int(name[3:])] = (busy, idle, iowait)
                    continue
            except ValueError:
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
            interrupts = _whole(line[5:])
        elif line.startswith(b"ctxt "):
            context_switches = _whole(line[5:])
            break
    return CpuReading(at, times, cores, context_switches, interrupts)


def parse_boot_time(stat: bytes) -> int | None:
    """Return when the host started, from the text of `/proc/stat`: UTC, seconds since the epoch."""
    _, found, rest = stat.partition(b"\nbtime ")
    return _whole(rest) if found else None


def parse_load(text: bytes) -> tuple[float, float, float] | None:
    """Return the load averages of 1, 5 and 15 minutes from the text of `/proc/loadavg`."""
    match [finite(field) for field in text.split()[:3]]:
        case [float(one), float(five), float(fifteen)]:
            return one, five, fifteen
        case _:
            return None


def parse_memory(at: float, meminfo: bytes, vmstat: bytes, arcstats: bytes = b"") -> MemoryReading:
    """Read the texts of `/proc/meminfo` (kibibytes), `/proc/vmstat` (pages) and ZFS's `arcstats`.

    A size larger than its whole is left out: in a container of LXC it is the host's, or fell below zero.
    """
    sizes: dict[bytes, int] = {}
    for line in meminfo.splitlines():
        name, _, rest = line.partition(b":")
        if name in _MEMINFO and (number := _whole(rest)) is not None:
            sizes[name] = number * 1024
    total = _part(sizes.get(b"MemTotal"), _MOST_BYTES) or None
    swap_total = _part(sizes.get(b"SwapTotal"), _MOST_BYTES)
    free = _part(sizes.get(b"MemFree"), total)
    pages = _part(sizes.get(b"Cached"), total)
    slabs = _part(sizes.get(b"SReclaimable"), total if total is None else total - (pages or 0)) or 0
    cached = None if pages is None else pages + slabs
    buffers = _part(sizes.get(b"Buffers"), total)
    shared = _part(sizes.get(b"Shmem"), total)
    available = sizes.get(b"MemAvailable")
    if available in (None, 0, sizes.get(b"MemFree")) and free is not None and b"Cached" in sizes:
        # Kernels before 3.14 do not say, some say 0, and lxcfs before 3.0 says what is free.
        # Shared memory is in the cache, but cannot be taken.
        available = free + max((cached or 0) + (buffers or 0) - (shared or 0), 0)
        available = available if total is None else min(available, total)
    elif available is not None and _part(available, total) is None:
        available = free  # the host's; of what a container has, procps counts only this
    if arcstats and total is not None and available is not None:
        known = (free, pages, buffers, _part(sizes.get(b"AnonPages"), total))
        unexplained = total - sum(filter(None, known))
        available = min(available + _arc_to_give(arcstats, unexplained), total)
    return MemoryReading(
        at=at,
        total=total,
        available=available,
        free=free,
        cached=cached,
        buffers=buffers,
        shared=shared,
        swap_total=swap_total,
        swap_free=_part(sizes.get(b"SwapFree"), swap_total) if swap_total else swap_total,
        swapped_in=_pages(vmstat, b"pswpin "),
        swapped_out=_pages(vmstat, b"pswpout "),
    )


def parse_diskstats(text: bytes, takes: Callable[[str], bool] = lambda _: True) -> dict[str, DiskCounters]:
    """Read the text of `/proc/diskstats`, without loop and ram slots that nothing ever used."""
    devices: dict[str, DiskCounters] = {}
    for line in text.split(b"\n"):
        fields = line.split()
        try:
            name = fields[2].decode(errors="replace")
            if not takes(name):
                continue
            reads, read_sectors, writes, written_sectors, busy = (
                int(fields[number]) for number in (3, 5, 7, 9, 12)
            )
        except (IndexError, ValueError):
            continue
        if not reads and not writes and name.startswith(("loop", "ram")):
            continue
        devices[name] = DiskCounters(
            reads, writes, read_sectors * _SECTOR_BYTES, written_sectors * _SECTOR_BYTES, busy / 1000
        )
    return devices


def parse_net_dev(at: float, text: bytes, choose: Choice = all_of) -> NetworkReading:
    """Read the interfaces that are chosen from the text of `/proc/net/dev`."""
    interfaces: dict[str, InterfaceCounters] = {}
    lines = {}
    for line in text.splitlines()[2:]:
        # A name may hold a colon (an alias), the numbers never do.
        label, _, numbers = line.rpartition(b":")
        lines[label.strip().decode(errors="replace")] = numbers
    chosen = choose(list(lines))
    for name, rest in lines.items():
        if name not in chosen:
            continue
        try:
            fields = rest.split()
            counters = InterfaceCounters(
                received_bytes=int(fields[0]),
                transmitted_bytes=int(fields[8]),
                received_packets=int(fields[1]),
                transmitted_packets=int(fields[9]),
                receive_errors=int(fields[2]),
                transmit_errors=int(fields[10]),
                receive_drops=int(fields[3]),
                transmit_drops=int(fields[11]),
            )
        except (IndexError, ValueError):
            continue
        interfaces[name] = counters
    return NetworkReading(at, interfaces)


def parse_tcp(snmp: bytes, sockstat: bytes) -> dict[str, int] | None:
    """Return sockets by state. `established` holds those in CLOSE-WAIT too (RFC 4022, tcpCurrEstab)."""
    states: dict[str, int] = {}
    tables = [line.split() for line in snmp.splitlines() if line.startswith(b"Tcp:")]
    if len(tables) == 2:
        _note(states, "established", dict(zip(*tables, strict=False)).get(b"CurrEstab"))
    for line in sockstat.splitlines():
        if line.startswith(b"TCP:"):
            fields = line.split()
            numbers = dict(zip(fields[1::2], fields[2::2], strict=False))
            _note(states, "time_wait", numbers.get(b"tw"))
            _note(states, "orphan", numbers.get(b"orphan"))
    return states or None


def parse_pressure(text: bytes) -> dict[str, float] | None:
    """Return shares in percent by `some_10s` and the like (kernel: Documentation/accounting/psi.rst)."""
    shares: dict[str, float] = {}
    for line in text.splitlines():
        kind, *fields = line.split() or [b""]
        for field in fields[:3]:
            span, _, value = field.partition(b"=")
            share = finite(value)
            if share is not None:
                shares[f"{kind.decode(errors='replace')}_{span[3:].decode(errors='replace')}s"] = share
    return shares or None


def _above_zero(ticks: bytes) -> int:
    """Return a count of ticks, and 0 for one that fell below zero, as stolen time does after a migration."""
    fell = len(ticks) in (len("1844674407370"), len("18446744073709551615")) and ticks.startswith(b"18446")
    return 0 if fell else int(ticks)


def _part(size: int | None, whole: int | None) -> int | None:
    """Return a size, or None where it is negative or larger than the whole, if that is known."""
    if size is None or not 0 <= size <= (_MOST_BYTES if whole is None else whole):
        return None
    return size


def _arc_to_give(arcstats: bytes, unexplained: int) -> int:
    """Return how much ZFS's cache, for which the kernel has no line, gives back when programs need memory.

    A container may see the cache of its host: one larger than all that is not explained otherwise.
    """
    size, least = _kstat(arcstats, b"size"), _kstat(arcstats, b"c_min")
    if size is None or least is None or size > unexplained:
        return 0
    return max(size - least, 0)


def _kstat(text: bytes, name: bytes) -> int | None:
    """Return a value of a kstat of named values, one a line: name, type, data."""
    _, found, rest = text.partition(b"\n" + name + b" ")
    fields = rest.split(None, 2)
    return _whole(fields[1]) if found and len(fields) > 1 else None


def _whole(text: bytes) -> int | None:
    """Return the number that a text begins with."""
    try:
        return int(text.split(None, 1)[0])
    except (IndexError, ValueError):
        return None


def _note(states: dict[str, int], name: str, text: bytes | None) -> None:
    number = None if text is None else _whole(text)
    if number is not None:
        states[name] = number


def _pages(vmstat: bytes, name: bytes) -> int | None:
    start = vmstat.find(b"\n" + name) + 1
    if not start and not vmstat.startswith(name):
        return None
    number = _whole(vmstat[start + len(name) : start + len(name) + 24])
    return None if number is None else number * _PAGE_BYTES
