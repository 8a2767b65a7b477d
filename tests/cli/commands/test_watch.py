import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

COMMAND = [sys.executable, "-m", "fleetglass.cli"]
Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]


@pytest.fixture(scope="module")
def url(fleet_url: Callable[[int], str]) -> str:
    """Give the address of a bridge that sees two synthetic hosts."""
    return fleet_url(2)


@pytest.mark.broker
def test_whole_fleet(start: Start, url: str) -> None:
    """Without a name every host has its line, and SIGINT ends it with 0."""
    watch = start("watch", "--url", url)
    wait_for(lambda: "sim-0001  CPU: " in watch.out and "sim-0002  CPU: " in watch.out, "lines of both hosts")
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait() == 0
    assert "\x1b" not in watch.out
    assert "Traceback" not in watch.err


@pytest.mark.broker
def test_one_host_as_json(start: Start, url: str) -> None:
    """A named host only, one JSON object a line."""
    watch = start("watch", "sim-0002", "sim-9999", "--url", url, "--json-lines")

    def lines() -> list[Any]:
        return [json.loads(line) for line in watch.out.splitlines(keepends=True) if line.endswith("\n")]

    def has_all() -> bool:
        data = [line["data"] for line in lines() if line["type"] == "monitoring_data"]
        return bool(data) and {"processor", "memory", "disk", "system"} <= data[-1].keys()

    wait_for(has_all, "every section")
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait() == 0
    assert {line["host"] for line in lines()} == {"sim-0002"}
    assert "fleetglass: sim-9999: the bridge has not heard of this host yet; waiting\n" in watch.err


@pytest.mark.broker
def test_command_lines(start: Start, url: str, tmp_path: Path) -> None:
    """The six command lines that combine flags do what each of their flags promises."""
    bridge = url.removesuffix("/ws")  # an address without a path
    first, second, log, third = (str(tmp_path / name) for name in ("a.jsonl", "b.jsonl", "log", "c.jsonl"))
    running = [
        start("watch", *words, "-u", bridge)
        for words in (
            ["--format", "detailed", "--save-data", first],
            ["--save-data", second, "--history"],
            ["--stats"],
            ["--verbose", "--log-file", log],
            ["--reconnect-interval", "10", "--max-reconnects", "5", "--ping-interval", "60"],
            ["-f", "compact", "-s", "-v", "--no-color", "--no-reconnect", "--history", "--save-data", third],
        )
    ]
    detailed, kept, counted, logged, persistent, everything = running
    hosts = ("sim-0001", "sim-0002")
    wait_for(lambda: all(host in program.out for host in hosts for program in running), "both hosts")
    wait_for(lambda: "GB available" in detailed.out and "GB free" in detailed.out, "memory and disk")
    for program in running:
        program.process.send_signal(signal.SIGINT)
    assert [program.process.wait() for program in running] == [0] * 6
    assert "=== Monitoring System - sim-0001 - " in detailed.out
    for path in (first, second, third):
        messages = [json.loads(line) for line in Path(path).read_text().splitlines()]
        assert {message["host"] for message in messages} == {"sim-0001", "sim-0002"}
        assert {message["type"] for message in messages} == {"monitoring_data"}
    assert re.search(r"^History \(mean/highest\)\n  sim-0001  \d+ times  CPU: ", kept.out, re.MULTILINE)
    assert re.search(r"^Statistics\n  Messages +\d+ received, \d+ sent\n", counted.out, re.MULTILINE)
    assert "watch debug: PulseFrame\n" in Path(log).read_text()
    assert logged.err == ""
    assert "sim-0002  CPU: " in persistent.out
    assert re.search(r"^\[\d\d:\d\d:\d\d\] sim-0001 CPU:\d+% │ RAM:", everything.out, re.MULTILINE)
    assert "History " in everything.out
    assert "Statistics\n" in everything.out
    assert "watch debug: " in everything.err


