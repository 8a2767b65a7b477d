from msgspec import UNSET, UnsetType

from fleetglass.agent.headline import Means, pulse_of
from fleetglass.wire.payloads import (
    Battery,
    Cpu,
    Disk,
    DiskDevice,
    Filesystem,
    Gpu,
    GpuDevice,
    Group,
    Memory,
    Mount,
    Network,
    NetworkInterface,
    Power,
    Process,
    Pulse,
    Sensor,
    Temperature,
    Unit,
)


def pulse(*groups: Group) -> Pulse:
    return pulse_of(
        {type(one).__name__.lower(): one for one in groups}, time=1.0, tick=1, session="s", uptime_seconds=60
    )


def test_the_headline_is_taken_from_the_groups() -> None:
    """Each number comes from its group."""
    found = pulse(
        Cpu(time=1, tick=1, total_percent=12.5, core_percents=[0.4, 99.6], load_1m=0.5),
        Memory(time=1, tick=1, used_percent=40.0, swap_percent=1.0),
        Process(time=1, tick=1, count=123, states={}, top_cpu=[], top_memory=[]),
        Power(
            time=1, tick=1, batteries={"a": Battery(charge_percent=50.0), "b": Battery(charge_percent=100.0)}
        ),
    )
    assert (found.cpu_percent, found.core_percents, found.load_1m) == (12.5, [0, 100], 0.5)
    assert (found.memory_percent, found.swap_percent) == (40.0, 1.0)
    assert found.process_count == 123
    assert found.battery_percent == 75.0
    assert found.uptime_seconds == 60


def test_the_bus_tells_sooner_than_the_units_how_many_failed() -> None:
    """The group of units tells it where there is no bus; where nobody does, it is absent."""
    units = {"unit": Unit(time=1, tick=1, failed_count=3, failed=[], units={})}
    told = [
        pulse_of(groups, time=1.0, tick=1, session="s", failed_units=of_the_bus).failed_units
        for groups, of_the_bus in ((units, 0), (units, UNSET), ({}, 2), ({}, UNSET))
    ]
    assert told == [0, 3, 2, UNSET]


def test_the_hottest_that_a_computer_can_be_is_told() -> None:
    """What is hotter than any part can be is in its group, but not in the headline."""
    found = pulse(
        Sensor(
            time=1,
            tick=1,
            temperatures={
                "max31855/temp1": Temperature(current_celsius=210.0),
                "coretemp/Core 0": Temperature(current_celsius=71.0),
            },
        ),
        Gpu(time=1, tick=1, devices={"a": GpuDevice(temperature_celsius=66.0), "b": GpuDevice()}),
    )
    assert found.temperature_celsius == 71.0


def test_what_is_meant_for_fans_is_no_temperature() -> None:
    """Some AMD processors add 10 to 27 degrees to Tctl; where there is no Tdie, it has nothing added."""

    def hottest(**degrees: float) -> float | UnsetType:
        chips = {f"k10temp/{label}": Temperature(current_celsius=one) for label, one in degrees.items()}
        other = {"zenpower/Tctl": Temperature(current_celsius=30.0)}
        return pulse(Sensor(time=1, tick=1, temperatures=chips | other)).temperature_celsius

    assert hottest(Tctl=67.1, Tdie=40.1, Tccd1=40.2) == 40.2
    assert hottest(Tctl=67.1, Tccd1=60.2) == 67.1


def power(**batteries: Battery) -> Power:
    return Power(time=1, tick=1, batteries=batteries)


def energy(now: float, full: float) -> Battery:
    return Battery(charge_percent=round(100 * now / full), energy_watt_hours=now, energy_full_watt_hours=full)


def test_batteries_count_by_what_they_hold() -> None:
    """A large battery counts more than a small one, whatever each counts in."""
    assert pulse(power(a=energy(2, 20), b=energy(54, 60))).battery_percent == 70.0
    charge = Battery(charge_percent=20, charge_full_ampere_hours=2.0, voltage_volts=10.0)
    assert pulse(power(a=energy(60, 60), b=charge)).battery_percent == 80.0
    halves = Battery(charge_percent=50, charge_full_ampere_hours=1.0)
    assert (
        pulse(power(a=halves, b=Battery(charge_percent=90, charge_full_ampere_hours=3.0))).battery_percent
        == 80
    )
    full = Battery(charge_percent=100)
    assert pulse(power(a=Battery(charge_percent=50), b=full)).battery_percent == 75.0
    assert pulse(power(a=energy(10, 20), b=energy(10, 40), c=full)).battery_percent == 55.6


def test_a_battery_that_tells_no_charge_does_not_count() -> None:
    """What is unknown is not 0."""
    assert pulse(power(a=Battery(voltage_volts=12.0), b=energy(10, 20))).battery_percent == 50.0
    assert pulse(power(a=Battery(voltage_volts=12.0))).battery_percent is UNSET


