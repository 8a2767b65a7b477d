import json
import signal
import urllib.request
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from fleetglass.cli.commands.up import _wait_for_page
from support.listener import retained
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_for

WITHOUT_MOSQUITTO = (
    "import fleetglass.cli.configuration.broker_choice as choice; choice.find_mosquitto = lambda: None"
)

Start = Callable[..., Any]


@pytest.fixture(params=["mosquitto", "embedded"])
def up(request: pytest.FixtureRequest, start: Start) -> Any:
    """Give a running `up` with one synthetic host and a broker of its own, of each kind."""
    if request.param == "embedded":
        pytest.importorskip("amqtt", reason="needs amqtt, as `make test` installs it")
    before = WITHOUT_MOSQUITTO if request.param == "embedded" else ""
    program = begin(start, "--demo", "1", before=before)
    assert ("private mosquitto" in program.err) is (request.param == "mosquitto")
    assert ("embedded broker" in program.err) is (request.param == "embedded")
    return program


def begin(start: Start, *words: str, before: str = "", port: int | None = None) -> Any:
    port = port or free_port()
    ports = [] if {"--broker", "--broker-port"} & set(words) else ["--broker-port", str(free_port())]
    program = start("up", "--port", str(port), "--host-id", "here", *ports, *words, before=before)
    address = f"Fleetglass is at http://127.0.0.1:{port}/\n"
    wait_for(lambda: program.out == address or program.process.poll() is not None, address)
    assert program.out == address, program.err
    program.port = port
    return program


