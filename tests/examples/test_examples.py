"""Each example runs as its docstring says, against a real bridge."""

import asyncio
import base64
import importlib
import itertools
import json
import os
import re
import signal
import sqlite3
import ssl
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.message import Message
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from fleetglass.wire import Topics
from support.bridge import publisher, running_bridge
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_for

EXAMPLES = Path(__file__).parents[2] / "examples"

ROOMS = ("agent", "bridge", "cli", "client", "examples", "fleet", "mqtt")

pytestmark = pytest.mark.broker


@asynccontextmanager
async def fleet(mosquitto: Mosquitto, prefix: str, **uses: float) -> AsyncIterator[str]:
    """Give the address of a bridge with hosts that tell these uses of CPU, again and again."""
    stop = asyncio.Event()  # as aiomqtt may swallow a cancellation

    async def publish() -> None:
        async with publisher(mosquitto) as agents:
            for tick in itertools.count():
                for host, use in uses.items():
                    now = time.time()
                    stamp = {"time": now, "tick": tick, "session": "a"}
                    status = {"state": "online", "session": "a", "time": now}
                    pulse = stamp | {"cpu_percent": use, "memory_percent": 50.0, "filesystem_percent": 20.0}
                    await agents.publish(f"{prefix}/{host}/status", json.dumps(status), qos=1)
                    await agents.publish(f"{prefix}/{host}/pulse", json.dumps(pulse))
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await stop.wait()
                        return

    async with running_bridge(mosquitto, prefix) as bridge:
        publishing = asyncio.create_task(publish(), name="hosts")
        try:
            yield f"ws://127.0.0.1:{bridge.port}/ws"
        finally:
            stop.set()
            await publishing


class Running:
    """An example that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.output = ""

    async def until(self, text: str) -> None:
        """Wait until the output holds a text."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while text not in self.output:
                line = await self._process.stdout.readline()
                assert line, f"ended before {text!r}: {self.output}"
                self.output += line.decode()

    async def interrupt(self) -> None:
        """Press Ctrl-C; the example ends with 0 and says nothing bad."""
        self._process.send_signal(signal.SIGINT)
        await self.end()

    async def end(self) -> None:
        """Wait for a good end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            rest, _ = await self._process.communicate()
        self.output += rest.decode()
        assert self._process.returncode == 0, self.output
        assert "Traceback" not in self.output


@asynccontextmanager
async def run(example: str, *arguments: str, **environment: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-W", "error", str(EXAMPLES / example), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | environment,
    )
    try:
        yield Running(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_database(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """Rows of all hosts are written, and the last hours are asked for while they are."""
    path = tmp_path / "fleet.db"
    async with (
        fleet(mosquitto, prefix, a=10.0, b=30.0) as url,
        run("database.py", str(path), "--url", url) as writer,
    ):
        rows = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while rows < 4:
                await asyncio.sleep(0.1)
                with suppress(sqlite3.OperationalError):  # not made yet
                    connection = sqlite3.connect(path)
                    try:
                        rows = connection.execute("select count(*) from samples").fetchone()[0]
                    finally:
                        connection.close()
        async with run("database.py", str(path), "--show-hours", "1") as reader:
            await reader.end()
        await writer.interrupt()
    lines = [line.split("\t") for line in reader.output.splitlines()]
    assert [(line[0], line[2:]) for line in lines] == [
        ("a", ["10.0", "50.0", "20.0", "-"]),
        ("b", ["30.0", "50.0", "20.0", "-"]),
    ]


async def test_alert_by_command(mosquitto: Mosquitto, prefix: str) -> None:
    """A host at its threshold runs the command once, one below it does not."""
    async with (
        fleet(mosquitto, prefix, a=95.0, b=79.9) as url,
        run("alert.py", "--url", url, "--duration", "4", "--command", "echo ALERT") as alert,
    ):
        await alert.end()
    assert alert.output == "ALERT a: cpu is at 95 %, from 80 % on\n"


async def test_alert_by_mail(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """The alert is mailed over STARTTLS, after signing in, and never in clear."""
    authority = Authority(tmp_path)
    server = MailServer(authority)
    async with server.running() as address, fleet(mosquitto, prefix, a=95.0) as url:
        arguments = ["--url", url, "--smtp", address, "--smtp-ca", str(authority.own.certificate)]
        async with run(
            "alert.py", *arguments, "--user", "me", "--to", "me@mail.example", SMTP_PASSWORD="geheim"
        ) as alert:
            async with asyncio.timeout(PATIENCE_SECONDS):
                mail = await server.mail
            await alert.interrupt()
    assert "Subject: a: cpu is at 95 %, from 80 % on" in mail
    assert server.signed_in == "\0me\0geheim"
    assert not server.said_in_clear & {"AUTH", "MAIL", "DATA"}


async def test_distributed_average(mosquitto: Mosquitto, prefix: str) -> None:
    """The hosts of two bridges make one mean, and one at 80 % is a warning."""
    async with (
        fleet(mosquitto, prefix + "-one", a=70.0, b=80.0) as one,
        fleet(mosquitto, prefix + "-two", c=90.0) as two,
        run("distributed_average.py", one, two, "--every", "0.3") as average,
    ):
        await average.until("80.0 % mean CPU use of 3 hosts  WARNING\n")
        await average.interrupt()


async def test_service(mosquitto: Mosquitto, prefix: str) -> None:
    """The service starts, knows the busiest host, and stops at a signal."""
    async with fleet(mosquitto, prefix, a=10.0, b=30.0) as url, run("service.py", url) as service:
        await service.until("('b', 30.0)")
        await service.interrupt()
    assert "connected" in service.output


async def test_service_without_a_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no bridge comes, the service tries five times and says why it gave up."""
    monkeypatch.syspath_prepend(EXAMPLES)
    made = importlib.import_module("service").MonitoringService(
        f"ws://127.0.0.1:{free_port()}/ws", retry_seconds=0
    )
    made._client.ws_client.operation_timeout = 0.05
    with pytest.raises(TimeoutError, match="connection refused"):
        await made.start()
    told = made._client.get_statistics()
    assert told["error_count"] >= 5


