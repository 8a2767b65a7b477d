import time as clocks
from collections.abc import Callable

from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.rates import known, percent
from fleetglass.agent.readings.gpu.gpu_reader import GpuReader
from fleetglass.agent.readings.plausible import is_speed, is_temperature
from fleetglass.agent.readings.types import GpuReading, ProcessFacts
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Gpu, GpuDevice, Group

_USERS_SECONDS = 10.0
_LEASED_SECONDS = 2.0  # while somebody watches
_BELIEVED_SECONDS = 60.0  # a GPU that idles is read every 15 s


class GpuCollector:
    """Every GPU, and who uses it. One that sleeps is not woken.

    The users are read on a thread of their own, and seldom: it takes long, and drivers hang.
    """

    group = "gpu"
    interval = 0.0

    def __init__(
        self,
        reader: Callable[[], list[GpuReading]],
        problem: Callable[[], str | None],
        read_users: Callable[[frozenset[str]], Gpu] = lambda _: Gpu(time=0, tick=0, devices={}),
        *,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        """`problem` says why a GPU that is there could not be read at the last reading.

        `read_users` gives what devices with these keys tell of their users. It is called on another thread.
        """
        self._read = reader
        self._problem = problem
        self._before: dict[str, GpuReading] = {}
        self._active: frozenset[str] = frozenset()
        self._known_users: dict[str, tuple[float, GpuDevice]] = {}
        self._users = BackgroundCollector(
            "gpu-users",
            _USERS_SECONDS,
            lambda: read_users(self._active),
            shortest_interval=_LEASED_SECONDS,
            clock=clock,
        )

    @classmethod
    def of(
        cls, reader: GpuReader, facts_of: Callable[[int], ProcessFacts] = lambda _: ProcessFacts()
    ) -> "GpuCollector":
        """Return the collector of what a reader finds; `facts_of` describes a process."""

        def read_users(keys: frozenset[str]) -> Gpu:
            from fleetglass.agent.collectors.gpu_user import gpu_users  # most hosts have no GPU to read

            found = reader.users(keys) if keys else {}
            return Gpu(time=0, tick=0, devices={key: gpu_users(one, facts_of) for key, one in found.items()})

        def problem() -> str | None:
            return "; ".join(filter(None, (reader.problem, reader.users_problem))) or None

        return cls(reader, problem, read_users)

    def collect(self, time: float, tick: int) -> Gpu | Partial | None:
        """Return what the GPUs did since the last call.

        Raises:
            CollectionError: none can be read, though there is one.
        """
        readings = self._read()
        problem = self._problem()
        if not readings:
            self._before = {}
            if problem is not None:
                raise CollectionError(problem)
            return None
        active = {one.key: one for one in readings if one.state == "active"}
        self._active = frozenset(active)
        try:
            self._keep_users(self._users.collect(time, tick, may_begin=bool(active)), readings[0].at)
        except CollectionError as error:
            self._known_users = {}
            problem = "; ".join(filter(None, (problem, f"who uses GPUs: {error}")))
        devices = {one.key: gpu_use(self._before.get(one.key), one) for one in readings}
        for key, one in active.items():
            read_at, users = self._known_users.get(key, (float("-inf"), None))
            if users is not None and one.at - read_at < _BELIEVED_SECONDS:
                device = devices[key]
                device.process_count, device.processes = users.process_count, users.processes
                device.instances = users.instances
        self._before |= active
        message = Gpu(time=time, tick=tick, devices=devices)
        return message if problem is None else Partial(message, problem)

    def hasten(self, interval: float | None) -> None:
        """Read the users at least as often as this, in seconds; None is as often as usual."""
        self._users.hasten(interval)

    def close(self) -> None:
        """Read the users no more."""
        self._users.close()

    def _keep_users(self, found: Group | Partial | None, at: float) -> None:
        if isinstance(found, Gpu):
            self._known_users |= {key: (at, device) for key, device in found.devices.items()}


def gpu_use(before: GpuReading | None, now: GpuReading) -> GpuDevice:
    """Return what one GPU did; power from a counter of energy, where the GPU tells no power."""
    elapsed = now.at - before.at if before is not None else 0.0
    power = now.power
    if power is None and (joules := _grown(before and before.energy, now.energy)) is not None and elapsed > 0:
        power = joules / elapsed
    asleep = _grown(before and before.asleep_seconds, now.asleep_seconds)
    return GpuDevice(
        name=known(now.name),
        vendor=now.vendor,
        index=known(now.number),
        state=now.state,
        busy_percent=_share(now.busy),
        awake_percent=UNSET if asleep is None else percent(elapsed - asleep, elapsed),
        memory_used_bytes=known(now.memory_used),
        memory_total_bytes=known(now.memory_total),
        memory_percent=percent(now.memory_used, now.memory_total),
        temperature_celsius=(
            round(float(now.temperature), 1)
            if now.temperature is not None and is_temperature(now.temperature)
            else UNSET
        ),
        power_watts=UNSET if power is None else round(power, 1),
        clock_hertz=known(now.frequency),
        fan_percent=_share(now.fan_percent),
        fan_rpm=now.fan_rpm if now.fan_rpm is not None and is_speed(now.fan_rpm) else UNSET,
    )


def _grown(before: float | None, now: float | None) -> float | None:
    if before is None or now is None or now < before:
        return None
    return now - before


def _share(value: float | None) -> float | UnsetType:
    return UNSET if value is None else round(min(max(float(value), 0.0), 100.0), 1)
