import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetglass.cli.recorder.player import STOPPED_SECONDS
from fleetglass.cli.recorder.recording import Header, Recorded, RecordingWriter
from support.bridge import running_bridge
from support.listener import listening, retained
from support.mosquitto import Mosquitto
from support.waiting import wait_for

pytestmark = pytest.mark.broker

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]
THEN = 1_700_000_000.0
"""When it was recorded."""

INFO = {
    "session": "s",
    "host_name": "web-1",
    "agent_version": "1",
    "interval_seconds": 1.0,
    "groups": {},
    "tags": ["db"],
    "synthetic": True,
}


def said(after: float, topic: str, *, retained: bool = False, **fields: Any) -> Recorded:
    stamp = {"time": THEN + after, "session": "s"}
    return Recorded(after, topic, json.dumps(stamp | fields).encode(), retained=retained)


def incident(seconds: int, *hosts: str) -> list[Recorded]:
    """Return hosts that live for so long, a pulse and a group every second."""
    messages = []
    for host in hosts:
        messages += [
            said(0, f"{host}/status", state="online", retained=True),
            said(0, f"{host}/info", retained=True, **INFO),
        ]
    for second in range(seconds):
        for host in hosts:
            messages += [
                said(second + 0.5, f"{host}/pulse", tick=second, cpu_percent=second),
                said(second + 0.5, f"{host}/live/cpu", tick=second),
            ]
    return messages


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Give what writes a recording and returns its name."""

    def write(*messages: Recorded, cut: int | None = None) -> str:
        writer = RecordingWriter(Header(version="1", prefix="fleet", started=THEN))
        data = b""
        for message in messages:
            writer.add(message)
            data += writer.flush()
        path = tmp_path / "incident.rec"
        path.write_bytes((data + writer.end())[:cut])
        return str(path)

    return write


def test_comes_again_as_if_now(run: Run, mosquitto: Mosquitto, prefix: str, file: Callable[..., str]) -> None:
    """Messages come in their order, spaced as they were by the speed, fresh, `info` marked as a replay."""
    name = file(*incident(8, "web-1"))
    with listening(mosquitto, prefix) as listener:
        result = run("replay", name, "--broker", mosquitto.url, "--prefix", prefix, "--speed", "4")
        wait_for(lambda: listener.of("web-1/status")[-1][1] is None, "the end")
    assert result.returncode == 0, result.stderr
    assert "replayed 18 messages of 1 hosts in 1." in result.stdout
    assert "(they came within 7.5 s)" in result.stdout
    pulses = listener.of("web-1/pulse")
    assert [pulse["cpu_percent"] for _, pulse in pulses] == list(range(8))
    assert 1.5 < pulses[-1][0] - pulses[0][0] < 2.5
    assert all(abs(at - pulse["time"]) < 1 for at, pulse in pulses)
    assert 1.5 < pulses[-1][1]["time"] - pulses[0][1]["time"] < 2.5
    info = listener.of("web-1/info")[0][1]
    assert info == INFO | {"tags": ["replay", "db"], "time": info["time"]}


def test_what_it_leaves(run: Run, mosquitto: Mosquitto, prefix: str, file: Callable[..., str]) -> None:
    """At the end each host says goodbye, as agents do, and nothing of it stays on the broker."""
    name = file(*incident(1, "web-1", "web-2"), said(0.6, "web-2/status", state="lost"))
    with listening(mosquitto, prefix) as listener:
        run("replay", name, "--broker", mosquitto.url, "--prefix", prefix)
        wait_for(lambda: listener.of("web-2/status")[-1][1] is None, "the end")
    states = [(payload or {}).get("state") for _, payload in listener.of("web-1/status")]
    assert states == ["online", "stopped", None]
    assert [(payload or {}).get("state") for _, payload in listener.of("web-2/status")] == [
        "online",
        "lost",
        None,
    ]
    (_, goodbye), (cleared_at, _) = listener.of("web-1/status")[1:]
    assert goodbye["session"] == "s"
    assert cleared_at - goodbye["time"] >= STOPPED_SECONDS - 0.1
    with listening(mosquitto, prefix) as later:
        pass
    assert later.heard == []


def test_keep(run: Run, mosquitto: Mosquitto, prefix: str, file: Callable[..., str]) -> None:
    """With --keep the hosts stay, as stopped."""
    name = file(*incident(1, "web-1"))
    run("replay", name, "--broker", mosquitto.url, "--prefix", prefix, "--keep")
    with listening(mosquitto, prefix) as later:
        wait_for(lambda: len(later.heard) == 2, "what stayed")
    assert later.of("web-1/status")[0][1]["state"] == "stopped"
    assert all(retained for *_, retained in later.heard)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal(
    start: Start, mosquitto: Mosquitto, prefix: str, file: Callable[..., str], number: signal.Signals
) -> None:
    """It ends within 3 s, and clears up all the same."""
    name = file(*incident(60, "web-1"))
    with listening(mosquitto, prefix) as listener:
        replay = start("replay", name, "--broker", mosquitto.url, "--prefix", prefix)
        wait_for(lambda: len(listener.of("web-1/pulse")) > 1, "two pulses")
        replay.process.send_signal(number)
        assert replay.process.wait() == 0
        wait_for(lambda: listener.of("web-1/info")[-1][1] is None, "the end")
    assert [(payload or {}).get("state") for _, payload in listener.of("web-1/status")][1:] == [
        "stopped",
        None,
    ]
    assert retained(mosquitto, prefix) == set()


def test_many_hosts(run: Run, mosquitto: Mosquitto, prefix: str, file: Callable[..., str]) -> None:
    """They are cleared, however long the broker takes to confirm it."""
    name = file(*incident(1, *(f"web-{number}" for number in range(1500))))
    result = run("replay", name, "--broker", mosquitto.url, "--prefix", prefix)
    assert (result.returncode, result.stderr.count("\n")) == (0, 2)
    assert retained(mosquitto, prefix) == set()


def test_a_broker_that_is_gone_at_the_end(
    start: Start, own_mosquitto: Mosquitto, file: Callable[..., str]
) -> None:
    """Where nothing could be cleared, one line names the command that does it later."""
    name = file(*incident(60, "web-1"))
    with listening(own_mosquitto, "replay") as listener:
        replay = start("replay", name, "--broker", own_mosquitto.url)
        wait_for(lambda: listener.of("web-1/pulse"), "a pulse")
        own_mosquitto.kill()
    replay.process.terminate()
    assert replay.process.wait() == 1
    assert replay.err.splitlines()[-1] == (
        f"fleetglass: broker {own_mosquitto.url}: did not confirm that the hosts are cleared; to clear those "
        f"that remain: fleetglass forget '*' --broker {own_mosquitto.url} --prefix replay"
    )


def test_a_recording_that_was_cut_off(
    run: Run, mosquitto: Mosquitto, prefix: str, file: Callable[..., str]
) -> None:
    """It is played up to the cut, which is told in one line."""
    name = file(*incident(10, "web-1"), cut=-200)
    with listening(mosquitto, prefix) as listener:
        result = run("replay", name, "--broker", mosquitto.url, "--prefix", prefix, "--speed", "60")
        wait_for(lambda: listener.of("web-1/status")[-1][1] is None, "the end")
    assert result.returncode == 0
    assert 2 < len(listener.of("web-1/pulse")) < 10
    first, last = result.stdout.splitlines()
    assert first.startswith("the recording was cut off after ")
    assert first.endswith(" s; it was played up to there")
    assert last.startswith("replayed ")


def test_leases_and_strangers_are_not_played(
    run: Run, mosquitto: Mosquitto, prefix: str, file: Callable[..., str]
) -> None:
    """A lease, which would ask an agent for something, and topics that are no host's are left out."""
    others = [said(0, "web-1/demand"), said(0, "web-1/command/x"), said(0, "+/pulse"), said(0, "../../x")]
    name = file(*incident(1, "web-1"), *others)
    with listening(mosquitto, prefix) as listener:
        result = run("replay", name, "--broker", mosquitto.url, "--prefix", prefix)
        wait_for(lambda: listener.of("web-1/status")[-1][1] is None, "the end")
    assert result.returncode == 0
    assert {topic for _, topic, *_ in listener.heard} == {
        "web-1/status",
        "web-1/info",
        "web-1/pulse",
        "web-1/live/cpu",
    }


