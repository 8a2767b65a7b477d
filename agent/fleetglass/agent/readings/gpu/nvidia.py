"""Readings of NVIDIA GPUs through NVML, the library of the driver (docs.nvidia.com/deploy/nvml-api)."""

import contextlib
import importlib
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from fleetglass.agent.readings.gpu.gpu_sleep import Sleep
from fleetglass.agent.readings.types import GpuReading, GpuUsersReading

_FIRST_RETRY_SECONDS = 10.0
_LAST_RETRY_SECONDS = 640.0
_MISSING = "an NVIDIA driver is here, but nvidia-ml-py is not: pip install nvidia-ml-py"


class _Gpu(NamedTuple):
    handle: Any
    key: str
    name: str | None
    number: int
    sleep: Sleep


class NvidiaReader:
    """Starts NVML where there is a driver, and starts it again, ever more seldom, when it fails."""

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[], Any] = lambda: importlib.import_module("pynvml"),
    ) -> None:
        self.problem: str | None = None
        """Why GPUs that are there could not be read just now."""
        self._root = root
        self._clock = clock
        self._load = load
        self._nvml: Any = None
        self._gpus: list[_Gpu] = []
        self._count = 0  # GPUs that NVML counts, those that do not answer among them
        self._asleep: list[tuple[str, Sleep]] = []  # GPUs known before NVML was started
        self._try_at = float("-inf")  # when NVML is to be started, or started anew
        self._retry_seconds = _FIRST_RETRY_SECONDS

    def __call__(self) -> list[GpuReading]:
        """Read every GPU; one that gives no answer at all is left out."""
        now = self._clock()
        if self._nvml is not None and now >= self._try_at:
            self._stop()
        if self._nvml is None:
            if now < self._try_at:
                return []
            if not self._has_driver():
                self._try_at = now + _LAST_RETRY_SECONDS
                return []
            if sleeping := self._all_asleep(now):
                return sleeping
            if not self._start(now):
                return []
        readings = [self._read(gpu, now) for gpu in self._gpus]
        answered = [one for one in readings if one is not None]
        if len(answered) == self._count:
            self.problem = None
            self._try_at = float("inf")
            self._retry_seconds = _FIRST_RETRY_SECONDS
        elif self._try_at == float("inf"):
            lost = self._count - len(answered)
            self._retry_later(now, f"{lost} of {self._count} NVIDIA GPUs do not answer")
        return answered

    def users(
        self, keys: Collection[str], takes: Callable[[int], bool] = lambda _: True
    ) -> dict[str, GpuUsersReading]:
        """Ask who uses these GPUs, of those processes that `takes` accepts; it may be on another thread."""
        nvml, gpus = self._nvml, [gpu for gpu in self._gpus if gpu.key in keys]
        if nvml is None or not gpus:
            return {}

        from fleetglass.agent.readings.gpu.nvidia_process import (
            read_nvidia_users,  # most hosts have no such GPU
        )

        found = {}
        for gpu in gpus:
            users = read_nvidia_users(nvml, gpu.handle)
            if users.processes is not None:
                users = users._replace(processes=[one for one in users.processes if takes(one.pid)])
            found[gpu.key] = users
        return found

    def _has_driver(self) -> bool:
        # Under WSL the driver is Windows's.
        return sys.platform == "win32" or any(
            (self._root / place).exists() for place in ("proc/driver/nvidia", "dev/dxg")
        )

    def _all_asleep(self, now: float) -> list[GpuReading]:
        """Return the GPUs when all of them sleep, for starting NVML would wake them."""
        if not self._asleep:
            addresses = sorted(path.name for path in self._root.glob("proc/driver/nvidia/gpus/*"))
            self._asleep = [(address, self._sleep(address)) for address in addresses]
        if any(sleep.state(now) != "suspended" for _, sleep in self._asleep):
            return []
        return [
            GpuReading(now, address, "NVIDIA", "suspended", number=number)  # the order that NVML has
            for number, (address, _) in enumerate(self._asleep)
        ]

    def _start(self, now: float) -> bool:
        try:
            nvml = self._load()
        except ImportError:
            self._retry_later(now, _MISSING if sys.platform != "win32" else None)
            return False
        try:
            nvml.nvmlInit()
            self._count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self._retry_later(now, f"NVML: {error}")
            return False
        self._nvml = nvml
        self._try_at = float("inf")
        for index in range(self._count):
            with contextlib.suppress(nvml.NVMLError):
                self._gpus.append(self._gpu(nvml, index))
        return True

    def _stop(self) -> None:
        with contextlib.suppress(self._nvml.NVMLError):
            self._nvml.nvmlShutdown()
        self._nvml = None
        self._gpus = []
        self._asleep = []

    def _retry_later(self, now: float, problem: str | None) -> None:
        self.problem = problem
        self._try_at = now + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, _LAST_RETRY_SECONDS)

    def _gpu(self, nvml: Any, index: int) -> _Gpu:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        domain, _, address = _words(nvml.nvmlDeviceGetPciInfo(handle).busId).lower().partition(":")
        key = f"{int(domain, 16):04x}:{address}"
        try:
            name = _words(nvml.nvmlDeviceGetName(handle))
        except nvml.NVMLError:
            name = None
        return _Gpu(handle, key, name, index, self._sleep(key))

    def _sleep(self, address: str) -> Sleep:
        return Sleep(self._root / "sys/bus/pci/devices" / address)

    def _read(self, gpu: _Gpu, now: float) -> GpuReading | None:
        """Ask one GPU for all it can tell; None when it answers nothing."""
        reading = GpuReading(now, gpu.key, "NVIDIA", gpu.sleep.state(now), gpu.name, gpu.number)
        if reading.state != "active":
            return reading
        nvml = self._nvml

        def ask(question: Callable[..., Any], *arguments: Any) -> Any:
            try:
                return question(gpu.handle, *arguments)
            except nvml.NVMLError:
                return None

        use = ask(nvml.nvmlDeviceGetUtilizationRates)
        memory = ask(nvml.nvmlDeviceGetMemoryInfo)
        temperature = ask(nvml.nvmlDeviceGetTemperature, nvml.NVML_TEMPERATURE_GPU)
        milliwatts = ask(nvml.nvmlDeviceGetPowerUsage)
        megahertz = ask(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_GRAPHICS)
        fan = ask(nvml.nvmlDeviceGetFanSpeed)
        if all(answer is None for answer in (use, memory, temperature, milliwatts, megahertz, fan)):
            return None
        gpu.sleep.was_read(now, idle=use is not None and use.gpu == 0)
        return reading._replace(
            busy=use and use.gpu,
            memory_used=memory and memory.used,
            memory_total=memory and memory.total,
            temperature=temperature,
            power=None if milliwatts is None else milliwatts / 1000,
            frequency=None if megahertz is None else megahertz * 1_000_000,
            fan_percent=fan,
        )


def _words(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode(errors="replace")
