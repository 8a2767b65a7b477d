import socket
from pathlib import Path

import pytest
from msgspec import UNSET

from agent.engine_server import engine
from fleetglass.agent.collectors.container import (
    Containers,
    container_collector,
    container_use,
    engine_sockets,
)
from fleetglass.agent.readings.container import ContainerReading
from fleetglass.agent.readings.types import ContainerUse
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Container
from support.waiting import wait_for

BEFORE = ContainerReading(
    at=10.0,
    id="a",
    name="web",
    image="nginx",
    state="running",
    health="healthy",
    restarts=1,
    started=100.0,
    use=ContainerUse(5.0, 250, 1000, 1000, 2000, 3000, 4000),
)


def test_rates_are_of_the_time_between_two_readings() -> None:
    """CPU is percent of one core, as for processes; a container with two busy threads has 150 %."""
    use = container_use(
        BEFORE, BEFORE._replace(at=15.0, use=ContainerUse(12.5, 250, 1000, 1500, 2000, 3005, 4500))
    )
    assert use.cpu_percent == 150.0
    assert (use.memory_used_bytes, use.memory_limit_bytes, use.memory_percent) == (250, 1000, 25.0)
    assert (use.network_receive_bytes_per_second, use.network_transmit_bytes_per_second) == (100, 0)
    assert (use.disk_read_bytes_per_second, use.disk_write_bytes_per_second) == (1, 100)
    assert (use.state, use.health, use.restarts, use.started_time) == ("running", "healthy", 1, 100.0)


def test_what_is_not_known_is_absent() -> None:
    """A new container has no rates, one that was started anew neither, and a stopped one no use."""
    for before, now in (
        (None, BEFORE),
        (BEFORE, BEFORE._replace(at=15.0, started=104.0)),
        (BEFORE, BEFORE._replace(at=15.0, use=ContainerUse(1.0, received=5))),
    ):
        use = container_use(before, now)
        assert (use.cpu_percent, use.network_receive_bytes_per_second) == (UNSET, UNSET)
    stopped = container_use(BEFORE, BEFORE._replace(at=15.0, state="exited", health=None, use=ContainerUse()))
    assert (stopped.memory_used_bytes, stopped.memory_percent, stopped.health) == (UNSET, UNSET, UNSET)


def test_two_containers_that_change_places_keep_their_own_rates() -> None:
    """Containers are told apart by their id, whatever their names."""
    readings = [[BEFORE], [BEFORE._replace(id="b", at=15.0)]]
    containers = Containers(lambda: readings.pop(0))
    containers.read()
    assert containers.read().containers["web"].cpu_percent is UNSET


def test_sockets_are_those_of_the_system_and_of_the_user() -> None:
    """The user's own engines come after the system's."""
    assert engine_sockets(Path("/host"), {}) == [
        Path("/host/run/docker.sock"),
        Path("/host/var/run/docker.sock"),
        Path("/host/run/podman/podman.sock"),
    ]
    assert engine_sockets(Path("/"), {"XDG_RUNTIME_DIR": "/run/user/1000"})[3:] == [
        Path("/run/user/1000/docker.sock"),
        Path("/run/user/1000/podman/podman.sock"),
    ]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs unix sockets")
def test_containers_come_from_the_background() -> None:
    """A real engine's containers are there at a later turn, and no turn waits for them."""
    with engine() as docker:
        docker.say_docker()
        collector = container_collector(docker.root, total_memory=lambda: 2**33, environment={})
        assert collector.collect(1.0, 1) is None
        message = wait_for(lambda: collector.collect(2.0, 2), "the containers")
        assert isinstance(message, Container)
        assert (message.time, message.tick, list(message.containers)) == (2.0, 2, ["web", "job"])


def test_a_host_without_an_engine_says_so(tmp_path: Path) -> None:
    """The reason is the group's failure."""
    collector = container_collector(tmp_path, total_memory=lambda: 2**33, environment={})

    def failure() -> str:
        try:
            collector.collect(1.0, 1)
        except CollectionError as error:
            return str(error)
        return ""

    assert "no socket of Docker or Podman" in wait_for(failure, "the failure")
