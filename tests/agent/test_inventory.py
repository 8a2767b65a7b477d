import os

import psutil
import pytest
from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.inventory import Inventory, devices_of
from fleetglass.agent.readings import host_readings
from fleetglass.agent.settings import AgentSettings
from fleetglass.wire import BrokerAccess, BrokerURL, decode, encode
from fleetglass.wire.payloads import Cpu, Disk, DiskDevice, Fan, Info, Memory, Sensor, Temperature

SETTINGS = AgentSettings(
    broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), host_id="web-1", interval=2.0, tags=("rack-7",)
)


@pytest.fixture
def inventory() -> Inventory:
    return Inventory(
        SETTINGS, session="abc", readings=host_readings(), collectors=default_collectors(SETTINGS)
    )


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
