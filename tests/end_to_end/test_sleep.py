"""A host that sleeps and wakes: real agent, broker, bridge and D-Bus daemon, a login manager of ours."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.recording import recording
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.system_bus import BusDaemon, Systemd, missing_daemon
from support.waiting import wait_for

pytestmark = pytest.mark.broker


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    if (needed := missing_daemon()) is not None:
        pytest.skip(f"needs a D-Bus daemon: {needed}")
    with BusDaemon() as bus, Systemd(bus.address, failed_units=2) as systemd:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield systemd


@pytest.fixture
def agent(systemd: Systemd, own_mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Fleetglass]:
    with Fleetglass("agent", "--broker", own_mosquitto.url, "--host-id", "web-1", home=tmp_path) as agent:
        wait_for(lambda: systemd.locks == 1, "a lock")
        yield agent


def host_at(base: str) -> dict[str, Any]:
    """Return what a bridge tells of the host."""
    with urllib.request.urlopen(f"{base}api/hosts") as answer:
        hosts = json.loads(answer.read())["hosts"]
    return next((host for host in hosts if host["id"] == "web-1"), {"state": None})


def test_a_closed_laptop_is_suspended_and_comes_back(
    systemd: Systemd, agent: Fleetglass, own_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """While it stands still nobody calls it late or lost; it tells the failed units before and after."""
    port = free_port()
    states: list[str] = []
    with (
        Fleetglass("bridge", "--broker", own_mosquitto.url, "--port", str(port), home=tmp_path),
        recording(own_mosquitto.port, "fleet") as witness,
    ):
        base = wait_for_page(port)

        def is_now(state: str) -> bool:
            if states[-1:] != [now := host_at(base)["state"]]:
                states.append(now)
            return bool(now == state)

        wait_for(lambda: host_at(base).get("pulse", {}).get("failed_units") == 2, "failed units")
        wait_for(lambda: is_now("live"), "the host")
        states.clear()
        systemd.sleep()
        os.kill(agent.pid, signal.SIGSTOP)
        wait_for(lambda: is_now("suspended"), "the sleep")
        until = time.monotonic() + 4  # after 2.5 s of silence a host is late otherwise
        while time.monotonic() < until:
            assert is_now("suspended")
        os.kill(agent.pid, signal.SIGCONT)
        heard = witness.of("pulse")[-1].payload["tick"]
        woken = systemd.prepare_for_sleep(False)
        witness.wait_status("online", after=woken)
        wait_for(lambda: is_now("live") and witness.of("pulse")[-1].payload["tick"] > heard, "the host")
        assert states in (["suspended", "live"], ["live", "suspended", "live"])
        assert "lost" not in {one.payload["state"] for one in witness.of("status")}
        wait_for(lambda: systemd.locks == 1, "another lock")


def test_a_sleep_waits_for_the_acknowledgement(
    systemd: Systemd, agent: Fleetglass, own_mosquitto: Mosquitto
) -> None:
    """The lock is held while the broker owes it; when it is gone the broker has kept `suspended`."""
    with recording(own_mosquitto.port, "fleet") as witness:
        witness.wait("pulse")
    own_mosquitto.freeze()
    systemd.prepare_for_sleep(True)
    time.sleep(0.5)  # to see that nothing happens
    held = systemd.locks
    own_mosquitto.thaw()
    wait_for(lambda: systemd.locks == 0, "the end of the lock")
    with recording(own_mosquitto.port, "fleet") as later:
        assert later.wait("status")[0].payload["state"] == "suspended"
    assert (held, agent.output.count("goes to sleep")) == (1, 1)


@pytest.mark.parametrize("fault", ["freeze", "kill"])
def test_a_sleep_does_not_wait_for_a_broker_that_is_away(
    systemd: Systemd, agent: Fleetglass, own_mosquitto: Mosquitto, fault: str
) -> None:
    """The lock ends after about 2 s at most, before the login manager loses patience; the host comes back."""
    with recording(own_mosquitto.port, "fleet") as witness:
        witness.wait("pulse")
    getattr(own_mosquitto, fault)()
    assert systemd.sleep() < 4
    own_mosquitto.thaw() if fault == "freeze" else own_mosquitto.start()
    systemd.prepare_for_sleep(False)
    with recording(own_mosquitto.port, "fleet") as witness:
        witness.wait("pulse", 2)
        witness.wait_status("online")
    assert "Traceback" not in agent.output
