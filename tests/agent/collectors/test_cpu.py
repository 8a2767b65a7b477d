from msgspec import UNSET

from fleetglass.agent.collectors.cpu import CpuCollector, core_use, cpu_use
from fleetglass.agent.readings.types import CpuReading, FrequencyReading


def reading(at: float, *, cores: dict[str, tuple[float, float]] | None = None, **times: float) -> CpuReading:
    return CpuReading(at, times, cores or {}, context_switches=int(at * 100), interrupts=int(at * 50))


def test_shares_are_of_the_time_between_two_readings() -> None:
    """Of 100 units 20 went to user, 10 to system, 5 waited for disks and 65 were idle."""
    message = cpu_use(
        reading(10, user=100, system=50, idle=800, iowait=20),
        reading(12, user=120, system=60, idle=865, iowait=25),
        time=1.0,
        tick=1,
    )
    assert message.total_percent == 30.0
    assert message.user_percent == 20.0
    assert message.system_percent == 10.0
    assert message.idle_percent == 65.0
    assert message.iowait_percent == 5.0
    assert message.context_switches_per_second == 100
    assert message.interrupts_per_second == 50


def test_a_kind_that_the_system_has_not_is_absent() -> None:
    """A system without steal time publishes none."""
    message = cpu_use(reading(1, user=1, idle=1), reading(2, user=2, idle=2), time=1.0, tick=1)
    assert message.steal_percent is UNSET


def test_time_that_runs_backwards_counts_as_nothing() -> None:
    """A falling iowait gives 0 and leaves the other shares whole."""
    message = cpu_use(
        reading(1, user=0, idle=0, iowait=30), reading(2, user=50, idle=50, iowait=20), time=1.0, tick=1
    )
    assert message.iowait_percent == 0.0
    assert message.total_percent == 50.0


def test_one_reading_gives_no_percentage() -> None:
    """Without an earlier reading there is no share, and it is not 0 either."""
    message = cpu_use(None, reading(1, user=50, idle=50), time=1.0, tick=1)
    assert message.total_percent is UNSET
    assert message.context_switches_per_second is UNSET


def test_each_core_has_its_own_share() -> None:
    """Busy and total time of a core give its share, in the order of the cores."""
    before = {"cpu0": (10.0, 100.0), "cpu1": (0.0, 100.0)}
    assert core_use(before, {"cpu0": (60.0, 200.0), "cpu1": (1.0, 200.0)}) == [50.0, 1.0]


def test_a_core_that_comes_leaves_the_cores_out_once() -> None:
    """A list cannot leave out one core, so all are absent in the tick in which one was switched on."""
    before = {"cpu0": (10.0, 100.0)}
    assert core_use(before, {"cpu0": (60.0, 200.0), "cpu1": (1.0, 200.0)}) is UNSET


def test_the_collector_compares_with_its_last_reading() -> None:
    """The second message has the shares since the first, and a fixed frequency is asked for once."""
    left = [reading(1, user=0, idle=0), reading(2, user=75, idle=25), reading(3, user=75, idle=125)]
    asked = []

    def frequency() -> FrequencyReading:
        asked.append(True)
        return FrequencyReading(2_000_000_000, (1_500_000_000, 2_500_000_000), None, 3_000_000_000)

    collector = CpuCollector(lambda: left.pop(0), frequency=frequency)
    totals = [collector.collect(1.0, tick).total_percent for tick in range(3)]
    assert totals == [UNSET, 75.0, 0.0]
    assert len(asked) == 1


def test_a_frequency_that_is_not_known_is_absent() -> None:
    """A host that says only the current frequency publishes only that."""
    collector = CpuCollector(
        lambda: reading(1, user=1), frequency=lambda: FrequencyReading(2_000_000_000, (), None, None)
    )
    message = collector.collect(1.0, 1)
    assert message.frequency_hertz == 2_000_000_000
    assert message.frequency_max_hertz is UNSET
    assert message.core_frequencies_hertz is UNSET