def test_a_broker_that_comes_back(start: Start, own_mosquitto: Mosquitto, file: Callable[..., str]) -> None:
    """What is retained is said again to a broker that had to start anew, and the replay goes on."""
    name = file(*incident(60, "web-1"))
    with listening(own_mosquitto, "replay") as listener:
        replay = start("replay", name, "--broker", own_mosquitto.url)
        wait_for(lambda: len(listener.of("web-1/pulse")) > 1, "two pulses")
        own_mosquitto.kill()
    own_mosquitto.start()
    with listening(own_mosquitto, "replay") as listener:
        wait_for(lambda: listener.of("web-1/info") and listener.of("web-1/pulse"), "the host again")
    replay.process.terminate()
    assert replay.process.wait() == 0


async def test_on_the_page(start: Start, mosquitto: Mosquitto, prefix: str, file: Callable[..., str]) -> None:
    """A bridge of its prefix shows the hosts live, and the past of the incident."""
    name = file(*incident(40, "web-1", "web-2"))
    async with running_bridge(mosquitto, prefix) as bridge, bridge.viewer(fleet=True) as viewer:
        replay = start("replay", name, "--broker", mosquitto.url, "--prefix", prefix, "--speed", "10")
        await viewer.next("host", id="web-1", state="live")
        await bridge.until_state("web-2", "live")
        await viewer.send(type="watch", hosts={"web-1": "*"}, history=60)
        history = await viewer.next("history", host="web-1")
        assert all(abs(pulse["time"] - time.time()) < 5 for pulse in history["samples"]["pulse"])
        live = await viewer.next("live", host="web-1")
        assert "cpu" in live["samples"]
        await viewer.next("host", id="web-1", state="stopped")
        await viewer.next("host", id="web-1", removed=True)
        assert await asyncio.to_thread(replay.process.wait) == 0


