from collections.abc import Callable, Mapping

from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.pressure import pressure_message
from fleetglass.agent.collectors.rates import known, percent, rate
from fleetglass.agent.readings.types import CoreTimes, CpuReading, FrequencyReading
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

    def collect(self, time: float, tick: int) -> Cpu | Partial:
        """Return the use since the last call."""
        now = self._read()
        before, self._before = self._before, now
        if now.at >= self._frequency_until or (before and before.cores.keys() != now.cores.keys()):
            self._frequency = self._read_frequency()
            self._frequency_until = now.at + _FREQUENCY_SECONDS
        message = cpu_use(before, now, time=time, tick=tick)
        shares = core_use(before.cores, now.cores) if before is not None else {}
        told = self._frequency.cores if self._frequency is not None else {}
        numbers = list(shares or now.cores or told)
        message.core_percents = list(shares.values()) or UNSET
        if numbers != list(range(len(numbers))):
            message.core_numbers = numbers
        if self._frequency is not None:
            if told.keys() >= set(numbers):  # a list cannot leave one out
                message.core_frequencies_hertz = [told[core] for core in numbers] or UNSET
            message.frequency_hertz = known(self._frequency.current)
            message.frequency_min_hertz = known(self._frequency.lowest)
            message.frequency_max_hertz = known(self._frequency.highest)
        load = self._read_load()
        if load is not None:
            message.load_1m, message.load_5m, message.load_15m = (round(one, 2) for one in load)
        pressure = self._read_pressure("cpu")
        # "full" means nothing for the processors of a whole system: always 0 (kernel: accounting/psi.rst).
        message.pressure = pressure_message(
            pressure and {name: share for name, share in pressure.items() if name.startswith("some")}
        )
        return message if now.times else Partial(message, "the system does not tell its processors' time")


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
    elapsed = now.at - before.at
    message.context_switches_per_second = rate(before.context_switches, now.context_switches, elapsed)
    message.interrupts_per_second = rate(before.interrupts, now.interrupts, elapsed)
    return message


def core_use(before: Mapping[int, CoreTimes], now: Mapping[int, CoreTimes]) -> dict[int, float]:
    """Return the busy share of each core by its number.

    A core that was just switched on, or whose clock stood still, has none.
    """
    shares = {}
    for core, (busy, idle, waiting) in now.items():
        if core not in before:
            continue
        busy_before, idle_before, waiting_before = before[core]
        spent = max(busy - busy_before, 0)
        rest = max(idle - idle_before, 0) + max(waiting - waiting_before, 0)
        share = percent(spent, spent + rest)
        if not isinstance(share, UnsetType):
            shares[core] = share
    return shares
