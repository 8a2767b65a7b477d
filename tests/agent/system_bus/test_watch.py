import functools
import logging
import operator
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress, HeaderFields, new_signal
from jeepney.io.blocking import open_dbus_connection
from msgspec import UNSET

from fleetglass.agent.system_bus import bus as bus_module
from fleetglass.agent.system_bus import watch as watch_module
from fleetglass.agent.system_bus.watch import SystemWatch, address_of
from support.system_bus import BusDaemon, Systemd, missing_daemon
from support.waiting import wait_for


class Sleeper:
    """Notes what it is told; `gate` lets a host go to sleep."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def suspend(self) -> None:
        """Note it, and return when the gate is open."""
        self.gate.wait(30)
        self.told.append("suspend")

    def resume(self) -> None:
        """Note it."""
        self.told.append("resume")


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def bus() -> Iterator[BusDaemon]:
    if (needed := missing_daemon()) is not None:
        pytest.skip(f"needs a D-Bus daemon: {needed}")
    with BusDaemon() as daemon:
        yield daemon


def watching(sleeper: Sleeper, bus: BusDaemon) -> SystemWatch:
    return SystemWatch(sleeper, root=bus.root, environment={})


def test_the_address_is_that_of_the_host(tmp_path: Path) -> None:
    """The socket below the root, where it is there; another one when the environment names it."""
    assert address_of(tmp_path, {}) is None
    socket = tmp_path / "run/dbus/system_bus_socket"
    socket.parent.mkdir(parents=True)
    socket.touch()
    assert address_of(tmp_path, {"DBUS_SYSTEM_BUS_ADDRESS": ""}) == f"unix:path={socket}"
    assert address_of(tmp_path, {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/a"}) == "unix:path=/a"


def test_a_sleep_waits_until_it_was_told(bus: BusDaemon, sleeper: Sleeper) -> None:
    """The lock is held until the sleeper returns; after waking there is another. Told twice counts once."""
    with Systemd(bus.address) as systemd, watching(sleeper, bus):
        for _ in range(2):
            wait_for(lambda: systemd.locks == 1, "a lock")
            sleeper.gate.clear()
            systemd.prepare_for_sleep(True, times=2)
            time.sleep(0.1)  # to see that nothing happens
            assert systemd.locks == 1
            sleeper.gate.set()
            wait_for(lambda: systemd.locks == 0, "the end of the lock")
            systemd.prepare_for_sleep(False, times=2)
        wait_for(lambda: systemd.locks == 1, "a lock")
        assert sleeper.told == ["suspend", "resume"] * 2
        asked = [values for member, values in systemd.asked if member == "Inhibit"]
        assert {(what, who, mode) for what, who, _, mode in asked} == {("sleep", "fleetglass", "delay")}
    assert sleeper.told == ["suspend", "resume"] * 2


def test_the_lock_is_not_inherited(bus: BusDaemon, sleeper: Sleeper) -> None:
    """A program that the agent starts keeps no host awake."""
    with Systemd(bus.address) as systemd, watching(sleeper, bus) as watch:
        wait_for(lambda: systemd.locks == 1, "a lock")
        assert watch._lock is not None
        assert not os.get_inheritable(watch._lock)


def test_an_agent_that_ends_holds_no_lock(bus: BusDaemon, sleeper: Sleeper) -> None:
    """Nothing is left behind: neither the lock nor the thread."""
    with Systemd(bus.address) as systemd:
        with watching(sleeper, bus) as watch:
            wait_for(lambda: systemd.locks == 1, "a lock")
        assert systemd.locks == 0
        assert watch._thread is not None
        assert not watch._thread.is_alive()


def test_a_login_manager_that_is_busy_is_asked_again(
    bus: BusDaemon, sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not answer in time has not refused the lock."""
    monkeypatch.setattr(watch_module, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(bus_module, "_ANSWER_SECONDS", 0.05)
    with Systemd(bus.address, silent=2) as systemd, watching(sleeper, bus):
        wait_for(lambda: systemd.locks == 1, "a lock")
        assert [member for member, _ in systemd.asked].count("Inhibit") >= 3


def test_a_lock_that_is_refused_is_named_at_the_first_sleep(
    bus: BusDaemon, sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    """Hosts that never sleep need no word of it; the sleep is told all the same, and nobody asks again."""
    refusal = "org.freedesktop.DBus.Error.AccessDenied"
    with Systemd(bus.address, refuse=refusal) as systemd, watching(sleeper, bus):
        wait_for(lambda: systemd.asked[-1:] and systemd.asked[-1][0] == "Get", "all questions")
        assert caplog.messages == []
        for told in (["suspend", "resume"], ["suspend", "resume"] * 2):
            systemd.prepare_for_sleep(True)
            systemd.prepare_for_sleep(False)
            wait_for(functools.partial(operator.eq, sleeper.told, told), "the sleep and the waking")
        assert [member for member, _ in systemd.asked].count("Inhibit") == 1
    [line] = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.endswith(f": {refusal}: Permission denied")


def test_a_bus_that_ends_in_a_sleep_ends_it_and_is_found_again(
    bus: BusDaemon,
    sleeper: Sleeper,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody would tell of the waking; with another bus there is another lock, and nothing is logged."""
    monkeypatch.setattr(watch_module, "_LOOK_SECONDS", 0.05)
    with watching(sleeper, bus) as watch:
        with Systemd(bus.address, failed_units=2) as systemd:
            wait_for(lambda: watch.failed_units == 2 and systemd.locks == 1, "failed units and a lock")
            systemd.sleep()
            bus.kill()
            wait_for(lambda: sleeper.told == ["suspend", "resume"], "the end of the sleep")
        assert watch.failed_units is UNSET
        bus.start()
        with Systemd(bus.address) as systemd:
            wait_for(lambda: systemd.locks == 1, "a lock again")
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_a_waking_that_was_missed_is_noticed(
    bus: BusDaemon, sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login manager is asked from time to time whether the sleep goes on."""
    monkeypatch.setattr(watch_module, "_ASLEEP_LOOK_SECONDS", 0.05)
    with Systemd(bus.address) as systemd, watching(sleeper, bus):
        wait_for(lambda: systemd.locks == 1, "a lock")
        systemd.sleep()
        wait_for(lambda: systemd.asked.count(("Get", PREPARING)) >= 2, "the question")
        assert sleeper.told == ["suspend"]
        systemd.is_preparing = False
        wait_for(lambda: sleeper.told == ["suspend", "resume"], "the waking")


PREPARING = ("org.freedesktop.login1.Manager", "PreparingForSleep")


def test_only_the_login_manager_is_believed(bus: BusDaemon, sleeper: Sleeper) -> None:
    """Anybody on the bus may send anybody a signal, and must not hide a host so."""
    with Systemd(bus.address) as systemd, watching(sleeper, bus) as watch:
        wait_for(lambda: systemd.locks == 1, "a lock")
        assert watch._bus is not None
        manager = DBusAddress("/org/freedesktop/login1", interface="org.freedesktop.login1.Manager")
        signal = new_signal(manager, "PrepareForSleep", "b", (True,))
        signal.header.fields[HeaderFields.destination] = watch._bus._connection.unique_name  # its destination
        with open_dbus_connection(bus.address) as somebody:
            somebody.send(signal)
            somebody.bus_proxy.GetId()  # the bus has passed on what came before
            systemd.prepare_for_sleep(False)
            wait_for(lambda: systemd.locks == 1, "the lock as before")
            systemd.sleep()
        assert sleeper.told == ["suspend"]


@pytest.mark.parametrize("names", [(), ("org.freedesktop.systemd1",), ("org.freedesktop.login1",)])
def test_a_bus_without_all_of_systemd(
    bus: BusDaemon,
    sleeper: Sleeper,
    names: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not there is not missed, and is found when it comes."""
    monkeypatch.setattr(watch_module, "_LOOK_SECONDS", 0.05)
    with watching(sleeper, bus) as watch:
        with Systemd(bus.address, names=names, failed_units=3) as systemd:
            if "org.freedesktop.systemd1" in names:
                wait_for(lambda: watch.failed_units == 3, "failed units")
            if "org.freedesktop.login1" in names:
                wait_for(lambda: systemd.locks == 1, "a lock")
            assert watch.failed_units == (3 if "org.freedesktop.systemd1" in names else UNSET)
        with Systemd(bus.address, failed_units=4):
            wait_for(lambda: watch.failed_units == 4, "failed units")
    assert caplog.messages == []


@pytest.mark.parametrize("address", ["", "unix:path=/nowhere/bus", "tcp:host=127.0.0.1,port=9", "nonsense"])
def test_a_host_without_a_bus(
    sleeper: Sleeper, tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A container, or a bus that cannot be reached: nothing happens, and nothing is logged."""
    with SystemWatch(sleeper, root=tmp_path, environment={"DBUS_SYSTEM_BUS_ADDRESS": address}) as watch:
        assert (watch._thread is None) == (address == "")
    assert (sleeper.told, watch.failed_units) == ([], UNSET)
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
