"""A server on a unix socket that answers as Docker and Podman do."""

import json
import shutil
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

WEB = "3f4e8a1b0c2d" + 52 * "0"
JOB = "77c1d20e9a5b" + 52 * "0"

# As Docker 28.2 answers, without fields that nobody here reads.
LISTED = [
    {
        "Id": WEB,
        "Names": ["/other/alias", "/web"],
        "Image": "nginx:1.27",
        "ImageID": "sha256:1e5f3c5b981a9f91ca91cf13ce87c2eedfc7a083f4f279552084dd08fc477512",
        "Created": 1795200000,
        "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}],
        "Labels": {"com.docker.compose.project": "site"},
        "State": "running",
        "Status": "Up 3 hours (healthy)",
        "HostConfig": {"NetworkMode": "site_default"},
        "Mounts": [],
    },
    {
        "Id": JOB,
        "Names": ["/job"],
        "Image": "busybox",
        "Created": 1795100000,
        "State": "exited",
        "Status": "Exited (0) 2 days ago",
    },
]
INSPECTED = {
    "Id": WEB,
    "Created": "2026-11-20T18:40:00.123456789Z",
    "State": {
        "Status": "running",
        "Running": True,
        "Pid": 4242,
        "ExitCode": 0,
        "StartedAt": "2026-11-20T18:40:01.5Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "healthy", "FailingStreak": 0, "Log": []},
    },
    "RestartCount": 2,
    "HostConfig": {"NetworkMode": "site_default", "Memory": 268435456},
}
INSPECTED_JOB = {
    "Id": JOB,
    "State": {"Status": "exited", "Pid": 0, "StartedAt": "0001-01-01T00:00:00Z"},
    "RestartCount": 0,
}
STATS = {
    "read": "2026-11-21T16:20:00.8Z",
    "pids_stats": {"current": 3},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "read", "value": 4096000},
            {"major": 8, "minor": 0, "op": "write", "value": 8192},
        ],
        "io_serviced_recursive": None,
    },
    "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000_000, "usage_in_usermode": 1}, "online_cpus": 4},
    "memory_stats": {"usage": 52_428_800, "stats": {"inactive_file": 2_428_800}, "limit": 268_435_456},
    "networks": {"eth0": {"rx_bytes": 1000, "tx_bytes": 500}, "eth1": {"rx_bytes": 24, "tx_bytes": 12}},
}
# As Podman 4.3.1 answers on the same paths.
PODMAN_LISTED = [
    {
        "Id": WEB,
        "Names": ["/web"],
        "Image": "docker.io/library/nginx:latest",
        "ImageID": "sha256:1e5f3c5b981a9f91ca91cf13ce87c2eedfc7a083f4f279552084dd08fc477512",
        "Command": "nginx -g daemon off;",
        "Created": 1795200000,
        "Ports": [],
        "Labels": {},
        "State": "running",
        "Status": "Up 3 hours",
        "NetworkSettings": {"Networks": None},
        "Mounts": [],
        "Name": "",
        "Config": None,
        "NetworkingConfig": None,
        "Platform": None,
        "AdjustCPUShares": False,
    }
]
PODMAN_INSPECTED = {
    "Id": WEB,
    "State": {
        "Status": "running",
        "Running": True,
        "Pid": 4242,
        "ExitCode": 0,
        "StartedAt": "2026-11-20T19:40:01.5+01:00",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "", "FailingStreak": 0, "Log": None},
    },
    "RestartCount": 0,
    "Name": "/web",
    "HostConfig": {"NetworkMode": "bridge"},
}

Answer = bytes | Callable[[BaseHTTPRequestHandler], None]


class Engine:
    """What a running server is told to answer, and what it was asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.socket = root / "var/run/docker.sock"
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    def say(self, path: str, answer: Any) -> None:
        """Answer a path, without its query, with JSON, bytes, or by a function."""
        self.answers[path] = (
            answer if isinstance(answer, bytes) or callable(answer) else json.dumps(answer).encode()
        )

    def say_docker(self) -> None:
        """Answer as Docker with two containers."""
        self.say("/containers/json", LISTED)
        self.say(f"/containers/{WEB}/json", INSPECTED)
        self.say(f"/containers/{JOB}/json", INSPECTED_JOB)
        self.say(f"/containers/{WEB}/stats", STATS)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no error of the test."""


@contextmanager
def engine() -> Iterator[Engine]:
    """Run a server under a root folder of its own, whose path is short enough for a socket."""
    root = Path(tempfile.mkdtemp(prefix="fg-"))
    told = Engine(root)
    told.socket.parent.mkdir(parents=True)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            told.asked.append(self.path)
            answer = told.answers.get(path)
            if callable(answer):
                answer(self)
                return
            body = b'{"message":"No such container"}' if answer is None else answer
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(str(told.socket), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        shutil.rmtree(root)
