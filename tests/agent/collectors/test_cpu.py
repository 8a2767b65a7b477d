from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.cpu import CpuCollector, core_use, cpu_use
from fleetglass.agent.readings.types import CoreTimes, CpuReading, FrequencyReading
from fleetglass.wire.payloads import Cpu


def reading(at: float, *, cores: dict[int, CoreTimes] | None = None, **times: float) -> CpuReading:
    return CpuReading(at, times, cores or {}, context_switches=int(at * 100), interrupts=int(at * 50))


def messages(*readings: CpuReading, frequency: FrequencyReading | None = None) -> list[Cpu]:
    """Return what a collector says of one reading after another."""
    left = [*readings]
    collector = CpuCollector(lambda: left.pop(0), frequency=lambda: frequency)
    found = [collector.collect(1.0, tick) for tick in range(len(readings))]
    return [one.message if isinstance(one, Partial) else one for one in found]  # type: ignore[misc]


def turning(seconds: float, *numbers: int) -> CpuReading:
    """Return a reading after so many seconds, in which each core was busy by 10 % times its number."""
    cores = {number: (10 * number * seconds, (100 - 10 * number) * seconds, 0.0) for number in numbers}
    return reading(seconds, cores=cores, user=seconds, idle=seconds)


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
    """Busy, idle and waiting time of a core give its share."""
    before = {0: (10.0, 90.0, 0.0), 1: (0.0, 60.0, 40.0)}
    now = {0: (60.0, 140.0, 0.0), 1: (1.0, 99.0, 100.0)}
    assert core_use(before, now) == {0: 50.0, 1: 1.0}


def test_waiting_that_runs_backwards_makes_no_core_busier() -> None:
    """The kernel does not keep its count well (proc_stat(5)); what is lost counts as nothing."""
    before, now = {0: (0.0, 0.0, 90.0)}, {0: (50.0, 50.0, 0.0)}
    assert core_use(before, now) == {0: 50.0}
    assert core_use({0: (50.0, 50.0, 50.0)}, {0: (10.0, 60.0, 50.0)}) == {0: 0.0}
    assert core_use({0: (50.0, 50.0, 50.0)}, {0: (50.0, 50.0, 50.0)}) == {}


def test_cores_keep_their_numbers_while_others_come_and_go() -> None:
    """A core that is off has no place in the list; one that just came gets it with its second reading."""
    found = messages(
        turning(1, 0, 1, 2, 3), turning(2, 0, 1, 2, 3), turning(3, 0, 1, 3), turning(4, 0, 1, 2, 3)
    )
    told = [(one.core_percents, one.core_numbers) for one in found]
    assert told == [
        (UNSET, UNSET),
        ([0.0, 10.0, 20.0, 30.0], UNSET),
        ([0.0, 10.0, 30.0], [0, 1, 3]),
        ([0.0, 10.0, 30.0], [0, 1, 3]),
    ]


def test_frequencies_are_of_the_same_cores_as_the_shares() -> None:
    """Each list has the cores of the other; where a core does not tell its frequency, there is no list."""
    told = FrequencyReading(2, {0: 10, 1: 11, 3: 13}, None, None)
    with_all, without_two = messages(turning(1, 0, 1, 2, 3), turning(2, 0, 1, 3), frequency=told)
    assert with_all.core_frequencies_hertz is UNSET
    assert without_two.core_frequencies_hertz == [10, 11, 13]
    assert without_two.core_numbers == [0, 1, 3]


def test_a_core_that_goes_has_the_frequencies_read_anew() -> None:
    """They are asked for seldom otherwise."""
    asked: list[bool] = []
    left = [turning(1, 0, 1), turning(2, 0, 1), turning(3, 0), turning(4, 0)]
    collector = CpuCollector(lambda: left.pop(0), frequency=lambda: asked.append(True))
    for tick in range(4):
        collector.collect(1.0, tick)
    assert len(asked) == 2


def test_without_times_the_rest_is_told() -> None:
    """Load and frequency do not come from the processors' times."""
    nothing = CpuReading(1.0, {}, {}, None, None)
    found = CpuCollector(lambda: nothing, load=lambda: (1.0, 2.0, 3.0)).collect(1.0, 1)
    assert isinstance(found, Partial)
    assert isinstance(found.message, Cpu)
    assert found.message.load_5m == 2.0
    assert found.message.total_percent is UNSET


def test_the_collector_compares_with_its_last_reading() -> None:
    """The second message has the shares since the first."""
    found = messages(reading(1, user=0, idle=0), reading(2, user=75, idle=25), reading(3, user=75, idle=125))
    assert [one.total_percent for one in found] == [UNSET, 75.0, 0.0]


def test_a_frequency_that_is_not_known_is_absent() -> None:
    """A host that says only the current frequency publishes only that."""
    [message] = messages(reading(1, user=1), frequency=FrequencyReading(2_000_000_000, {}, None, None))
    assert message.frequency_hertz == 2_000_000_000
    assert message.frequency_max_hertz is UNSET
    assert message.core_frequencies_hertz is UNSET
