from collections.abc import Callable

from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.pressure import pressure_message
from fleetglass.agent.collectors.rates import known, percent, rate
from fleetglass.agent.readings.types import CpuReading, FrequencyReading
from fleetglass.wire.payloads import Cpu

_FREQUENCY_SECONDS = 10.0  # asking a sleeping core for its frequency wakes it


class CpuCollector:
    """Processor use between two readings, with load, frequency and pressure."""

    group = "cpu"
    interval = 0.0

    def __init__(
        self,
        read: Callable[[], CpuReading],
        *,
        frequency: Callable[[], FrequencyReading | None] = lambda: None,
        load: Callable[[], tuple[float, float, float] | None] = lambda: None,
        pressure: Callable[[str], dict[str, float] | None] = lambda _: None,
    ) -> None:
        self._read = read
        self._read_frequency = frequency
        self._read_load = load
        self._read_pressure = pressure
        self._before: CpuReading | None = None
        self._frequency: FrequencyReading | None = None
        self._frequency_until = float("-inf")

    def collect(self, time: float, tick: int) -> Cpu:
        """Return the use since the last call."""
        now = self._read()
        if now.at >= self._frequency_until:
            self._frequency = self._read_frequency()
            self._frequency_until = now.at + _FREQUENCY_SECONDS
        message = cpu_use(self._before, now, time=time, tick=tick)
        self._before = now
        if self._frequency is not None:
            message.frequency_hertz = known(self._frequency.current)
            message.core_frequencies_hertz = list(self._frequency.cores) or UNSET
            message.frequency_min_hertz = known(self._frequency.lowest)
            message.frequency_max_hertz = known(self._frequency.highest)
        load = self._read_load()
        if load is not None:
            message.load_1m, message.load_5m, message.load_15m = (round(one, 2) for one in load)
        shares = self._read_pressure("cpu")
        # "full" means nothing for the processors of a whole system: always 0 (kernel: accounting/psi.rst).
        message.pressure = pressure_message(
            shares and {name: share for name, share in shares.items() if name.startswith("some")}
        )
        return message


def cpu_use(before: CpuReading | None, now: CpuReading, *, time: float, tick: int) -> Cpu:
    """Return the shares of the time that passed on all cores between two readings.

    iowait may run backwards (proc_stat(5)); what went backwards counts as nothing.
    """
    message = Cpu(time=time, tick=tick)
    if before is None:
        return message
    spent = {
        kind: max(value - before.times[kind], 0.0)
        for kind, value in now.times.items()
        if kind in before.times
    }
    total = sum(spent.values())
    message.total_percent = percent(total - spent.get("idle", 0.0) - spent.get("iowait", 0.0), total)
    for kind, value in spent.items():
        setattr(message, f"{kind}_percent", percent(value, total))
    message.core_percents = core_use(before.cores, now.cores)
    elapsed = now.at - before.at
    message.context_switches_per_second = rate(before.context_switches, now.context_switches, elapsed)
    message.interrupts_per_second = rate(before.interrupts, now.interrupts, elapsed)
    return message


def core_use(
    before: dict[str, tuple[float, float]], now: dict[str, tuple[float, float]]
) -> list[float] | UnsetType:
    """Return the busy share of each core, in order.

    Absent when a core came or went, or its clock stood still: a list cannot leave one out.
    """
    if before.keys() != now.keys():
        return UNSET
    shares = []
    for core, (busy, total) in now.items():
        busy_before, total_before = before[core]
        share = percent(busy - busy_before, total - total_before)
        if isinstance(share, UnsetType):
            return UNSET
        shares.append(share)
    return shares or UNSET
