"""The part of pynvml that is used, for GPUs that no test machine has."""

from types import SimpleNamespace
from typing import Any

COMPUTE = "nvmlDeviceGetComputeRunningProcesses"
GRAPHICS = "nvmlDeviceGetGraphicsRunningProcesses"
MPS = "nvmlDeviceGetMPSComputeRunningProcesses"
UTILIZATION = "nvmlDeviceGetProcessUtilization"
MIG_MODE = "nvmlDeviceGetMigMode"


class FakeNvml:
    """GPUs by their bus, which is their handle as well."""

    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_GRAPHICS = 0

    class NVMLError(Exception):
        """What every function raises."""

        def __init__(self, text: str, value: int = 3) -> None:
            super().__init__(text)
            self.value = value

    def __init__(self, *buses: str) -> None:
        self.buses = buses
        self.broken = {MPS, UTILIZATION, MIG_MODE, f"{COMPUTE}_v2", f"{GRAPHICS}_v2", f"{MPS}_v2"}
        self.lost: set[str] = set()
        self.busy = 37
        self.started = 0
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {COMPUTE: [], GRAPHICS: []}
        """By the name of a function, and by `name handle` for one handle alone."""

    def nvmlInit(self) -> None:  # noqa: N802 - the library's name
        """Start, or say why not."""
        self.started += 1
        if "nvmlInit" in self.broken:
            raise self.NVMLError("Driver/library version mismatch")

    def nvmlShutdown(self) -> None:  # noqa: N802 - as above
        """End."""

    def tell(self, name: str, answer: Any, handle: str = "") -> None:
        """Let a function answer, for one handle alone if it is given; an error is raised."""
        self.broken.discard(name)
        self.answers[f"{name} {handle}" if handle else name] = answer

    def __getattr__(self, name: str) -> Any:
        usual = {
            "nvmlDeviceGetCount": len(self.buses),
            "nvmlDeviceGetName": "NVIDIA GeForce RTX 3060",
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=self.busy, memory=3),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=2**30, total=12 * 2**30, free=11 * 2**30),
            "nvmlDeviceGetTemperature": 61,
            "nvmlDeviceGetPowerUsage": 98_765,
            "nvmlDeviceGetClockInfo": 1777,
            "nvmlDeviceGetFanSpeed": 44,
        }

        def answer(handle: str = "", *arguments: Any) -> Any:
            self.asked.append(name)
            if name in self.broken or handle in self.lost:
                raise self.NVMLError("Not Supported")
            if name == "nvmlDeviceGetHandleByIndex":
                return self.buses[int(handle)]
            if name == "nvmlDeviceGetMigDeviceHandleByIndex":
                parts = self.answers[name]
                if parts[arguments[0]] is None:
                    raise self.NVMLError("Not Found", 6)
                return parts[arguments[0]]
            if name == "nvmlDeviceGetPciInfo":
                return SimpleNamespace(busId=handle.encode())
            found = self.answers.get(f"{name} {handle}", self.answers.get(name, usual.get(name)))
            if isinstance(found, Exception):
                raise found
            return found

        return answer


def running(pid: int, memory: int | None) -> SimpleNamespace:
    """Return an entry of a list of processes."""
    return SimpleNamespace(pid=pid, usedGpuMemory=memory)


def sample(pid: int, busy: int, at: int, *, encoder: int = 0) -> SimpleNamespace:
    """Return a sample of the work of a process."""
    return SimpleNamespace(pid=pid, smUtil=busy, memUtil=1, encUtil=encoder, decUtil=0, timeStamp=at)
