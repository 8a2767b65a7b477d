import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.recording import Recording, agent_process, recording
from fleetglass.agent.agent import run
from fleetglass.agent.collectors import Collector
from fleetglass.agent.collectors.custom import CustomFolder
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import encode
from fleetglass.wire.payloads import GROUPS, Cpu, Demand, Group, Network, NetworkInterface
from support.mosquitto import Mosquitto
from support.programs import REPOSITORY
from support.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.broker


class Scripted:
    """A collector that does what it is told."""

    def __init__(self, group: str, act: Callable[[float, int], Group]) -> None:
        self.group = group
        self.interval = 0.0
        self._act = act

    def collect(self, time: float, tick: int) -> Group:
        """Act."""
        return self._act(time, tick)


@contextmanager
def running(broker: Mosquitto, prefix: str, *collectors: Collector, **told: Any) -> Iterator[Recording]:
    """Run an agent in a thread of this process."""
    settings = AgentSettings(
        broker=BrokerAccess(url=BrokerURL("127.0.0.1", broker.port)),
        host_id="web-1",
        prefix=prefix,
        interval=0.5,
        **told,
    )
    stop = threading.Event()
    with recording(broker.port, prefix) as witness:
        thread = threading.Thread(
            target=run, args=(settings, stop), kwargs={"collectors": collectors or None}, daemon=True
        )
        thread.start()
        try:
            yield witness
        finally:
            stop.set()
            thread.join(5)
            assert not thread.is_alive()


LEAVING_SECONDS = 10.0
"""Three on a quiet machine."""


def steady(time: float, tick: int) -> Group:
    return Cpu(time=time, tick=tick, total_percent=12.5)


