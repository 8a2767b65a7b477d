import os
import threading
import time as clocks
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from msgspec import UNSET, UnsetType

from fleetglass.agent import inventory as inventories
from fleetglass.agent.clock_jumps import read_clocks
from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.inventory import Inventory, devices_of
from fleetglass.agent.readings import host_readings
from fleetglass.agent.readings.portable import PortableReadings
from fleetglass.agent.readings.types import HostReading
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import decode, encode
from fleetglass.wire.payloads import Cpu, Disk, DiskDevice, Fan, Info, Memory, Sensor, Temperature
from fleetglass.wire.unexpected_errors import UnexpectedErrors
from support.waiting import wait_for

SETTINGS = AgentSettings(
    broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), host_id="web-1", interval=2.0, tags=("rack-7",)
)


@pytest.fixture
def inventory() -> Inventory:
    return Inventory(
        SETTINGS,
        session="abc",
        readings=host_readings(),
        collectors=default_collectors(SETTINGS),
        errors=UnexpectedErrors(),
    )


def test_the_inventory_tells_of_updates_and_reboots(tmp_path: Path) -> None:
    """What the files under the root say; without any, nothing."""
    for path in ("run/reboot-required", "var/lib/update-notifier/updates-available"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("12 updates can be applied immediately.\n")
    settings = replace(SETTINGS, root=str(tmp_path))
    made = Inventory(
        settings, session="a", readings=host_readings(str(tmp_path)), collectors=[], errors=UnexpectedErrors()
    )

    def told() -> Info:
        return made.info({}, time=1.0, conflict=None)

    wait_for(lambda: told().pending_updates == 12, "the updates")
    assert (told().security_updates, told().reboot_required) == (0, True)
    assert told().updates_time is not UNSET
    (tmp_path / "run/reboot-required").unlink()
    (tmp_path / "var/lib/update-notifier/updates-available").unlink()
    made.look()
    wait_for(lambda: told().pending_updates is UNSET and told().reboot_required is UNSET, "nothing")


def test_the_inventory_describes_this_host(inventory: Inventory) -> None:
    """What is told fits the contract, and is of this machine."""
    memory = Memory(time=1.0, tick=1, total_bytes=2**30, swap_total_bytes=0)
    info = decode(encode(inventory.info({"memory": memory}, time=1.0, conflict=None)), Info)
    assert info.session == "abc"
    assert info.logical_cores == os.cpu_count()
    assert info.tags == ["rack-7"]
    assert info.conflict is UNSET
    assert (info.memory_total_bytes, info.swap_total_bytes) == (2**30, 0)
    assert info.boot_time == pytest.approx(psutil.boot_time(), abs=2)
    assert info.physical_cores == psutil.cpu_count(logical=False)
    assert isinstance(info.addresses, dict)
    assert "127.0.0.1" in info.addresses["lo"]
    assert isinstance(info.networks, dict)
    assert "127.0.0.1/8" in info.networks["lo"]


def test_a_container_is_known_by_what_it_keeps() -> None:
    """A machine id in its image would be that of each container of the image."""
    for kept_id in ("0123abcd4567ef89", None):
        container = replace(SETTINGS, container="docker", kept_id_hash=kept_id)
        readings, errors = host_readings(), UnexpectedErrors()
        told = Inventory(container, session="abc", readings=readings, collectors=[], errors=errors)
        info = told.info({}, time=1.0, conflict=None)
        assert (info.container, info.machine_id_hash) == ("docker", kept_id or UNSET)


def test_groups_are_told_with_interval_and_units(inventory: Inventory) -> None:
    """A slow group's interval is a whole number of ticks; the agent's own report is always there."""
    info = inventory.info(
        {"cpu": Cpu(time=1, tick=1), "process": Cpu(time=1, tick=1)}, time=1.0, conflict="x"
    )
    assert set(info.groups) == {"cpu", "process", "collector"}
    assert info.groups["cpu"].interval_seconds == 2.0
    assert info.groups["process"].interval_seconds == 4.0
    fields = info.groups["cpu"].fields
    assert not isinstance(fields, UnsetType)
    assert fields["total_percent"].limit == 100
    assert info.conflict == "x"


def test_two_inventories_differ_only_in_their_time(inventory: Inventory) -> None:
    """Nothing that is told flickers."""
    first, second = (inventory.info({}, time=1.0, conflict=None) for _ in range(2))
    assert first == second


def test_a_host_that_does_not_answer_holds_up_nothing() -> None:
    """While a file of the host hangs the inventory is told without it; when it answers, with it."""
    released = threading.Event()
    host = Frozen(released)
    inventory = Inventory(SETTINGS, session="abc", readings=host, collectors=[], errors=UnexpectedErrors())
    before = inventory.info({}, time=1.0, conflict=None)
    assert before.kernel is UNSET
    assert before.host_name
    inventory.look_again()  # as one thread is still at it, no other one is started
    released.set()
    wait_for(lambda: inventory.info({}, time=1.0, conflict=None).kernel == "Linux 6.1", "the kernel")
    assert host.asked == 1


def test_the_start_of_the_host_follows_its_clock() -> None:
    """A host without a clock of its own believes in a wrong start until its time is set."""
    released = threading.Event()
    released.set()
    host = Frozen(released)
    inventory = Inventory(SETTINGS, session="abc", readings=host, collectors=[], errors=UnexpectedErrors())
    assert inventory.boot_time == 1000.0
    host.boot_time = 1_760_000_000.0
    wait_for(lambda: (inventory.look_again(), inventory.boot_time == 1_760_000_000.0)[1], "the new start")  # type: ignore[func-returns-value]


def test_time_since_the_start_and_addresses_come_from_the_thread_that_may_wait() -> None:
    """What lies in files of another host is absent while one of them hangs, and no tick waits for it."""

    class Hanging(PortableReadings):
        """A host whose file of the time since its start hangs until it is let."""

        def __init__(self) -> None:
            self.released = threading.Event()
            self.found = {"eth0": ["192.0.2.1"]}

        def addresses(self) -> dict[str, list[str]]:
            return {name: [f"{one}/24" for one in found] for name, found in self.found.items()}

        def uptime_seconds(self) -> float:
            self.released.wait(60)
            return 5000.0

    host = Hanging()
    inventory = Inventory(SETTINGS, session="abc", readings=host, collectors=[], errors=UnexpectedErrors())
    assert inventory.uptime_seconds is UNSET
    assert inventory.info({}, time=1.0, conflict=None).addresses == host.found
    began = clocks.monotonic()
    inventory.look()
    assert clocks.monotonic() - began < 10  # the first thread is still at it
    host.released.set()
    wait_for(lambda: isinstance(inventory.uptime_seconds, int), "the time since the start")
    assert inventory.uptime_seconds == pytest.approx(5030, abs=30)
    host.found = {"eth0": ["192.0.2.2"]}
    inventory.look()
    wait_for(lambda: inventory.info({}, time=1.0, conflict=None).addresses == host.found, "the new address")


def test_the_time_since_the_start_runs_on_between_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read now and then, and counted on by a clock that sleep does not stop."""
    inventory = Inventory(
        SETTINGS, session="a", readings=host_readings(), collectors=[], errors=UnexpectedErrors()
    )
    before = inventory.uptime_seconds
    moment = read_clocks()
    monkeypatch.setattr(inventories, "read_clocks", lambda: moment._replace(elapsed=moment.elapsed + 100))
    assert isinstance(before, int)
    assert inventory.uptime_seconds == pytest.approx(before + 100, abs=2)


@pytest.mark.parametrize("part", ["host", "addresses", "mac_addresses", "main_address", "uptime_seconds"])
def test_a_reading_that_raises_costs_only_itself(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever one of the readings raises, the others are there, and the thread ends in order."""
    monkeypatch.setattr(PortableReadings, "mac_addresses", lambda *_: {"eth0": "02:00:00:00:00:01"})
    monkeypatch.setattr(PortableReadings, "main_address", lambda _: "192.0.2.1")
    monkeypatch.setattr(PortableReadings, part, lambda *_: 1 / 0)
    errors = UnexpectedErrors()
    inventory = Inventory(SETTINGS, session="a", readings=PortableReadings(), collectors=[], errors=errors)
    wait_for(lambda: errors.total == 1, "the error")
    inventory.look()
    info = inventory.info({}, time=1.0, conflict=None)
    told = {
        "host": info.kernel,
        "addresses": info.addresses,
        "mac_addresses": info.mac_addresses,
        "main_address": info.main_address,
        "uptime_seconds": inventory.uptime_seconds,
    }
    assert {name for name, value in told.items() if value is UNSET} == {part}


class Frozen(PortableReadings):
    """A host that answers when it is let."""

    def __init__(self, released: threading.Event) -> None:
        self.boot_time = 1000.0
        self.asked = 0
        self._released = released

    def host(self) -> HostReading:
        """Wait, and answer."""
        self.asked += 1
        self._released.wait(60)
        return HostReading(None, "Linux 6.1", None, None, None, None, self.boot_time, None, None)


def test_devices_are_named_by_group() -> None:
    """Devices are those of the newest messages, in order."""
    assert devices_of(
        {
            "disk": Disk(time=1, tick=1, devices={"sdb": DiskDevice(), "sda": DiskDevice()}),
            "sensor": Sensor(
                time=1, tick=1, temperatures={"k10temp/Tctl": Temperature()}, fans={"nct/fan1": Fan()}
            ),
            "cpu": Cpu(time=1, tick=1),
        }
    ) == {"disk": ["sda", "sdb"], "sensor": ["k10temp/Tctl", "nct/fan1"]}
