import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Start
from fleetglass.agent.own_container import own_container
from fleetglass.cli.commands import doctor
from fleetglass.cli.doctor.finding import Finding
from support.mosquitto import Mosquitto
from support.ports import free_port

Run = Callable[..., subprocess.CompletedProcess[str]]

DOCUMENTED = (Path(__file__).parents[3] / "docs" / "doctor.md").read_text("utf-8")


def of(output: str, what: str) -> str:
    """Return the line about something."""
    return next(line for line in output.splitlines() if line[7:].startswith(what))


def documented(what: str) -> bool:
    """Whether the page has a row for a finding."""
    group = what.partition(" ")[0]
    return f"| `{group if group in {'collector', 'service'} else what}`" in DOCUMENTED


@pytest.mark.broker
def test_all_well(run: Run, mosquitto: Mosquitto, prefix: str) -> None:
    """With a broker and no page yet nothing is wrong: one aligned line each, exit code 0."""
    given = ("--broker", mosquitto.url, "--prefix", prefix, "--host-id", "web-1", "--port", str(free_port()))
    result = run("doctor", *given)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert {line[:7] for line in lines} == {"ok     ", "note   "}
    assert f"{mosquitto.url}: lets us in without a name" in of(result.stdout, "broker")
    assert {line.index(line[29:].lstrip(), 29) for line in lines} == {29}
    assert all(" -> " in line for line in lines if line.startswith("note"))
    assert "not running here" in of(result.stdout, "page")


@pytest.mark.broker
def test_json(run: Run, mosquitto: Mosquitto, prefix: str) -> None:
    """One object, of which every field and finding is described in docs/doctor.md."""
    given = ("--broker", mosquitto.url, "--prefix", prefix, "--port", str(free_port()))
    before = time.time()
    result = run("doctor", "--json", *given)
    assert (result.returncode, result.stderr) == (0, "")
    report: dict[str, Any] = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert list(report) == ["version", "time", "well", "findings"]
    assert report["well"] is True
    assert before <= report["time"] + 0.001 <= time.time()
    for finding in report["findings"]:
        assert list(finding) == ["what", "state", "text", "remedy"]
        assert finding["state"] in {"ok", "note", "wrong"}
        assert bool(finding["remedy"]) is (finding["state"] != "ok")
        assert documented(finding["what"]), finding
    found = {finding["what"] for finding in report["findings"]}
    assert {"versions", "configuration", "broker", "rules", "collector cpu", "page"} <= found


def test_an_agent_without_the_host(run: Run) -> None:
    """In a container it shows that; doctor says how to mount the host. On a machine there is no such line."""
    lines = [line for line in run("doctor", "agent").stdout.splitlines() if line[7:].startswith("container")]
    assert [line[:4] for line in lines] == (["note"] if own_container() else [])
    assert all("--root /host" in line for line in lines)


def test_what_is_wrong(run: Run, taken_port: int) -> None:
    """A broker that is away and a page's port held by another are told with a remedy, exit code 1."""
    result = run("doctor", "--broker", f"mqtt://127.0.0.1:{free_port()}", "--port", str(taken_port))
    assert result.returncode == 1
    assert [line[7:13] for line in result.stdout.splitlines() if line.startswith("wrong")] == [
        "broker",
        "page  ",
    ]
    assert "connection refused -> start it, or name another with --broker" in of(result.stdout, "broker")
    assert of(result.stdout, "page").endswith("choose another port with --port, or stop that program")


def test_a_machine_with_nothing_configured(start: Start) -> None:
    """Nothing is wrong: it is told what starts a broker, and what serves the page."""
    nobody = f"mqtt://127.0.0.1:{free_port()}"
    before = f"import fleetglass.cli.configuration.settings as settings; settings.DEFAULT_BROKER = {nobody!r}"
    program = start("doctor", "--port", str(free_port()), before=before)
    assert program.process.wait() == 0
    assert of(program.out, "broker").endswith("-> fleetglass up starts one; --broker URL names one")
    assert of(program.out, "page").endswith("-> start it: fleetglass up, or bridge")


def test_configuration_that_cannot_be_read(run: Run) -> None:
    """A wrong configuration is a finding with a remedy."""
    result = run("doctor", FLEETGLASS_PORT="x")
    assert result.returncode == 1
    assert "port: got 'x', expected a whole number" in of(result.stdout, "configuration")
    assert "fleetglass agent --help" in of(result.stdout, "configuration")