def test_a_real_host_is_published(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A real agent publishes its groups, a summary, its inventory and its status, and logs two lines."""
    log = tmp_path / "log"
    with recording(mosquitto.port, prefix) as witness:
        with agent_process(mosquitto.url, prefix, log) as process:
            first = witness.wait("pulse")[0]
            witness.wait("pulse", 3)
            info = witness.wait("info")[0].payload
            assert {"cpu", "memory", "network", "process", "collector"} <= set(info["groups"]) <= set(GROUPS)
            assert first.payload["process_count"] > 1
            assert first.payload["uptime_seconds"] > 0
            assert 0 < first.payload["memory_percent"] < 100
            report = witness.wait("live/collector")[0].payload
            assert {one["state"] for one in report["collectors"].values()} == {"ok"}
            assert report["resident_bytes"] > 2**20
            with recording(mosquitto.port, prefix) as later:
                assert later.wait("summary")[0].retained
            stopping = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 0
            assert time.monotonic() - stopping < LEAVING_SECONDS
        witness.wait_status("stopped")
    assert len(log.read_text().splitlines()) == 2


def test_a_killed_agent_is_lost(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """After kill -9 the broker says lost in the name of the same session, retained."""
    with recording(mosquitto.port, prefix) as witness:
        with agent_process(mosquitto.url, prefix, tmp_path / "log") as process:
            session = witness.wait_status("online").payload["session"]
            process.kill()
            assert witness.wait_status("lost").payload["session"] == session
        with recording(mosquitto.port, prefix) as later:
            assert later.wait_status("lost").retained


def test_the_first_cpu_sample_is_real(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """While this test keeps a core busy, the first pulse and the first process list already show it."""
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log"),
    ):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not witness.of("live/process") and time.monotonic() < deadline:
            sum(range(10_000))
        assert witness.wait("pulse")[0].payload["cpu_percent"] > 0
        assert max(witness.wait("live/cpu")[0].payload["core_percents"]) > 20
        assert witness.wait("live/process")[0].payload["top_cpu"][0]["cpu_percent"] > 20


def test_ticks_follow_each_other_on_the_clock(mosquitto: Mosquitto, prefix: str) -> None:
    """Ticks are numbered without a gap, come at their interval, and end with the agent's own report."""
    with running(mosquitto, prefix, Scripted("cpu", steady)) as witness:
        pulses = witness.wait("pulse", 5)
        witness.wait("live/collector", 5)
        ticks = [one.payload["tick"] for one in pulses]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
        assert pulses[4].payload["time"] - pulses[1].payload["time"] == pytest.approx(1.5, abs=0.25)
        assert pulses[0].payload["cpu_percent"] == 12.5
        second = [
            one.topic for one in witness.messages if one.payload.get("tick") == 2 and one.topic != "info"
        ]
        assert second == ["pulse", "live/cpu", "live/collector"]


def test_a_failing_collector_harms_nothing_else(mosquitto: Mosquitto, prefix: str) -> None:
    """Its group is missing and its reason is told, the other groups and all ticks are there."""

    def fail(*_: object) -> Group:
        raise OSError(5, "no such sensor")

    with running(mosquitto, prefix, Scripted("sensor", fail), Scripted("cpu", steady)) as witness:
        report = witness.wait("live/collector", 3)[2].payload
        assert report["tick"] == 3
        assert report["collectors"]["sensor"]["state"] == "failed"
        assert "no such sensor" in report["collectors"]["sensor"]["reason"]
        assert report["collectors"]["cpu"]["state"] == "ok"
        assert witness.of("live/sensor") == []
        assert len(witness.of("live/cpu")) >= 3


def test_a_hanging_collector_harms_nothing_else(mosquitto: Mosquitto, prefix: str) -> None:
    """A collector that never returns is late, every tick comes all the same, and the agent still ends."""
    release = threading.Event()

    def hang(time: float, tick: int) -> Group:
        release.wait(30)
        return Group(time=time, tick=tick)

    try:
        with running(mosquitto, prefix, Scripted("filesystem", hang), Scripted("cpu", steady)) as witness:
            reports = witness.wait("live/collector", 4)
            assert [one.payload["tick"] for one in reports[:4]] == [1, 2, 3, 4]
            assert reports[3].payload["collectors"]["filesystem"]["state"] == "late"
            assert reports[3].payload["skipped_ticks"] == 0
            assert len(witness.of("live/cpu")) >= 4
    finally:
        release.set()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_uptime_that_hangs_holds_up_no_tick(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """Where the file of another host's uptime never answers, every tick comes without it."""
    root = tmp_path / "root"
    shutil.copytree(REPOSITORY / "tests" / "fixtures" / "server", root)
    uptime = root / "proc" / "uptime"
    uptime.unlink()
    os.mkfifo(uptime)
    with running(mosquitto, prefix, Scripted("cpu", steady), root=str(root)) as witness:
        pulses = witness.wait("pulse", 4)
        assert [one.payload["tick"] for one in pulses[:4]] == [1, 2, 3, 4]
        assert "uptime_seconds" not in pulses[3].payload
        assert witness.wait("info")[0].payload["machine_id_hash"]
    os.close(os.open(uptime, os.O_RDWR))


def test_what_is_too_large_for_a_message_is_told_in_part(mosquitto: Mosquitto, prefix: str) -> None:
    """Of more interfaces than fit some are sent, and the headline is of all; the inventory fits as well."""

    def crowd(time: float, tick: int) -> Group:
        names = [f"interface-with-a-long-name-{number}" for number in range(2000)]
        return Network(
            time=time,
            tick=tick,
            interfaces={name: NetworkInterface(receive_bytes_per_second=1) for name in names},
            receive_bytes_per_second=2000,
        )

    with running(mosquitto, prefix, Scripted("network", crowd), Scripted("cpu", steady)) as witness:
        report = witness.wait("live/collector")[0].payload
        assert "of 2000 interfaces" in report["collectors"]["network"]["reason"]
        assert 100 < len(witness.wait("live/network")[0].payload["interfaces"]) < 2000
        assert witness.of("pulse")[0].payload["network_receive_bytes_per_second"] == 2000
        info = witness.wait("info")[0].payload
        assert "devices" not in info
        assert info["groups"]["network"]["fields"]


def test_a_name_that_cannot_be_written_costs_only_its_group(mosquitto: Mosquitto, prefix: str) -> None:
    """A lone surrogate in a name loses that group, and nothing else."""

    def broken(time: float, tick: int) -> Group:
        return Network(time=time, tick=tick, interfaces={"\udcff": NetworkInterface()})

    with running(mosquitto, prefix, Scripted("network", broken), Scripted("cpu", steady)) as witness:
        report = witness.wait("live/collector")[0].payload
        assert report["collectors"]["network"]["state"] == "failed"
        assert witness.wait("live/cpu")


def test_ticks_go_on_while_the_broker_is_away(own_mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """After the broker came back the same session goes on with a later tick, and counts what was dropped."""
    with agent_process(own_mosquitto.url, prefix, tmp_path / "log"):
        with recording(own_mosquitto.port, prefix) as witness:
            before = witness.wait("pulse")[0].payload
            witness.wait_status("online")
            own_mosquitto.kill()
        own_mosquitto.start()
        with recording(own_mosquitto.port, prefix) as witness:
            after = witness.wait("pulse")[0].payload
            assert after["session"] == before["session"]
            assert after["tick"] > before["tick"]
            witness.wait_status("online")
            wait_for(
                lambda: witness.of("live/collector") and witness.of("live/collector")[0].payload, "own report"
            )
    lines = (tmp_path / "log").read_text().splitlines()
    assert sum("connection lost" in line for line in lines) == 1
    assert sum(line.endswith(": connected") for line in lines) == 1


def test_an_agent_without_a_broker_ends_in_time(tmp_path: Path, prefix: str) -> None:
    """An agent that never had a connection ends within 3 s, after one line that says why."""
    log = tmp_path / "log"
    with agent_process("mqtt://127.0.0.1:1", prefix, log) as process:
        wait_for(lambda: "cannot be reached" in log.read_text(), "the reason in the log")
        stopping = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert time.monotonic() - stopping < LEAVING_SECONDS
    assert "Traceback" not in log.read_text()


def test_a_lease_hastens_a_slow_group(mosquitto: Mosquitto, prefix: str) -> None:
    """While a lease runs, a slow group is sampled at every tick; nonsense on the topic harms nothing."""
    slow = Scripted("process", steady)
    slow.interval = 60.0
    with running(mosquitto, prefix, slow, demand=True) as witness:
        witness.wait("live/process")
        assert witness.wait("info")[0].payload["demand"] is True
        topic = f"{prefix}/web-1/demand"
        witness.client.publish(topic, "nonsense")
        lease = Demand(time=time.time(), holder="me", groups=["process"])
        witness.client.publish(topic, encode(lease), qos=1)
        ticks = [one.payload["tick"] for one in witness.wait("live/process", 4)]
        assert ticks[3] == ticks[1] + 2


def test_an_agent_takes_no_leases_by_default(mosquitto: Mosquitto, prefix: str) -> None:
    """It reads nothing but its own status, and does not say that it takes leases."""
    slow = Scripted("process", steady)
    slow.interval = 60.0
    with running(mosquitto, prefix, slow) as witness:
        lease = Demand(time=time.time(), holder="me", groups=["process"])
        witness.client.publish(f"{prefix}/web-1/demand", encode(lease), qos=1, retain=True)
        witness.wait("pulse", 4)
        assert len(witness.of("live/process")) == 1
        assert "demand" not in witness.wait("info")[0].payload
        witness.client.publish(f"{prefix}/web-1/demand", b"", qos=1, retain=True).wait_for_publish(
            PATIENCE_SECONDS
        )


@pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")
def test_own_metrics_are_groups_like_any_other(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A program's values come with their units in the inventory; one may be added at any time.

    One that hangs harms no tick, and ends with the agent.
    """
    folder = tmp_path / "custom.d"
    folder.mkdir(mode=0o755)

    def put(name: str, script: str) -> None:
        made = tmp_path / "made"
        made.write_text(f"#!/bin/sh\n{script}\n")
        made.chmod(0o755)
        made.rename(folder / name)

    put("room.1s.sh", 'echo \'{"air_celsius": 21.5, "door": "open"}\'')
    put(
        "hang.60s",
        f"setsid sh -c 'echo $$ > {tmp_path}/daemon; sleep 600' & echo $$ > {tmp_path}/pid; sleep 600",
    )
    put("broken.1s", "echo no bus >&2; exit 1")
    if sys.platform == "linux":
        (folder / os.fsdecode(b"caf\xe9")).touch()  # a name that no message can carry
    with running(mosquitto, prefix, Scripted("cpu", steady), CustomFolder(folder)) as witness:
        room = witness.wait("live/custom-room", 2)[1].payload
        assert {"time", "tick", "air_celsius", "door"} == room.keys()

        def told() -> Any:
            return witness.of("info") and witness.of("info")[-1].payload["groups"].get("custom-room")

        assert wait_for(told, "the group in the inventory") == {
            "interval_seconds": 1.0,
            "fields": {"air_celsius": {"unit": "celsius"}},
        }

        def report() -> Any:
            return (
                witness.of("live/collector")[-1].payload["collectors"].get("custom-broken", {}).get("reason")
            )

        assert wait_for(report, "the reason") == "ended with exit code 1: no bus"
        put("later", "echo 7")
        assert witness.wait("live/custom-later")[0].payload["value"] == 7
        ticks = [one.payload["tick"] for one in witness.of("pulse")]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
        assert witness.of("live/custom-hang") == []
        pid_file = tmp_path / "pid"
        pid = int(wait_for(lambda: pid_file.exists() and pid_file.read_text().strip(), "the one that hangs"))
        daemon_file = tmp_path / "daemon"
        daemon = int(wait_for(lambda: daemon_file.exists() and daemon_file.read_text().strip(), "its daemon"))

    def gone(pid: int) -> bool:
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{pid}").exists() and not Path(f"/proc/{pid}/cmdline").read_bytes()

    wait_for(lambda: gone(pid), "the end of the program that hangs")
    if sys.platform == "linux":
        wait_for(lambda: gone(daemon), "the end of its daemon, in a session of its own")


@pytest.mark.parametrize(
    "function",
    ["nvmlInit", "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetComputeRunningProcesses"],
)
def test_a_driver_that_hangs_costs_only_its_group(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, function: str
) -> None:
    """Wherever the library of a GPU never returns, pulses and other groups go on, and the agent ends."""
    root = tmp_path / "root"
    shutil.copytree(REPOSITORY / "tests/fixtures/server", root)
    (root / "proc/driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)
    hanging = tmp_path / "modules/pynvml.py"
    hanging.parent.mkdir()
    hanging.write_text(
        "import pathlib, sys, threading\n"
        "from agent.fake_nvml import FakeNvml\n"
        "class Hanging(FakeNvml):\n"
        "    pass\n"
        "def hang(*_):\n"
        f"    pathlib.Path({str(tmp_path / 'hangs')!r}).touch()\n"
        "    threading.Event().wait()\n"
        f"Hanging.{function} = hang\n"
        "sys.modules[__name__] = Hanging('00000000:01:00.0')\n"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(hanging.parent), str(REPOSITORY / "tests")])
    }
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log", root=root, environment=environment) as process,
    ):
        wait_for((tmp_path / "hangs").exists, "the library hangs")
        pulses, groups = len(witness.of("pulse")), len(witness.of("live/memory"))
        witness.wait("pulse", pulses + 4)
        witness.wait("live/memory", groups + 4)
        ticks = [one.payload["tick"] for one in witness.of("pulse")]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
        gpus = [one.payload["devices"]["0000:01:00.0"] for one in witness.of("live/gpu")]
        if function.endswith("Processes"):
            assert gpus[-1]["temperature_celsius"] == 61
            assert "processes" not in gpus[-1]
        else:
            assert gpus == []
        stopping = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        assert time.monotonic() - stopping < LEAVING_SECONDS
