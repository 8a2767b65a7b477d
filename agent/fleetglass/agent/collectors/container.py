"""Containers, read in the background; imported only where they are asked for."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import UNSET

from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.collectors.rates import core_percent, known, percent, rate
from fleetglass.agent.readings.container import ContainerReader, ContainerReading
from fleetglass.wire.payloads import Container, ContainerEntry

_SECONDS = 5.0
_LEASED_SECONDS = 1.0  # while somebody watches


def container_collector(
    root: Path,
    *,
    total_memory: Callable[[], int | None],
    names: dict[str, str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> BackgroundCollector:
    """Return the collector of the containers of Docker or Podman; `names` gets their names by id."""
    reader = ContainerReader(engine_sockets(root, environment), total_memory=total_memory, root=root)
    read = Containers(reader, names).read
    return BackgroundCollector("container", _SECONDS, read, shortest_interval=_LEASED_SECONDS)


def engine_sockets(root: Path, environment: Mapping[str, str]) -> list[Path]:
    """Return where the sockets of Docker and Podman may be: the system's, then those of the user."""
    # Below another root, a link such as /var/run would lead out of it.
    sockets = [root / place for place in ("run/docker.sock", "var/run/docker.sock", "run/podman/podman.sock")]
    if folder := environment.get("XDG_RUNTIME_DIR"):
        sockets += [Path(folder) / "docker.sock", Path(folder) / "podman/podman.sock"]
    return sockets


class Containers:
    """Makes messages of readings; rates are of the time since the last."""

    def __init__(
        self, read: Callable[[], list[ContainerReading]], names: dict[str, str] | None = None
    ) -> None:
        self._read = read
        self._names = {} if names is None else names
        self._before: dict[str, ContainerReading] = {}

    def read(self) -> Container:
        """Return what the containers did since the last call, without a stamp of its own.

        Raises:
            CollectionError: there is no engine, or it does not answer.
        """
        now = self._read()
        before, self._before = self._before, {one.id: one for one in now}
        self._names.update((one.id, one.name) for one in now)
        for gone in before.keys() - self._before.keys():
            del self._names[gone]
        return Container(
            time=0,
            tick=0,
            containers={one.name: container_use(before.get(one.id), one) for one in now},
        )


def container_use(before: ContainerReading | None, now: ContainerReading) -> ContainerEntry:
    """Return what one container did between two readings; one seen for the first time has no rates."""
    use = now.use
    message = ContainerEntry(
        image=now.image or UNSET,
        state=now.state or UNSET,
        health=known(now.health),
        memory_used_bytes=known(use.memory_used),
        memory_limit_bytes=known(use.memory_limit),
        memory_percent=percent(use.memory_used, use.memory_limit),
        restarts=known(now.restarts),
        started_time=known(now.started),
    )
    if before is None or before.started != now.started:
        return message
    elapsed = now.at - before.at
    earlier = before.use
    message.network_receive_bytes_per_second = rate(earlier.received, use.received, elapsed)
    message.network_transmit_bytes_per_second = rate(earlier.transmitted, use.transmitted, elapsed)
    message.disk_read_bytes_per_second = rate(earlier.read, use.read, elapsed)
    message.disk_write_bytes_per_second = rate(earlier.written, use.written, elapsed)
    message.cpu_percent = core_percent(earlier.cpu_seconds, use.cpu_seconds, elapsed)
    return message
