"""Every line of the recipe for the shell, with the real mosquitto_sub and jq."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from support.consumers import DEPLOY, Fleet, find
from support.faulty_proxy import FaultyProxy
from support.programs import Fleetglass
from support.secured_broker import SecuredBroker
from support.waiting import wait_for, wait_until

pytestmark = pytest.mark.broker

README = (DEPLOY / "mosquitto-sub" / "README.md").read_text()
LINES = re.findall(r"```sh\n(.+)\n```", README)

FIRST = {
    "unbuffered .cpu_percent": r"[\d.]+",
    "live/filesystem": r"[\d.]+ % /.*",
    "+/pulse -F %J": r"[\w-]+\t[\d.]*\t[\d.]+",
    "+/info": r"[\w-]+\t[^\t]+\t[^\t]*",
    "--retained-only": "gone|fallen|doomed",  # some by other tests
    "status -F %J -R": "killed",
    "%l": r"[\d.]+ [\d.]+ fleet/[\w/-]+",
    "%U": r"-?\d+",
    "+/backfill": r"\[[\d.]+,[\d.]+\]",
}
"""By a part of each line, how the first line of its output must look."""


@pytest.fixture
def lines(fleet: Fleet, tmp_path: Path) -> Iterator[dict[str, "subprocess.Popen[str]"]]:
    """Run every line at once, by its part, on the broker of the fleet; a host `gone` is lost already."""
    for program, package in (("mosquitto_sub", "mosquitto-clients"), ("jq", "jq")):
        find(program, package)
    with fleet.agent("gone") as agent:
        wait_for(lambda: fleet.state("gone") == "live", "the host is live")
        agent.kill()
    wait_for(lambda: fleet.state("gone") == "lost", "the host is lost")
    (tmp_path / "mosquitto_sub").write_text(f"-h 127.0.0.1\n-p {fleet.broker.port}\n")
    with ExitStack() as stack:
        yield {part: stack.enter_context(shell(line_with(part), tmp_path)) for part in FIRST}


def line_with(part: str) -> str:
    line: str
    (line,) = (line for line in LINES if part in line)
    return line


@contextmanager
def shell(line: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a line as it stands; the folder has the options where mosquitto_sub looks for them."""
    with subprocess.Popen(
        ["sh", "-c", line],
        env=os.environ | {"XDG_CONFIG_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # that the time is over
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


async def test_every_line_says_what_it_is_for(
    fleet: Fleet, lines: dict[str, "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """Its first line of output looks as the recipe says, while one host is killed and another is cut off."""
    assert len(FIRST) == len(LINES)
    async with FaultyProxy(fleet.broker.port) as proxy:
        with (
            Fleetglass(
                *("agent", "--broker", proxy.url, "--host-id", "cut-off", "--interval", "0.5"), home=tmp_path
            ),
            fleet.agent("killed") as killed,
        ):
            for host in ("cut-off", "killed"):
                await wait_until(lambda host=host: fleet.state(host) == "live", f"{host} is live")  # type: ignore[misc]
            killed.kill()
            await wait_until(lambda: fleet.state("killed") == "lost", "the host is lost")
            proxy.set("cut")
            await wait_until(lambda: fleet.state("cut-off") == "lost", "the host is cut off")
            proxy.set("none")
            for part, expected in FIRST.items():
                said = await asyncio.to_thread(first_line, lines[part])
                assert re.fullmatch(expected, said), f"{part}: {said}"


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def test_the_options_reach_a_secured_broker(secured: SecuredBroker, tmp_path: Path) -> None:
    """With the recipe's file mosquitto_sub comes in by TLS and password; another password is refused."""
    access = secured.reader("shell")
    assert access.password is not None
    (options,) = re.findall(r"```\n(-h .+?)```", README, re.DOTALL)
    for old, new in {
        "broker.example": "127.0.0.1",
        "8883": str(secured.port),
        "/home/me/ca.crt": str(secured.folder / "ca.crt"),
        "the-password": access.password,
    }.items():
        assert old in options
        options = options.replace(old, new)
    for text, code in ((options, 27), (options.replace(access.password, "another"), 5)):
        (tmp_path / "mosquitto_sub").write_text(text)
        heard = subprocess.run(
            [find("mosquitto_sub", "mosquitto-clients"), "-t", "fleet/#", "-W", "1"],
            env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)},
            capture_output=True,
            check=False,
        )
        assert heard.returncode == code, heard.stderr  # 27: the second is over; 5: refused