class MailServer:
    """As much of SMTP as one mail needs."""

    def __init__(self, authority: Authority) -> None:
        made = authority.issue("mail")
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(made.certificate, made.key)
        self.said_in_clear: set[str] = set()
        self.signed_in = ""
        self.mail: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Give the address of a server on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        encrypted = False
        while line := (await reader.readline()).decode().strip():
            command = line.split()[0].upper()
            if not encrypted:
                self.said_in_clear.add(command)
            if command == "AUTH":
                self.signed_in = base64.b64decode(line.split()[2]).decode()
            answers = {"EHLO": "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN", "AUTH": "235 yes"}
            answers |= {"STARTTLS": "220 go", "DATA": "354 go", "QUIT": "221 bye"}
            writer.write((answers.get(command, "250 ok") + "\r\n").encode())
            await writer.drain()
            if command == "STARTTLS":
                await writer.start_tls(self._tls)
                encrypted = True
            elif command == "DATA":
                mail = await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 ok\r\n")
                if not self.mail.done():
                    self.mail.set_result(mail.decode())
        writer.close()


def test_two_programs_do_not_put_each_other_out(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the broker has a client id of its own, unless the user names a session."""
    monkeypatch.syspath_prepend(EXAMPLES)
    influxdb = importlib.import_module("influxdb")
    access = BrokerAccess(url=BrokerURL("127.0.0.1", mosquitto.port))

    def reader(session: str | None = None) -> ThreadedConnection:
        made: ThreadedConnection = influxdb.connection_to(access, Topics(prefix), 1, deque(), session)
        return made

    with reader() as one, reader() as other, reader(prefix) as named:
        readers = (one, other, named)
        wait_for(lambda: all(each.connected for each in readers), "the connections")
        pulse = Message(f"{prefix}/web-1/pulse", b"{}", qos=1)
        one.send([pulse])[0].wait_for_publish(PATIENCE_SECONDS)
        assert [each.number for each in readers] == [1, 1, 1]


def test_no_program_has_a_fixed_client_id() -> None:
    """Two of it would put each other out, again and again, and say nothing."""
    fixed = re.compile(r"""client_id\s*=\s*(f?["'][^{"']*["']|[A-Z_]+\b)|identifier\s*=\s*["']""")
    root = EXAMPLES.parent
    programs = [path for room in ROOMS for path in (root / room).rglob("*.py")]
    assert len(programs) > 100
    assert [str(path) for path in programs if fixed.search(path.read_text("utf-8"))] == []