def test_a_ups_is_not_the_battery_of_a_laptop() -> None:
    """It counts where there is no battery."""
    ups = Battery(charge_percent=100, ups=True)
    assert pulse(power(a=energy(10, 20), b=ups)).battery_percent == 50.0
    assert pulse(power(b=ups)).battery_percent == 100.0


def test_a_missing_group_leaves_its_numbers_out() -> None:
    """Without groups only the stamp and the uptime are left."""
    found = pulse()
    assert found.cpu_percent is UNSET
    assert found.disk_read_bytes_per_second is UNSET
    assert found.temperature_celsius is UNSET


def test_disks_are_summed_by_their_group() -> None:
    """The group knows which of its devices count."""
    devices = {"sda": DiskDevice(read_bytes_per_second=100), "sda1": DiskDevice(read_bytes_per_second=90)}
    found = pulse(Disk(time=1, tick=1, read_bytes_per_second=100, devices=devices))
    assert found.disk_read_bytes_per_second == 100
    assert found.disk_write_bytes_per_second is UNSET


def test_the_traffic_is_that_of_the_group() -> None:
    """What is summed is told by the group itself."""
    found = pulse(
        Network(
            time=1,
            tick=1,
            interfaces={"lo": NetworkInterface(receive_bytes_per_second=10, transmit_bytes_per_second=1)},
            receive_bytes_per_second=20,
            transmit_bytes_per_second=2,
        )
    )
    assert found.network_receive_bytes_per_second == 20
    assert found.network_transmit_bytes_per_second == 2


def test_the_fullest_and_the_hottest_count() -> None:
    """Of filesystems and temperatures the highest is told, those without a value left out."""
    found = pulse(
        Filesystem(time=1, tick=1, mounts={"/": Mount(used_percent=20.0), "/x": Mount(used_percent=90.0)}),
        Sensor(time=1, tick=1, temperatures={"a": Temperature(), "b": Temperature(current_celsius=55.5)}),
    )
    assert found.filesystem_percent == 90.0
    assert found.temperature_celsius == 55.5


def test_the_busiest_gpu_and_the_hottest_part_are_told() -> None:
    """Of two GPUs the busier is told; a GPU is the hottest sensor where it is hotter than all others."""
    gpus = Gpu(
        time=1,
        tick=1,
        devices={
            "0000:03:00.0": GpuDevice(busy_percent=4.0, temperature_celsius=41.0),
            "0000:0a:00.0": GpuDevice(busy_percent=97.0, temperature_celsius=83.0),
            "0000:0b:00.0": GpuDevice(state="suspended"),
        },
    )
    cool = Sensor(time=1, tick=1, temperatures={"k10temp/Tctl": Temperature(current_celsius=55.0)})
    hot = Sensor(time=1, tick=1, temperatures={"k10temp/Tctl": Temperature(current_celsius=90.0)})
    assert (pulse(gpus, cool).gpu_percent, pulse(gpus, cool).temperature_celsius) == (97.0, 83.0)
    assert pulse(hot, gpus).temperature_celsius == 90.0
    assert pulse(gpus).temperature_celsius == 83.0
    asleep = Gpu(time=1, tick=1, devices={"0000:0b:00.0": GpuDevice(state="suspended")})
    assert pulse(asleep).gpu_percent is UNSET


def test_at_most_64_cores_are_told() -> None:
    """A pulse stays small on a machine of 128 cores."""
    found = pulse(Cpu(time=1, tick=1, core_percents=[1.0] * 128))
    assert not isinstance(found.core_percents, UnsetType)
    assert len(found.core_percents) == 64


def test_a_summary_is_the_mean_of_its_pulses() -> None:
    """Percentages keep a decimal, rates stay whole, and what came only once is not thinned."""
    means = Means()
    for percent, rate in ((10.0, 100), (20.0, 201), (20.0, 200)):
        means.add(
            Pulse(
                time=1,
                tick=1,
                session="s",
                cpu_percent=percent,
                load_1m=0.25,
                disk_read_bytes_per_second=rate,
            )
        )
    means.add(Pulse(time=1, tick=1, session="s", process_count=7))
    summary = means.take(time=5.0, tick=9, boot_time=3.0)
    assert (summary.time, summary.tick, summary.boot_time) == (5.0, 9, 3.0)
    assert summary.cpu_percent == 16.7
    assert summary.load_1m == 0.25
    assert summary.disk_read_bytes_per_second == 167
    assert isinstance(summary.disk_read_bytes_per_second, int)
    assert summary.process_count == 7
    assert summary.memory_percent is UNSET


def test_means_begin_anew() -> None:
    """What one summary told is not in the next."""
    means = Means()
    means.add(Pulse(time=1, tick=1, session="s", cpu_percent=100.0))
    means.take(time=1.0, tick=1, boot_time=UNSET)
    assert means.take(time=2.0, tick=2, boot_time=UNSET).cpu_percent is UNSET