def test_wrong_arguments(run: Run) -> None:
    """They end with exit code 2, as everywhere."""
    assert run("doctor", "--nothing").returncode == 2
    assert run("doctor", "simulate").returncode == 2


def test_an_unknown_key(run: Run, tmp_path: Path) -> None:
    """It is named with the file."""
    file = tmp_path / "own.yaml"
    file.write_text("brokr: mqtt://h\n")
    result = run("doctor", "--config", str(file))
    assert result.returncode == 1
    assert f"brokr: got an unknown key, expected perhaps 'broker' ({file})" in result.stdout


def test_secrets_that_others_can_read(run: Run, tmp_path: Path) -> None:
    """The file is named with the command that closes it, and its content never shown."""
    password = tmp_path / "password"
    password.write_text("geheim")
    password.chmod(0o644)
    given = ("--broker", f"mqtt://u@127.0.0.1:{free_port()}", "--password-file", str(password), "agent")
    result = run("doctor", *given)
    assert result.returncode == 1
    line = of(result.stdout, "secrets")
    assert line.endswith(f"every user of this machine can read it -> chmod 600 {password}")
    assert "geheim" not in result.stdout + result.stderr
    password.chmod(0o600)
    assert "secrets" not in run("doctor", *given).stdout


def test_files_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    """A token or an authority that is missing is a finding."""
    result = run("doctor", "--url", "wss://127.0.0.1:1/ws", "--token-file", str(tmp_path / "nothing"))
    assert result.returncode == 1
    assert "token_file or ca_file: No such file" in result.stdout


def test_several_prefixes(run: Run) -> None:
    """As with `fleetglass up`, this machine is under the first, and a bridge reads all."""
    words = ("--prefix", "a", "--prefix", "b", "--broker", f"mqtt://127.0.0.1:{free_port()}")
    assert of(run("doctor", *words).stdout, "configuration").endswith("prefix a")


def test_one_part(run: Run) -> None:
    """Only what the agent does is checked, or only what the bridge does."""
    given = ("--broker", f"mqtt://127.0.0.1:{free_port()}", "--port", str(free_port()))
    agent, bridge = (run("doctor", part, *given).stdout for part in ("agent", "bridge"))
    assert "collector cpu" in agent
    assert "page  " not in agent
    assert "collector cpu" not in bridge
    assert "page  " in bridge


def test_a_reader_is_no_host(run: Run, tmp_path: Path) -> None:
    """With a user who cannot be a host's, only what a bridge needs is checked."""
    file = tmp_path / "bridge.yaml"
    file.write_text(f"broker: mqtt://reader.bridge@127.0.0.1:{free_port()}\nbridge:\n  port: {free_port()}\n")
    output = run("doctor", "--config", str(file)).stdout
    assert of(output, "configuration").endswith("; of a bridge")
    assert of(output, "broker").startswith("wrong")
    assert "collector" not in output


def test_a_check_that_fails_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception becomes a finding of its own check; with the log level debug it is raised."""

    def fail() -> Iterator[Finding]:
        raise ZeroDivisionError("by\nzero")
        yield

    def work() -> Iterator[Finding]:
        yield Finding("clock", "ok", "fine")

    monkeypatch.delenv("FLEETGLASS_LOG_LEVEL", raising=False)
    failed, worked = doctor._run_in_parallel({"page": fail, "clock": work})
    assert (failed.what, failed.state) == ("page", "wrong")
    assert failed.text == "this check failed: ZeroDivisionError: by zero"
    assert worked.state == "ok"
    monkeypatch.setenv("FLEETGLASS_LOG_LEVEL", "debug")
    with pytest.raises(ZeroDivisionError):
        list(doctor._run_in_parallel({"page": fail}))


def test_everything_unreachable(run: Run, taken_port: int) -> None:
    """Nodes that do not answer, a name without address and a silent page have a line each."""
    nodes = f"mqtts://127.0.0.1:{taken_port},mqtts://192.0.2.1,mqtts://broker.invalid"
    url = f"wss://127.0.0.1:{taken_port}/ws"
    result = run("doctor", "--broker", nodes, "--port", str(taken_port), "--url", url)
    assert result.returncode == 1
    assert result.stdout.count("\nwrong  broker ") == 3
    assert result.stdout.count("\nwrong  page ") == 2