def test_what_was_recorded_really(
    run: Run, start: Start, mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """What `record` kept of a fleet, `replay` gives again, value by value."""
    simulate = start("simulate", "--broker", mosquitto.url, "--prefix", prefix, "--hosts", "3")
    name = str(tmp_path / "fleet.rec")
    recorded = run("record", name, "--broker", mosquitto.url, "--prefix", prefix, "--duration", "3")
    assert recorded.returncode == 0, recorded.stderr
    simulate.process.terminate()
    again = f"{prefix}/again"
    with listening(mosquitto, again) as listener:
        result = run("replay", name, "--broker", mosquitto.url, "--prefix", again, "--speed", "10")
        wait_for(lambda: listener.of("sim-0001/status")[-1][1] is None, "the end")
    count = int(recorded.stdout.split()[1])
    assert f"replayed {count} messages of 3 hosts" in result.stdout
    pulses = [pulse for _, pulse in listener.of("sim-0002/pulse")]
    assert len(pulses) in (2, 3, 4)
    assert pulses[0].keys() >= {"tick", "session", "cpu_percent", "core_percents"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--speed", "61"], "--speed: got '61', expected a number from 1 to 60"),
        (["--speed", "0"], "--speed: got '0', expected a number from 1 to 60"),
        (["--prefix", "a//b"], "--prefix: got 'a//b', expected 1 to 6 levels"),
        (["--prefix", "fleet"], "--prefix: got fleet, which was recorded; expected another prefix"),
    ],
)
def test_wrong_words(run: Run, file: Callable[..., str], words: list[str], expected: str) -> None:
    """What does not fit ends it in one line, before a broker is asked."""
    result = run("replay", file(*incident(1, "web-1")), *words)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert expected in result.stderr


def test_wrong_files(run: Run, tmp_path: Path) -> None:
    """A file that is missing, is a folder, or is no recording is named in one line."""
    (tmp_path / "text").write_text("no recording")
    for name, code, expected in (
        ("missing", 2, "file: got 'missing', expected a recording: no such file or directory"),
        ("text", 2, "file: got no recording, expected what `fleetglass record` wrote (text)"),
        (".", 2, "file: got '.', expected a recording: is a directory"),
    ):
        result = run("replay", name)
        assert (result.returncode, result.stderr.count("\n")) == (code, 1)
        assert expected in result.stderr
