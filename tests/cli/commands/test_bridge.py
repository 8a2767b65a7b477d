import asyncio
import os
import pty
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from fleetglass.client import MonitoringClient
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]


@pytest.fixture
def open_bridge(start: Start, mosquitto: Mosquitto) -> Any:
    """Give a running bridge that other machines can reach, started for the first time; it logs everything."""
    port = free_port()
    program = start(
        "bridge", f"--broker={mosquitto.url}", "--host=0.0.0.0", f"--port={port}", "--log-level=debug"
    )
    wait_for(lambda: "serving" in program.err, "the bridge")
    program.port = port
    return program


@pytest.mark.broker
def test_the_token_is_in_no_log(open_bridge: Any, run: Run) -> None:
    """Neither when it is made nor when it is used or replaced; the log names the command for the link."""
    tokens = [_token(run("bridge", "--show-link"))]
    _use(open_bridge.port, tokens[0])
    tokens.append(_token(run("bridge", "--new-token")))
    wait_for(lambda: "the viewer token was replaced" in open_bridge.err, "the new token")
    _use(open_bridge.port, tokens[1])
    wait_for(lambda: "left, 0 now" in open_bridge.err, "the end of the viewer")
    open_bridge.process.terminate()
    open_bridge.process.wait(PATIENCE_SECONDS)
    said = open_bridge.err + open_bridge.out
    assert said.count("fleetglass bridge --show-link") == 1
    assert "wrong viewer token" in said
    assert not [token for token in tokens if token in said]


@pytest.mark.broker
def test_links_name_the_address_of_the_running_bridge(open_bridge: Any, run: Run) -> None:
    """Also for a command that was not told where the bridge serves."""
    shown, made = run("bridge", "--show-link"), run("bridge", "--new-token")
    assert (shown.returncode, made.returncode) == (0, 0)
    for link in (shown.stdout, made.stdout):
        assert f":{open_bridge.port}/#token=" in link
        assert "127.0.0.1" not in link
        assert link.count("\n") == 1
    assert _token(run("bridge", "--show-link")) == _token(made) != _token(shown)


@pytest.mark.broker
def test_a_terminal_is_shown_the_link(mosquitto: Mosquitto, environment: dict[str, str], run: Run) -> None:
    """At the first start only, and not as a line of the log."""
    words = ("bridge", f"--broker={mosquitto.url}", "--host=0.0.0.0", f"--port={free_port()}")
    first = _on_terminal(words, environment, until="connected to broker")
    token = _token(run("bridge", "--show-link"))
    assert first.count(token) == 1
    (line,) = [line for line in first.splitlines() if token in line]
    assert line.startswith("fleetglass: viewer link: http://")
    assert token not in _on_terminal(words, environment, until="connected to broker")


def test_a_link_without_a_token(run: Run, tmp_path: Path) -> None:
    """A bridge that asks for none has the page's address; where one is missing, the line says what to do."""
    shown = run("bridge", "--show-link", "--port=8000")
    assert (shown.returncode, shown.stdout) == (0, "http://127.0.0.1:8000/\n")
    missing = run("bridge", "--show-link", "--host=0.0.0.0", f"--token-file={tmp_path / 'none'}")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith(
        f"fleetglass: token file {tmp_path / 'none'}: got no such file, expected"
    )
    assert missing.stderr.count("\n") == 1
    both = run("bridge", "--show-link", "--new-token")
    assert both.returncode == 2


def test_a_new_token_is_printed_as_a_link(tmp_path: Path, run: Run) -> None:
    """The old one is replaced, and nothing is served."""
    path = tmp_path / "token"
    path.write_text("old\n")
    result = run("bridge", "--host=192.0.2.7", f"--token-file={path}", "--new-token")
    assert result.returncode == 0
    token = path.read_text().strip()
    assert token != "old"
    assert result.stdout == f"http://192.0.2.7:8765/#token={token}\n"


def test_a_new_token_that_cannot_be_kept_is_an_error(tmp_path: Path, run: Run) -> None:
    """One line names the file."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "token"
    result = run("bridge", f"--token-file={path}", "--new-token")
    assert result.returncode == 1
    assert f"token file {path}" in result.stderr


def test_what_does_not_fit_together_is_wrong_usage(tmp_path: Path, run: Run) -> None:
    """The line says what is missing, before anything is served."""
    (tmp_path / "key").touch()
    for words, line in (
        (["bridge", f"--key={tmp_path / 'key'}"], "expected cert as well"),
        (["bridge", "--cert=/nowhere"], "cert: got '/nowhere', expected a file"),
        (["up", "--socket=/nowhere"], "socket: got a path, expected none"),
    ):
        result = run(*words)
        assert (result.returncode, line in result.stderr) == (2, True), result.stderr


def _token(printed: subprocess.CompletedProcess[str]) -> str:
    address, mark, token = printed.stdout.strip().partition("#token=")
    assert address, printed.stderr
    assert mark
    return token


def _use(port: int, token: str) -> None:
    """Look at hosts with the token and with a wrong one, and watch for a moment."""
    for one, status in ((token, 200), ("wrong", 401)):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/hosts", headers={"Authorization": f"Bearer {one}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                assert answer.status == status
        except HTTPError as error:
            assert error.code == status  # noqa: PT017 - either way it is the one that was expected

    async def watch() -> None:
        async with MonitoringClient(f"ws://127.0.0.1:{port}/ws", token=token) as client:
            await client.start_async()

    asyncio.run(watch())


def _on_terminal(words: tuple[str, ...], environment: dict[str, str], *, until: str) -> str:
    """Run `fleetglass` with a terminal as its stderr until it has said something, and return all it said."""
    reading, writing = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "fleetglass.cli", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=writing,
    ) as process:
        os.close(writing)
        said = b""
        while until.encode() not in said:
            said += os.read(reading, 65536)
        process.terminate()
        with suppress(OSError):
            while more := os.read(reading, 65536):
                said += more
    os.close(reading)
    return said.decode()
