import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetglass.cli import main as module
from fleetglass.wire.version import VERSION
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_here(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Iterator[Run]:
    """Give what runs `fleetglass` in this process, which takes a hundredth of the time."""

    def call(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        for name in os.environ.keys() - environment:
            monkeypatch.delenv(name)
        for name, value in (environment | variables).items():
            monkeypatch.setenv(name, value)
        try:
            code = module.main(words)
        except SystemExit as end:  # of --help
            code = int(end.code or 0)
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    monkeypatch.chdir(tmp_path)
    at_sigterm = signal.getsignal(signal.SIGTERM)
    yield call
    signal.signal(signal.SIGTERM, at_sigterm)


def test_version(run: Run) -> None:
    """`--version` prints one line."""
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"fleetglass {VERSION}\n")


def test_help_lists_every_command(run: Run) -> None:
    """`--help` names each command with what it does."""
    result = run("--help")
    assert result.returncode == 0
    for name, text in module.COMMANDS.items():
        assert name in result.stdout
        assert text in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", module.COMMANDS)
def test_help_of_a_command(run_here: Run, name: str) -> None:
    """Each command explains its arguments."""
    result = run_here(name, "--help")
    assert result.returncode == 0
    assert f"usage: fleetglass {name}" in result.stdout
    # All read a configuration but `enroll`, which writes one, and `storage`, which runs as root.
    assert ("--config FILE" in result.stdout) == (name not in {"enroll", "storage"})


WRONG = [
    ("no command", [], {}, "command: got none, expected up, "),
    ("unknown command", ["agnet"], {}, "command: got 'agnet', expected up, "),
    ("unknown option", ["agent", "--brokr", "x"], {}, "arguments: unrecognized arguments: --brokr x"),
    ("option without a value", ["bridge", "--port"], {}, "arguments: argument --port: expected one argument"),
    (
        "broker of another kind",
        ["agent", "--broker", "http://x"],
        {},
        "broker: got 'http://x', expected mqtt://",
    ),
    ("broker without a host", ["up", "--broker", "mqtt://"], {}, "broker: got 'mqtt://', expected mqtt://"),
    ("broker port", ["agent", "--broker", "mqtt://h:99999"], {}, "broker: got 'mqtt://h:99999', expected"),
    ("password in argv", ["agent", "--broker", "mqtt://u:pw@h"], {}, "broker: got a password inside"),
    ("host id", ["agent", "--host-id", "Web 1"], {}, "host id: got 'Web 1', expected 1 to 63 of a-z"),
    (
        "interval too short",
        ["agent", "--interval", "0.1"],
        {},
        "interval: got '0.1', expected a number from 0.5",
    ),
    (
        "interval no number",
        ["agent", "--interval", "fast"],
        {},
        "interval: got 'fast', expected a number from",
    ),
    (
        "interval not finite",
        ["agent", "--interval", "nan"],
        {},
        "interval: got 'nan', expected a number from",
    ),
    (
        "prefix of Home Assistant",
        ["agent", "--home-assistant-prefix", "a/#"],
        {},
        "home_assistant_prefix: got 'a/#', expected 1 to 6 levels",
    ),
    ("prefix", ["bridge", "--prefix", "a/#"], {}, "prefix: got 'a/#', expected 1 to 6 levels"),
    ("port", ["bridge", "--port", "70000"], {}, "port: got '70000', expected a whole number from 1 to 65535"),
    (
        "broker port of up",
        ["up", "--broker-port", "x"],
        {},
        "--broker-port: got 'x', expected a whole number",
    ),
    ("demo", ["up", "--demo", "-1"], {}, "--demo: got '-1', expected a whole number from 0"),
    (
        "named file missing",
        ["agent", "--config", "/no/f.yaml"],
        {},
        "configuration file: got '/no/f.yaml', exp",
    ),
    (
        "name of a file too long",
        ["agent", "--config", "x" * 300],
        {},
        "configuration file: got 'xxx",
    ),
    (
        "password file too long",
        ["agent", "--password-file", "x" * 300],
        {},
        "password_file: got 'xxx",
    ),
    (
        "file of the environment",
        ["agent"],
        {"FLEETGLASS_CONFIG": "/no"},
        "configuration file: got '/no', expec",
    ),
    (
        "unknown variable",
        ["agent"],
        {"FLEETGLASS_BROKR": "x"},
        "FLEETGLASS_BROKR: got an unknown variable, exp",
    ),
    ("variable out of range", ["bridge"], {"FLEETGLASS_PORT": "0"}, "port: got '0', expected a whole number"),
    (
        "file for TLS",
        ["agent", "--ca-file", "/no/ca"],
        {},
        "ca_file: got '/no/ca', expected a file that exists",
    ),
    ("password file", ["agent", "--password-file", "/no"], {}, "password_file: got '/no', expected a file"),
    (
        "password in clear",
        ["agent", "--broker", "mqtt://u@h"],
        {"FLEETGLASS_PASSWORD": "s"},
        "broker: got a pass",
    ),
    ("hosts missing", ["simulate"], {}, "arguments: the following arguments are required: --hosts"),
    ("hosts", ["simulate", "--hosts", "0"], {}, "--hosts: got '0', expected a whole number from 1"),
    ("host to watch", ["watch", "A B"], {}, "host id: got 'A B', expected"),
    ("format", ["watch", "--format", "xml"], {}, "format: got 'xml', expected one of simple, detailed"),
    ("address to watch", ["watch", "--url", "http://x"], {}, "url: got 'http://x', expected ws://"),
    ("log level", ["agent", "--log-level", "loud"], {}, "log_level: got 'loud', expected one of debug"),
]


@pytest.mark.parametrize(
    ("words", "variables", "start"), [row[1:] for row in WRONG], ids=[r[0] for r in WRONG]
)
def test_wrong_usage_is_one_line(
    run_here: Run, words: list[str], variables: dict[str, str], start: str
) -> None:
    """Whatever is wrong in arguments or configuration gives one line and exit code 2."""
    result = run_here(*words, **variables)
    assert result.returncode == 2
    assert result.stderr.startswith(f"fleetglass: {start}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert "pw" not in result.stderr


@pytest.mark.parametrize(
    ("content", "start"),
    [
        ("brokr: mqtt://h", "brokr: got an unknown key, expected perhaps 'broker' ("),
        ("agent: {intervall: 2}", "agent.intervall: got an unknown key, expected perhaps 'interval' ("),
        ("agent: {interval: 0}", "interval: got 0, expected a number from 0.5 to 60 (agent.interval in "),
        ("port: 80", "port: got an unknown key, expected it under bridge: ("),
        ("[1, 2]", "configuration: got a list, expected keys and values ("),
        (
            "a: b: c",
            "configuration: mapping values are not allowed ",
        ),  # PyYAML and libyaml say where otherwise
        (  # YAML is data; what would run code is refused
            "broker: !!python/object/apply:os.getcwd []",
            "configuration: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object",
        ),
        ("bridge: 7", "bridge: got 7, expected keys and values ("),
    ],
)
def test_wrong_file_is_one_line(run_here: Run, tmp_path: Path, content: str, start: str) -> None:
    """Whatever is wrong in the file gives one line that names it, and exit code 2."""
    path = tmp_path / "own.yaml"
    path.write_text(content)
    result = run_here("agent", "--config", str(path))
    assert result.returncode == 2
    assert result.stderr.startswith(f"fleetglass: {start}")
    assert str(path) in result.stderr
    assert result.stderr.count("\n") == 1


def test_failure_at_run_time(run: Run) -> None:
    """A broker that is not there gives one line and exit code 1."""
    result = run("simulate", "--hosts", "1", "--broker", f"mqtt://127.0.0.1:{free_port()}")
    assert result.returncode == 1
    assert result.stderr.startswith("fleetglass: broker: nothing answers at mqtt://127.0.0.1:")
    assert result.stderr.count("\n") == 1


def test_bug_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Even an error that nobody thought of shows no traceback."""

    def fail(_words: list[str]) -> int:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(module, "_run", fail)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert module.main([]) == 1
    assert capsys.readouterr().err == (
        "fleetglass: unexpected RuntimeError: first second (FLEETGLASS_LOG_LEVEL=debug shows where)\n"
    )


@pytest.mark.broker
def test_agent_loads_only_what_it_needs(
    mosquitto: Mosquitto, prefix: str, environment: dict[str, str]
) -> None:
    """A running agent has loaded neither asyncio, nor aiomqtt, websockets, yaml or the bridge."""
    code = (
        "import atexit, sys\n"
        "from fleetglass.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "print(' '.join(sys.modules))\n"
        "sys.exit(code)"
    )
    words = ["agent", "--broker", mosquitto.url, "--prefix", prefix, "--host-id", "light"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first_line = process.stderr.readline()
    assert "connected" in first_line or "agent" in first_line
    process.terminate()
    out, err = process.communicate()
    assert process.returncode == 0, err
    loaded = set(out.split())
    assert "paho.mqtt.client" in loaded
    assert not loaded & {"asyncio", "aiomqtt", "websockets", "yaml", "fleetglass.bridge.bridge", "difflib"}


def test_reader_that_leaves(environment: dict[str, str]) -> None:
    """Output into a pipe that nobody reads any more ends the command without a word."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fleetglass.cli", "--help"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    wait_for(lambda: process.poll() is not None, "the end of the command")
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
