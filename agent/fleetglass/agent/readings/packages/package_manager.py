"""How many updates of packages wait, as the host's own package manager tells.

It is run at the lowest priority, when its database or its lists have changed, and every six hours. It takes
no lock, needs no privilege, and asks nobody on the network.
"""

import logging
import os
import re
import shutil
import threading
import time as clocks
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fleetglass.agent.readings.packages.package_updates import PackageUpdates, changed
from fleetglass.agent.readings.program import Program
from fleetglass.wire.errors import CollectionError

_log = logging.getLogger(__name__)

_APT_LINE = re.compile(r"^Inst \S+ \[[^\]]*\] \((.*)\)", re.MULTILINE)
_APT_SECURITY = re.compile(r"Debian-Security:|-security\b")
_PACKAGE_LINE = re.compile(
    r"^\S+\.(?:noarch|x86_64|i686|aarch64|armv7hl|ppc64le|s390x|riscv64)\b", re.MULTILINE
)
_OBSOLETE = re.compile(r"^obsoleting packages", re.IGNORECASE | re.MULTILINE)

_RUN_SECONDS = 180.0
_MOST_BYTES = 4 * 1024 * 1024
_AGAIN_SECONDS = 6 * 3600.0
_PAUSE_SECONDS = 600.0
_UPDATES_EXIT_CODE = 100
"""Of dnf, when there are some."""


class _Manager(NamedTuple):
    """A package manager, and the files that tell of its state, below the root."""

    programs: tuple[str, ...]
    database: tuple[str, ...]
    lists: tuple[str, ...]
    counted: "Callable[[str, Callable[[Sequence[str]], str]], tuple[int, int | None]]"


class UpdateCount:
    """Counts on a thread of its own; `newest` is what was found last.

    Args:
        root: folder under which the package manager's files lie.
        clock: seconds that never go back.
    """

    def __init__(self, root: str = "/", *, clock: Callable[[], float] = clocks.monotonic) -> None:
        self.newest: PackageUpdates | None = None
        """None where nothing is known."""
        self._base = root.rstrip("/")
        self._clock = clock
        self._manager = self._find()
        self._program = Program()
        self._seen: tuple[float | None, ...] = ()
        self._counted_at = float("-inf")
        self._thread: threading.Thread | None = None
        self._is_failing = False

    def look(self) -> None:
        """Begin to count when it is time."""
        if self._manager is None:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        seen = tuple(
            changed(f"{self._base}/{path}") for path in (*self._manager.database, *self._manager.lists)
        )
        waited = self._clock() - self._counted_at
        if waited >= _AGAIN_SECONDS or (seen != self._seen and waited >= _PAUSE_SECONDS):
            self._seen, self._counted_at = seen, self._clock()
            self._thread = threading.Thread(target=self._count, name="fleetglass-updates", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End what runs."""
        self._program.cancel()

    def _find(self) -> _Manager | None:
        for manager in _MANAGERS:
            if any(map(shutil.which, manager.programs)) and any(
                changed(f"{self._base}/{path}") is not None for path in manager.database
            ):
                return manager
        return None

    def _count(self) -> None:
        assert self._manager is not None  # noqa: S101 -- it is asked for only then
        program = next(name for name in self._manager.programs if shutil.which(name))
        try:
            pending, security = self._manager.counted(program, self._run)
        except CollectionError as error:
            self.newest = None
            if not self._is_failing:
                _log.warning("updates cannot be counted: %s %s", program, error)
            self._is_failing = True
            return
        self._is_failing = False
        refreshed = [
            time for path in self._manager.lists if (time := changed(f"{self._base}/{path}")) is not None
        ]
        self.newest = PackageUpdates(pending, security, max(refreshed, default=None))

    def _run(self, arguments: Sequence[str]) -> str:
        gentle = ("nice", "-n", "19") if shutil.which("nice") else ()
        output = self._program.run(
            [*gentle, *arguments],
            seconds=_RUN_SECONDS,
            most_bytes=_MOST_BYTES,
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            good_codes=(0, 1, _UPDATES_EXIT_CODE) if arguments[0] == "pacman" else (0, _UPDATES_EXIT_CODE),
        )
        return output.decode(errors="replace")


def _apt(program: str, run: Callable[[Sequence[str]], str]) -> tuple[int, int | None]:
    lines = _APT_LINE.findall(
        run([program, "--simulate", "-qq", "-o", "Debug::NoLocking=true", "dist-upgrade"])
    )
    return len(lines), sum(_APT_SECURITY.search(line) is not None for line in lines)


def _dnf(program: str, run: Callable[[Sequence[str]], str]) -> tuple[int, int | None]:
    counts = [
        len(_PACKAGE_LINE.findall(_OBSOLETE.split(run([program, "-C", "-q", "check-update", *more]))[0]))
        for more in ((), ("--security",))
    ]
    return counts[0], counts[1]


def _pacman(program: str, run: Callable[[Sequence[str]], str]) -> tuple[int, int | None]:
    lines = run([program, "-Qu"]).splitlines()
    return sum(" -> " in line and not line.endswith("[ignored]") for line in lines), None


def _apk(program: str, run: Callable[[Sequence[str]], str]) -> tuple[int, int | None]:
    return sum(
        " < " in line for line in run([program, "--no-network", "version", "-l", "<"]).splitlines()
    ), None


_MANAGERS = (
    _Manager(
        ("apt-get",), ("var/lib/dpkg/status",), ("var/lib/apt/lists", "var/lib/apt/lists/partial"), _apt
    ),
    _Manager(
        ("dnf5", "dnf"),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages"),
        ("var/cache/libdnf5", "var/cache/dnf"),
        _dnf,
    ),
    _Manager(("pacman",), ("var/lib/pacman/local",), ("var/lib/pacman/sync",), _pacman),
    _Manager(("apk",), ("lib/apk/db/installed", "usr/lib/apk/db/installed"), ("var/cache/apk",), _apk),
)