@pytest.mark.broker
def test_environment(run: Run, url: str, tmp_path: Path) -> None:
    """Address, format, log level and log file come from the environment as well."""
    result = run(
        "watch",
        "sim-0001",
        "-d",
        "2.5",
        FLEETGLASS_URL=url,
        FLEETGLASS_FORMAT="compact",
        FLEETGLASS_LOG_LEVEL="DEBUG",
        FLEETGLASS_LOG_FILE="watch.log",
        FLEETGLASS_TOKEN="geheim",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"^\[\d\d:\d\d:\d\d\] CPU:", result.stdout, re.MULTILINE)
    log = (tmp_path / "watch.log").read_text()
    assert "watch: connected with bridge" in log
    assert "watch debug: PulseFrame" in log
    assert "geheim" not in log


@pytest.mark.broker
def test_terminal(environment: dict[str, str], url: str) -> None:
    """Lines are painted unless somebody objects; Ctrl-C leaves a clean terminal, and statistics."""
    assert "\x1b[32m" in in_terminal(environment, "--url", url)
    for words, variables in ((["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})):
        assert "\x1b" not in in_terminal(environment | variables, "--url", url, *words)


def in_terminal(environment: dict[str, str], *words: str) -> str:
    """Return what a terminal of its own got until Ctrl-C was pressed after the first line, and then."""
    primary, secondary = pty.openpty()
    command = [*COMMAND, "watch", *words, "--stats"]
    with subprocess.Popen(
        command,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - nothing else does it
    ) as process:
        os.close(secondary)
        before = termios.tcgetattr(primary)
        got = b""
        while b"RAM: " not in got:
            got += os.read(primary, 4096)
        os.write(primary, b"\x03")
        with contextlib.suppress(OSError):  # the end, as Linux tells it
            while more := os.read(primary, 4096):
                got += more
        assert process.wait() == 0
        assert termios.tcgetattr(primary) == before
    os.close(primary)
    assert b"\r\nStatistics" in re.sub(rb"\x1b\[\d+m", b"", got)
    assert got.count(b"\x1b[0m") * 2 == got.count(b"\x1b")
    return got.decode()


@pytest.mark.broker
def test_nobody_reads(environment: dict[str, str], url: str) -> None:
    """It ends in time even when the program that should read its output has stopped doing so."""
    command = [*COMMAND, "watch", "--url", url, "--format", "json"]
    reading, writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, env=environment) as process:
        os.close(writing)
        wait_for(lambda: "pipe_write" in Path(f"/proc/{process.pid}/wchan").read_text(), "a full pipe")
        process.terminate()
        assert process.wait() == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    os.close(reading)


@pytest.mark.broker
def test_reader_leaves(environment: dict[str, str], url: str) -> None:
    """When the reader has gone, as `head` does, it ends without a word."""
    command = [*COMMAND, "watch", "--url", url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.broker
def test_full_disk(run: Run, url: str) -> None:
    """When data cannot be saved any more it ends with one line, code 1, and the statistics."""
    result = run("watch", "--url", url, "--save-data", "/dev/full", "--stats")
    assert result.returncode == 1
    assert result.stderr == "fleetglass: --save-data: No space left on device (/dev/full)\n"
    assert "Statistics\n" in result.stdout


def test_statistics_of_no_connection(run: Run) -> None:
    """Without any connection the statistics are told all the same, and the error and code stay."""
    url = f"ws://127.0.0.1:{free_port()}/ws"
    result = run("watch", "--stats", "--history", "--max-reconnects", "1", "--url", url)
    assert result.returncode == 1
    assert "History (mean/highest)\n  —\nStatistics\n" in result.stdout
    assert "Connected      never\n" in result.stdout
    assert "State          error\n" in result.stdout
    assert (
        result.stderr.splitlines()[-1] == f"fleetglass: bridge: nothing answers: connection refused ({url})"
    )


def test_statistics_now_and_then(start: Start) -> None:
    """Statistics come every so often, and more than three tries to connect again are warned of."""
    url = f"ws://127.0.0.1:{free_port()}/ws"
    watch = start("watch", "--url", url, "--stats-every", "0.2", "--reconnect-interval", "0.1")
    wait_for(lambda: "unstable connection: 4 reconnects so far" in watch.err, "a warning")
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait() == 0
    assert watch.out.count("Statistics\n") > 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--duration", "soon"], "--duration: got 'soon', expected a number from 0.1 to 1e+08"),
        (["--stats-every", "0"], "--stats-every: got '0', expected a number from 0.1 to 1e+08"),
        (
            ["--format", "xml"],
            "format: got 'xml', expected one of simple, detailed, compact, json (--format)",
        ),
        (["--save-data", "missing/a"], "--save-data: No such file or directory, expected a file to write to"),
        (["--log-file", "missing/a"], "log_file: No such file or directory, expected a file to write to"),
        (["--warning-percent", "95"], "warning_percent: got 95, expected at most critical_percent, 90"),
        (["-u", "http://x"], "url: got 'http://x', expected ws://host[:port]/ws or wss://host[:port]/ws"),
        (["a/b"], "host id: got 'a/b'"),
    ],
)
def test_wrong_arguments(run: Run, words: list[str], told: str) -> None:
    """What is wrong ends it with one line and exit code 2."""
    result = run("watch", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"fleetglass: {told}")
    assert result.stderr.count("\n") == 1


@pytest.mark.broker
def test_straight_from_the_broker(start: Start, mosquitto: Mosquitto, prefix: str) -> None:
    """With --broker no bridge is needed; FLEETGLASS_URL, which would name one, does not matter then."""
    given = ["--broker", mosquitto.url, "--prefix", prefix]
    start("simulate", *given, "--hosts", "2")
    url = f"ws://127.0.0.1:{free_port()}/ws"
    watch = start("watch", *given, "--json-lines", FLEETGLASS_URL=url)
    wait_for(lambda: all(f'"host":"sim-000{number}"' in watch.out for number in (1, 2)), "both hosts")
    watch.process.send_signal(signal.SIGINT)
    assert (watch.process.wait(), watch.err) == (0, "")
    pulses = [line for line in map(json.loads, watch.out.splitlines()) if "host" in line]
    assert {line["host"] for line in pulses} == {"sim-0001", "sim-0002"}


def test_broker_away(run: Run) -> None:
    """With --no-reconnect a broker that is away ends it with one line and exit code 1."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    result = run("watch", "--no-reconnect", "--broker", url)
    assert result.returncode == 1
    assert result.stderr.startswith("fleetglass: broker: ")
    assert result.stderr.endswith(f" ({url})\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.broker
def test_tls(run: Run, start: Start, mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A bridge is watched over wss:// when its authority is trusted, and left for good when not."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("bridge")
    port = free_port()
    given = ["--broker", mosquitto.url, "--prefix", prefix, "--port", str(port)]
    bridge = start("bridge", *given, "--cert", str(certificate), "--key", str(key))
    wait_for(lambda: "serving" in bridge.err, "the bridge")
    url = f"wss://127.0.0.1:{port}"
    trusted = run("watch", "--url", url, "--duration", "1", "--ca-file", str(authority.own.certificate))
    assert (trusted.returncode, trusted.stderr) == (0, "")
    refused = run("watch", "--url", url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("fleetglass: bridge: got a certificate that is not trusted: ")
    assert refused.stderr.count("\n") == 1
    wrong = run("watch", "--url", url, "--ca-file", str(key))
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("fleetglass: ca_file: got ")


def test_bridge_away(run: Run) -> None:
    """With --no-reconnect a bridge that is away ends it with one line and exit code 1."""
    url = f"ws://127.0.0.1:{free_port()}/ws"
    result = run("watch", "--no-reconnect", FLEETGLASS_URL=url)
    assert result.returncode == 1
    assert result.stderr == f"fleetglass: bridge: nothing answers: connection refused ({url})\n"


def test_keeps_trying(start: Start) -> None:
    """Otherwise it says so and tries again."""
    watch = start("watch", "--url", f"ws://127.0.0.1:{free_port()}/ws")
    wait_for(lambda: watch.err.count("connection refused") == 2, "two tries")
    assert "; trying again in " in watch.err
    watch.process.terminate()
    assert watch.process.wait() == 0


@pytest.mark.broker
def test_token(run: Run, guarded_url: tuple[str, Path]) -> None:
    """A bridge that wants a token refuses without one, and lets in with it."""
    url, token_file = guarded_url
    refused = run("watch", "--url", url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("fleetglass: bridge: ")
    assert refused.stderr.count("\n") == 1
    admitted = run("watch", "--url", url, "--duration", "0.5", "--token-file", str(token_file))
    assert (admitted.returncode, admitted.stderr) == (0, "")
    assert run("watch", "--url", url, "--duration", "0.5", FLEETGLASS_TOKEN="geheim").returncode == 0
