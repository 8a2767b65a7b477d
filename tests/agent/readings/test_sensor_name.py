from fleetglass.agent.readings.sensor_name import Place, sensor_names


def names(*places: Place) -> list[str]:
    return [one.name for one in sensor_names(places, set())]


def test_a_name_is_chip_and_label() -> None:
    """What is unique by itself has nothing added; a fan may have the name of a temperature."""
    assert names(
        Place("dell_smm", "dell", "hwmon0", "temp1", "CPU"),
        Place("dell_smm", "dell", "hwmon0", "fan1", "CPU"),
    ) == ["dell_smm/CPU", "dell_smm/CPU"]


def test_entries_of_one_label_have_their_number() -> None:
    """Only those that share a label, and each by the number of its file, which stays."""
    found = sensor_names(
        [
            Place("jc42", "0-0018", "hwmon1", f"temp{n}", label)
            for n, label in ((1, "CPU"), (2, "D"), (10, "D"))
        ],
        set(),
    )
    assert found == [("jc42/CPU", "CPU"), ("jc42/D 2", "D 2"), ("jc42/D 10", "D 10")]


def test_chips_of_one_name_have_their_device() -> None:
    """Two disks are told apart by their devices."""
    disks = [Place("nvme", f"nvme{n}", f"hwmon{n}", "temp1", "Composite") for n in (0, 1)]
    assert names(*disks) == ["nvme-nvme0/Composite", "nvme-nvme1/Composite"]


def test_a_chip_that_once_had_its_device_keeps_it() -> None:
    """When one of two disks is pulled, the other is not renamed."""
    disks = [Place("nvme", f"nvme{n}", f"hwmon{n}", "temp1", "Composite") for n in (0, 1)]
    shared: set[str] = set()
    sensor_names(disks, shared)
    assert [one.name for one in sensor_names(disks[1:], shared)] == ["nvme-nvme1/Composite"]


def test_chips_of_one_name_on_one_device_are_counted() -> None:
    """Two radios on one card; a third chip of the device whose labels are its own has no number."""
    radios = [Place("ath11k_hwmon", "0000:03:00.0", f"hwmon{n}", "temp1", "temp1") for n in (4, 5)]
    other = Place("ath11k_hwmon", "0000:03:00.0", "hwmon6", "temp1", "board")
    assert names(*radios, other) == ["ath11k_hwmon-1/temp1", "ath11k_hwmon-2/temp1", "ath11k_hwmon/board"]