def hosts(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/hosts", timeout=PATIENCE_SECONDS) as answer:
        return {host["id"]: host for host in json.load(answer)["hosts"]}


def wait_for_live(port: int, *ids: str) -> None:
    def live() -> bool:
        known = hosts(port)
        # The inventory follows the first pulse.
        return all(known.get(host, {}).get("state") == "live" and "info" in known[host] for host in ids)

    wait_for(live, f"{ids} to be live")


def wait_for_end(children: list[psutil.Process]) -> None:
    _gone, alive = psutil.wait_procs(children, timeout=PATIENCE_SECONDS)
    assert not alive


@pytest.mark.broker
@pytest.mark.embedded
def test_shows_this_machine(up: Any) -> None:
    """The real host and the synthetic one become live, the latter marked as such; nothing else is said."""
    wait_for_live(up.port, "here", "sim-0001")
    known = hosts(up.port)
    assert known["sim-0001"]["info"]["synthetic"] is True
    assert "synthetic" not in known["here"]["info"]
    # mosquitto warns root whatever it is told to log.
    lines = [line for line in up.err.splitlines() if "should not be run as root" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("fleetglass: using ")


@pytest.mark.broker
@pytest.mark.embedded
@pytest.mark.parametrize("how", ["group", "interrupt", "terminate"])
def test_ends_with_all_its_children(up: Any, how: str) -> None:
    """Ctrl-C, SIGINT to `up` alone and SIGTERM end everything, with exit code 0."""
    children = up.children()
    assert len(children) == 4
    if how == "group":
        up.interrupt_group()
    else:
        up.process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
    assert up.process.wait() == 0
    wait_for_end(children)
    assert "Traceback" not in up.err


@pytest.mark.broker
@pytest.mark.embedded
def test_killed_without_a_chance(up: Any) -> None:
    """After kill -9 of `up` no child is left."""
    children = up.children()
    assert len(children) == 4
    up.process.kill()
    wait_for_end(children)


@pytest.mark.broker
def test_broker_that_already_runs(start: Start, mosquitto: Mosquitto, prefix: str) -> None:
    """A broker that answers on the port is used, and left running."""
    program = begin(start, "--broker-port", str(mosquitto.port), "--prefix", prefix)
    assert program.err == f"fleetglass: using the broker that already runs on 127.0.0.1:{mosquitto.port}\n"
    wait_for_live(program.port, "here")
    assert len(program.children()) == 2


@pytest.mark.broker
def test_given_broker_and_prefixes(start: Start, mosquitto: Mosquitto, prefix: str) -> None:
    """The broker given is used; of several prefixes this machine takes the first, and the page shows all."""
    words = ["--broker", mosquitto.url, "--prefix", f"{prefix}/a", "--prefix", f"{prefix}/b"]
    program = begin(start, *words)
    assert program.err == f"fleetglass: using the broker at {mosquitto.url}\n"
    wait_for_live(program.port, "here")


@pytest.mark.broker
def test_second_start_after_kill(start: Start) -> None:
    """A hard end leaves nothing behind that keeps a second start on the same port from working."""
    broker_port = str(free_port())
    first = begin(start, "--broker-port", broker_port)
    wait_for_live(first.port, "here")
    children = first.children()
    first.process.kill()
    first.process.wait()
    wait_for_end(children)
    second = begin(start, "--broker-port", broker_port)
    wait_for_live(second.port, "here")


@pytest.mark.broker
@pytest.mark.parametrize("name", ["agent", "bridge", "simulate"])
def test_part_that_dies_comes_back(start: Start, name: str) -> None:
    """A killed part is started again, with one line, and the hosts are live again."""
    program = begin(start, "--demo", "1")
    wait_for_live(program.port, "here", "sim-0001")
    [victim] = [child for child in program.children() if name in child.cmdline()]
    victim.kill()
    wait_for(lambda: f"fleetglass: {name} was ended by SIGKILL" in program.err, "the line about it")

    def is_back() -> bool:
        return any(name in child.cmdline() for child in program.children() if child.pid != victim.pid)

    wait_for(is_back, f"{name} to come back")
    wait_for(lambda: _answers(program.port), "the page")
    wait_for_live(program.port, "here", "sim-0001")


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_demo_leaves_nothing_on_a_broker(
    start: Start, mosquitto: Mosquitto, prefix: str, number: signal.Signals
) -> None:
    """Its hosts are cleared however `up` ends, also when the bridge has died before."""
    program = begin(start, "--broker", mosquitto.url, "--prefix", prefix, "--demo", "40")
    wait_for_live(program.port, "sim-0001", "sim-0040")
    children = program.children()
    [bridge] = [child for child in children if "bridge" in child.cmdline()]
    bridge.kill()
    program.process.send_signal(number)
    program.process.wait()
    wait_for_end(children)
    assert not [topic for topic in retained(mosquitto, prefix) if topic.startswith("sim-")]


@pytest.mark.broker
def test_a_demo_is_gone_at_the_next_start(start: Start) -> None:
    """The private broker keeps nothing of the hosts of a demo that was ended."""
    broker_port = str(free_port())
    first = begin(start, "--broker-port", broker_port, "--demo", "20")
    wait_for_live(first.port, "here", "sim-0020")
    first.interrupt_group()
    assert first.process.wait() == 0
    second = begin(start, "--broker-port", broker_port)
    wait_for_live(second.port, "here")
    assert hosts(second.port).keys() == {"here"}


def test_taken_page_port(run: Callable[..., Any], taken_port: int) -> None:
    """A taken port is told before anything is started, with the port and the option."""
    result = run("up", "--port", str(taken_port), "--broker-port", str(free_port()))
    assert result.returncode == 1
    assert result.stderr == (
        f"fleetglass: port: got {taken_port} on 127.0.0.1, which another program uses, "
        "expected a free port (--port)\n"
    )


def test_address_of_another_machine(run: Callable[..., Any]) -> None:
    """An address that is not this machine's is told as such."""
    result = run("up", "--host", "192.0.2.1", "--port", str(free_port()))
    assert result.returncode == 1
    assert result.stderr.startswith("fleetglass: host: got '192.0.2.1', expected an address of this machine")


@pytest.mark.broker
def test_viewers_of_other_machines_get_a_link(
    start: Start, run: Callable[..., Any], mosquitto: Mosquitto
) -> None:
    """A terminal is shown it at every start; elsewhere the command is named, and the token is nowhere."""
    port = free_port()
    words = ("--host", "0.0.0.0", "--broker", mosquitto.url)
    piped = begin(start, *words, port=port)
    wait_for(lambda: "--show-link" in piped.err, "the command")
    link = run("bridge", "--show-link").stdout.strip()
    assert f":{port}/#token=" in link
    assert link.partition("#")[2] not in piped.err + piped.out
    piped.process.terminate()
    piped.process.wait(PATIENCE_SECONDS)
    terminal = "import sys; sys.stdout.isatty = lambda: True"
    again = start("up", "--port", str(port), "--host-id", "here", *words, before=terminal)
    wait_for(lambda: f"Viewer link: {link}\n" in again.out, "the link")
    assert link not in again.err


def test_taken_broker_port(run: Callable[..., Any], taken_port: int) -> None:
    """A program on the broker's port that is no broker is told with the port and the option."""
    result = run("up", "--port", str(free_port()), "--broker-port", str(taken_port))
    assert result.returncode == 1
    assert result.stderr.startswith(f"fleetglass: broker port: got {taken_port} on 127.0.0.1")
    assert "--broker-port" in result.stderr
    assert result.stderr.count("\n") == 1


def test_given_broker_away(run: Callable[..., Any]) -> None:
    """A broker that was given and is away ends `up`, instead of silently using another."""
    result = run("up", "--port", str(free_port()), "--broker", f"mqtt://127.0.0.1:{free_port()}")
    assert result.returncode == 1
    assert result.stderr.startswith("fleetglass: broker: nothing answers at mqtt://127.0.0.1:")
    assert result.stderr.count("\n") == 1


def _answers(port: int) -> bool:
    try:
        hosts(port)
    except OSError:
        return False
    return True


def test_a_page_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as behind a firewall: which address is tried, and what to do, is said once; waiting goes on."""
    answers = iter([False, False, False, True])
    monkeypatch.setattr("fleetglass.cli.commands.up.is_healthy", lambda *_, **__: next(answers))
    monkeypatch.setattr("fleetglass.cli.commands.up.SLOW_START_SECONDS", -1.0)
    stop = cast(Any, SimpleNamespace(requested=False))
    supervisor = cast(Any, SimpleNamespace(watch=lambda _seconds: None))
    settings = cast(Any, SimpleNamespace(host="127.0.0.1", port=8765, cert=None))
    assert _wait_for_page(stop, supervisor, settings)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fleetglass: http://127.0.0.1:8765/ does not answer yet; still waiting")
    assert "--port" in line
