import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from agent.engine_server import (
    JOB,
    LISTED,
    PODMAN_INSPECTED,
    PODMAN_LISTED,
    STATS,
    WEB,
    Engine,
    engine,
)
from fleetglass.agent.readings.container import ContainerReader
from fleetglass.agent.readings.container_engine import Engine as Asking
from fleetglass.agent.readings.types import ContainerUse
from fleetglass.wire.errors import CollectionError

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs unix sockets")


@pytest.fixture
def docker() -> Iterator[Engine]:
    """Give an engine that answers as Docker does."""
    with engine() as one:
        one.say_docker()
        yield one


def total_memory() -> int:
    return 2**33


def reader(docker: Engine) -> ContainerReader:
    return ContainerReader([docker.socket], root=docker.root, total_memory=total_memory)


def write(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text)


def write_cgroup(root: Path, path: str = f"system.slice/docker-{WEB}.scope") -> None:
    write(root / "proc/4242", cgroup=f"0::/{path}\n")
    write(
        root / "proc/4242/net",
        dev=(
            "Inter-|   Receive                            |  Transmit\n"
            " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop\n"
            "    lo:  99999 9 0 0 0 0 0 0  99999 9 0 0 0 0 0 0\n"
            "  eth0: 123456 90 0 0 0 0 0 0   6543 70 0 0 0 0 0 0\n"
        ),
    )
    write(
        root / "sys/fs/cgroup" / path,
        cpu__stat="usage_usec 7500000\nuser_usec 7000000\nsystem_usec 500000\n",
        memory__current="62914560\n",
        memory__max="268435456\n",
        memory__stat="anon 50000000\nfile 9000000\ninactive_file 2914560\n",
        io__stat="8:0 rbytes=1024 wbytes=2048 rios=1 wios=2 dbytes=0 dios=0\n253:0 rbytes=1 wbytes=2\n",
    )


def test_containers_are_listed_as_docker_tells_them(docker: Engine) -> None:
    """Running and stopped ones have name, image, state and health; what Docker measures is asked for."""
    web, job = reader(docker)()
    assert (web.name, web.image, web.state, web.health, web.restarts) == (
        "web",
        "nginx:1.27",
        "running",
        "healthy",
        2,
    )
    assert web.started == 1795200001.5
    assert web.use == ContainerUse(5.0, 50_000_000, 268_435_456, 1024, 512, 4_096_000, 8192)
    assert (job.name, job.state, job.health, job.started, job.use) == (
        "job",
        "exited",
        None,
        None,
        ContainerUse(),
    )
    assert all(path.startswith("/containers/") for path in docker.asked)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")
def test_what_the_engine_tells_of_a_volume_and_its_disk_counts_once(docker: Engine) -> None:
    """What a container read through a volume, it read once."""
    blocks = docker.root / "sys/devices/virtual/block"
    for name, number in (("sda", "8:0"), ("dm-0", "253:0")):
        (blocks / name / "slaves").mkdir(parents=True)
        for link in (docker.root / "sys/dev/block" / number, docker.root / "sys/class/block" / name):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(blocks / name)
    (blocks / "dm-0/slaves/sda").symlink_to(blocks / "sda")
    told = [
        {"major": major, "minor": 0, "op": op, "value": value}
        for major in (8, 253)
        for op, value in (("read", 700), ("write", 30))
    ]
    docker.say(f"/containers/{WEB}/stats", STATS | {"blkio_stats": {"io_service_bytes_recursive": told}})
    web, _ = reader(docker)()
    assert (web.use.read, web.use.written) == (700, 30)


@pytest.mark.skipif(sys.platform != "linux", reason="reads control groups")
def test_use_is_read_from_control_groups(docker: Engine) -> None:
    """Where the container's group is found, the engine is not asked for what is dear to it."""
    write_cgroup(docker.root)
    web, _ = reader(docker)()
    assert web.use == ContainerUse(7.5, 60_000_000, 268_435_456, 123_456, 6543, 1025, 2050)
    assert not [path for path in docker.asked if "stats" in path]


@pytest.mark.skipif(sys.platform != "linux", reason="reads control groups")
def test_details_are_asked_for_once_a_minute(docker: Engine) -> None:
    """Five readings ask for the list five times, and for each container's detail once."""
    write_cgroup(docker.root)
    now = [100.0]
    read = ContainerReader([docker.socket], root=docker.root, total_memory=total_memory, clock=lambda: now[0])
    for _ in range(5):
        read()
        now[0] += 5
    assert len([path for path in docker.asked if path.endswith(f"{WEB}/json")]) == 1
    now[0] += 60
    read()
    assert len([path for path in docker.asked if path.endswith(f"{WEB}/json")]) == 2
    docker.say("/containers/json", [LISTED[0] | {"State": "paused"}])
    read()
    assert len([path for path in docker.asked if path.endswith(f"{WEB}/json")]) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="reads control groups")
def test_podman_is_read_too(docker: Engine) -> None:
    """Podman's answers, with nulls and its own groups, give the same."""
    docker.say("/containers/json", PODMAN_LISTED)
    docker.say(f"/containers/{WEB}/json", PODMAN_INSPECTED)
    write_cgroup(docker.root, f"machine.slice/libpod-{WEB}.scope")
    write(docker.root / "proc/4242", cgroup=f"0::/machine.slice/libpod-{WEB}.scope/container\n")
    (web,) = reader(docker)()
    assert (web.name, web.health, web.started) == ("web", None, 1795200001.5)
    assert web.use.cpu_seconds == 7.5


