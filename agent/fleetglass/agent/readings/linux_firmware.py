"""Readings that only the firmware of a Raspberry Pi gives.

https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
"""

import os
import re
import time
from collections.abc import Callable

from fleetglass.agent.readings.files import read_text
from fleetglass.agent.readings.types import TemperatureReading, ThrottlingReading

FIRMWARE_TEMPERATURE = "vcgencmd/cpu"

_WORDS = {0: "under-voltage", 1: "frequency-capped", 2: "throttled", 3: "soft-temperature-limit"}
_SINCE_BOOT = 16  # the same bits, this much higher
_INTERVAL_SECONDS = 10.0
_PATIENCE_SECONDS = 0.2


class FirmwareReader:
    """Asks the firmware, at most once per 10 s: through `/sys` where that gives it, else by `vcgencmd`.

    The program is run only on a Raspberry Pi that has it, and only for the machine this runs on.
    """

    def __init__(
        self,
        root: str = "",
        clock: Callable[[], float] = time.monotonic,
        *,
        find: Callable[[], str | None] | None = None,
    ) -> None:
        self._root = root
        self._clock = clock
        self._find = find or _find_vcgencmd
        self._program: str | None = None
        self._is_raspberry: bool | None = None
        self._kept: dict[str, tuple[float, str | None]] = {}

    def throttling(self) -> ThrottlingReading | None:
        """Return what holds the processor back."""
        if not self._on_raspberry():
            return None
        text = self._ask("get_throttled", f"{self._root}/sys/devices/platform/soc/soc:firmware/get_throttled")
        return parse_throttled(text or "")

    def temperatures(self) -> list[TemperatureReading]:
        """Return the temperature of the processor, where nothing else tells it."""
        if not self._on_raspberry():
            return []
        celsius = parse_temperature(self._ask("measure_temp") or "")
        if celsius is None:
            return []
        return [TemperatureReading(FIRMWARE_TEMPERATURE, "vcgencmd", "cpu", celsius)]

    def _on_raspberry(self) -> bool:
        if self._is_raspberry is None:
            self._is_raspberry = "Raspberry Pi" in (read_text(f"{self._root}/proc/device-tree/model") or "")
            if self._is_raspberry and not self._root:
                self._program = self._find()
        return self._is_raspberry

    def _ask(self, question: str, file: str | None = None) -> str | None:
        now = self._clock()
        due, answer = self._kept.get(question, (float("-inf"), None))
        if now >= due:
            answer = read_text(file) if file is not None else None
            if answer is None and self._program is not None:
                answer = _run(self._program, question)
            self._kept[question] = (now + _INTERVAL_SECONDS, answer)
        return answer


def parse_throttled(text: str) -> ThrottlingReading | None:
    """Return the words of `throttled=0x50005`, or of the bare number that `/sys` gives."""
    found = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})", text.strip())
    if found is None:
        return None
    flags = int(found[1], 16)
    return ThrottlingReading(
        now=[word for bit, word in _WORDS.items() if flags >> bit & 1],
        since_boot=[word for bit, word in _WORDS.items() if flags >> (bit + _SINCE_BOOT) & 1],
    )


def parse_temperature(text: str) -> float | None:
    """Return the degrees celsius of `temp=42.8'C`."""
    found = re.fullmatch(r"temp=(-?\d{1,3}(?:\.\d+)?)'C", text.strip())
    return None if found is None else float(found[1])


def _find_vcgencmd() -> str | None:
    # shutil.which would load compression libraries that nothing else here needs.
    paths = (os.path.join(folder, "vcgencmd") for folder in os.get_exec_path())  # noqa: PTH118 - texts in, text out
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _run(program: str, question: str) -> str | None:
    import subprocess  # only a Raspberry Pi without the file of /sys needs it

    try:
        done = subprocess.run(
            [program, question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")
