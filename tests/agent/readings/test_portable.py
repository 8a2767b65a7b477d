import os
import sys

import pytest

from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.readings import Readings
from fleetglass.agent.readings.portable import PortableReadings
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import decode, encode
from fleetglass.wire.payloads import GROUPS, Group

SETTINGS = AgentSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), host_id="web-1")


def test_every_group_works_with_what_psutil_gives() -> None:
    """Windows and macOS are read by psutil alone; every message fits the contract there too."""
    readings: Readings = PortableReadings()
    for collector in default_collectors(SETTINGS, readings):
        collector.collect(1.0, 1)
        message = collector.collect(2.0, 2)
        if message is not None:
            assert isinstance(message, Group)
            assert decode(encode(message), GROUPS[collector.group]) == message
        else:
            assert collector.group in {"sensor", "power", "gpu"}


def test_this_process_is_found() -> None:
    """The test's own process is listed with its owner and its memory."""
    own = PortableReadings().processes().processes[os.getpid()]
    assert own.resident_bytes > 2**20
    assert PortableReadings().owner(os.getpid())
    assert PortableReadings().full_name(os.getpid(), own.name) == own.name


def test_the_host_is_described() -> None:
    """What does not change is told as psutil and the system know it."""
    host = PortableReadings().host()
    assert host.logical_cores == os.cpu_count()
    assert host.boot_time
    assert host.kernel
    assert PortableReadings().own_resident_bytes() > 2**20
    assert (PortableReadings().uptime_seconds() or 0) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="names another system's gaps")
def test_what_a_system_lacks_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sensors, frequency, load and battery nothing is told, and nothing fails."""
    import psutil  # only where it is changed

    for name in ("cpu_freq", "sensors_battery", "sensors_temperatures", "sensors_fans"):
        monkeypatch.delattr(psutil, name)
    monkeypatch.delattr(os, "getloadavg")
    readings = PortableReadings()
    assert readings.frequency() is None
    assert readings.load() is None
    assert readings.batteries() == []
    assert readings.sensors() == ([], [])
    assert readings.tcp() is None
    assert readings.pressure("cpu") is None