@pytest.mark.skipif(sys.platform != "linux", reason="reads control groups")
def test_the_hosts_traffic_is_not_the_containers(docker: Engine) -> None:
    """A container in the network of the host has no traffic of its own."""
    write_cgroup(docker.root)
    docker.say(f"/containers/{WEB}/json", {"State": {"Pid": 4242}, "HostConfig": {"NetworkMode": "host"}})
    web, _ = reader(docker)()
    assert (web.use.received, web.use.transmitted, web.use.cpu_seconds) == (None, None, 7.5)


def test_a_limit_of_the_whole_host_is_none(docker: Engine) -> None:
    """A container that may have all memory has no limit."""
    stats = STATS | {"memory_stats": {"usage": 1000, "limit": 2**33, "stats": {}}}
    docker.say(f"/containers/{WEB}/stats", stats)
    web, _ = reader(docker)()
    assert (web.use.memory_used, web.use.memory_limit) == (1000, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{}",
        b"null",
        b'[{"Names": ["/a"]}]',
        b'[{"Id": 5}]',
        b"[" * 99_999,
        b'{"message":"?"}',
    ],
)
def test_garbage_is_told_in_one_line(docker: Engine, body: bytes) -> None:
    """An answer that is no list of containers is an error that names socket and request."""
    docker.say("/containers/json", body)
    with pytest.raises(CollectionError, match=r"docker\.sock: got an answer that cannot be read \(GET /cont"):
        reader(docker)()


def test_details_are_kept_when_they_cannot_be_asked_for_again(docker: Engine) -> None:
    """An engine that is too busy for details leaves those that are known."""
    now = [100.0]
    read = ContainerReader([docker.socket], root=docker.root, total_memory=total_memory, clock=lambda: now[0])
    read()
    docker.say(f"/containers/{WEB}/json", b"garbage")
    now[0] += 61
    web, _ = read()
    assert (web.restarts, web.started) == (2, 1795200001.5)


def test_what_one_container_hides_costs_only_itself(docker: Engine) -> None:
    """Without an answer about one container, it has its line in the list, and the others have all."""
    docker.say(f"/containers/{WEB}/json", b"garbage")
    docker.say(f"/containers/{WEB}/stats", b"garbage")
    web, job = reader(docker)()
    assert (web.name, web.health, web.restarts, web.use) == ("web", "healthy", None, ContainerUse())
    assert job.restarts == 0


def test_an_engine_that_hangs_is_given_up(docker: Engine) -> None:
    """No answer in time is an error; the thread is not held for longer."""
    release = threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> None:
        release.wait(30)

    docker.say("/containers/json", hang)
    with pytest.raises(CollectionError, match=r"no answer within 0\.2 s"):
        Asking([docker.socket], answer_seconds=0.2).get("/containers/json", list[int])
    release.set()


@pytest.mark.skipif(sys.platform != "linux", reason="reads control groups")
def test_a_busy_engine_has_five_seconds_and_its_details(docker: Engine) -> None:
    """A list that takes 4.9 s is no failure, and leaves time to ask for each container."""
    write_cgroup(docker.root)
    now = [100.0]

    def list_slowly(handler: BaseHTTPRequestHandler) -> None:
        now[0] += 4.9
        body = json.dumps(LISTED).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    docker.say("/containers/json", list_slowly)
    web, _ = ContainerReader(
        [docker.socket], root=docker.root, total_memory=total_memory, clock=lambda: now[0]
    )()
    assert (web.restarts, web.use.cpu_seconds) == (2, 7.5)


def test_a_huge_answer_is_refused(docker: Engine) -> None:
    """What is larger than any list is not kept in memory."""
    docker.say("/containers/json", b" " * (4 * 1024 * 1024 + 1))
    with pytest.raises(CollectionError, match="more than 4194304 bytes"):
        reader(docker)()


def test_what_is_no_http_is_told(docker: Engine) -> None:
    """Something else behind the socket is an error like any other, and so is a refusal."""

    def babble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        handler.close_connection = True

    docker.say("/containers/json", babble)
    with pytest.raises(CollectionError, match="BadStatusLine"):
        reader(docker)()

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(500)

    docker.say("/containers/json", refuse)
    with pytest.raises(CollectionError, match="got status 500, expected 200"):
        reader(docker)()


def test_no_engine_at_all_is_one_clear_reason(tmp_path: Path) -> None:
    """Without a socket the reason says where it was looked for."""
    with pytest.raises(
        CollectionError, match=r"no socket of Docker or Podman found \(looked for .*/a, .*/b\)"
    ):
        ContainerReader([tmp_path / "a", tmp_path / "b"], total_memory=total_memory)()


def test_a_socket_that_nobody_serves_gives_way_to_the_next(docker: Engine) -> None:
    """A socket left behind is passed over; alone, it is the reason."""
    with tempfile.TemporaryDirectory(prefix="fg-") as folder:
        stale = Path(folder) / "s"
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(stale))
        left.close()
        assert len(ContainerReader([stale, docker.socket], total_memory=total_memory)()) == 2
        with pytest.raises(CollectionError, match="nobody answers"):
            ContainerReader([stale], total_memory=total_memory)()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to be someone else")
def test_a_socket_that_lets_nobody_in_is_one_clear_reason(docker: Engine) -> None:
    """Permission denied says whose socket it is and what would help."""
    docker.root.chmod(0o755)
    docker.socket.chmod(0o600)
    os.seteuid(65534)
    try:
        with pytest.raises(CollectionError, match=r"docker\.sock: got permission denied, expected"):
            reader(docker)()
    finally:
        os.seteuid(0)


def test_containers_that_went_are_forgotten(docker: Engine) -> None:
    """Details are kept of the containers there are, and of no others."""
    read = reader(docker)
    read()
    assert set(read._details) == {WEB, JOB}
    docker.say("/containers/json", [])
    assert read() == []
    assert read._details == {}
