"""Watches the system bus: tells when the host goes to sleep and wakes, and counts the units that failed.

systemd's login manager, or elogind in its place, emits `PrepareForSleep` before a sleep and after it, and
delays the sleep while somebody holds a lock for that: org.freedesktop.login1(5).
"""

import logging
import os
import sys
import threading
import time as clocks
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import quote

from msgspec import UNSET, UnsetType

from fleetglass.agent.system_bus.services import LOGIN_MANAGER, SYSTEMD
from fleetglass.mqtt.backoff import Backoff
from fleetglass.wire.errors import CollectionError

if TYPE_CHECKING:
    from fleetglass.agent.system_bus.bus import SystemBus

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 30.0
_ASLEEP_LOOK_SECONDS = 10.0
"""Of a host that runs. One that sleeps does not count them."""
_LONGEST_WAIT_SECONDS = 60.0
_END_SECONDS = 1.0
_LOCK = ("sleep", "fleetglass", "The fleet is told that this host sleeps", "delay")


class Sleeper(Protocol):
    """Who is told when the host sleeps and wakes; may be told the same again."""

    def suspend(self) -> None:
        """The host goes to sleep as soon as this returns."""

    def resume(self) -> None:
        """The host is awake."""


class SystemWatch:
    """Watches on a thread of its own for as long as it is entered. Without a bus nothing happens.

    Args:
        sleeper: told on that thread.
        root: folder under which the host's `/run` lies.
        environment: may name another bus in DBUS_SYSTEM_BUS_ADDRESS.
    """

    def __init__(
        self,
        sleeper: Sleeper,
        *,
        root: Path = Path("/"),
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.failed_units: int | UnsetType = UNSET
        """How many units of systemd failed, at most 30 s old; absent where there is no systemd."""
        self._sleeper = sleeper
        self._address = address_of(root, environment)
        self._clock = clock
        self._bus: SystemBus | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: int | None = None  # a file descriptor, whose end is that of the lock
        self._refused_by: str | None = None  # the login manager that gave us no lock, by its unique name
        self._refusal = ""  # until it was told
        self._is_refusal_told = False
        self._is_asleep = False

    def __enter__(self) -> Self:
        if self._address is not None:
            self._thread = threading.Thread(target=self._run, name="fleetglass-system-bus", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if (bus := self._bus) is not None:
            try:
                bus.end()
            except OSError as error:
                _log.debug("the system bus ended already: %s", error)
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        from fleetglass.agent.system_bus.bus import SystemBus

        assert self._address is not None  # noqa: S101 -- there is no thread otherwise
        backoff = Backoff(_LONGEST_WAIT_SECONDS)
        while not self._closing.is_set():
            began = self._clock()
            try:
                with SystemBus(self._address) as self._bus:
                    self._watch(self._bus)
            except Exception as error:  # noqa: BLE001 -- whatever a bus does, the agent goes on without it
                _log.debug("system bus %s: %s", self._address, error)
            finally:
                self._bus = None
                self.failed_units = UNSET
                self._refused_by = None  # another bus may use the name again
                self._wake()  # nobody else would
                self._unlock()
            self._closing.wait(backoff.after(self._clock() - began))

    def _watch(self, bus: "SystemBus") -> None:
        bus.listen(LOGIN_MANAGER, "PrepareForSleep")
        look_at = self._clock()
        while not self._closing.is_set():
            if self._is_asleep:
                signal = bus.next_signal(_ASLEEP_LOOK_SECONDS)
            else:
                signal = bus.next_signal(max(0.0, look_at - self._clock()))
            if signal is not None:
                self._prepare(bus, is_sleep=bool(signal[0]))
            elif self._is_asleep:
                self._prepare(bus, is_sleep=_is_preparing(bus))
            elif self._clock() >= look_at:
                look_at = self._clock() + _LOOK_SECONDS
                self._lock_sleep(bus)
                self.failed_units = _count_failed(bus)

    def _prepare(self, bus: "SystemBus", *, is_sleep: bool) -> None:
        """Take in whether a sleep begins or is over, which some login managers say twice."""
        if not is_sleep:
            self._wake()
            self._lock_sleep(bus)
        elif not self._is_asleep:
            self._is_asleep = True
            _log.info("this host goes to sleep")
            self._sleeper.suspend()
            if self._refusal and not self._is_refusal_told:
                self._is_refusal_told = True
                _log.warning(
                    "the login manager does not let this host's sleep wait until the fleet is told: %s",
                    self._refusal,
                )
            self._unlock()

    def _wake(self) -> None:
        if self._is_asleep:
            self._is_asleep = False
            self._sleeper.resume()

    def _lock_sleep(self, bus: "SystemBus") -> None:
        """Take a lock that delays a sleep, where there is a login manager that gives one."""
        owner = bus.owner(LOGIN_MANAGER)
        if self._lock is not None or owner in (None, self._refused_by):
            return
        try:
            (lock,) = bus.call(LOGIN_MANAGER, "Inhibit", "ssss", *_LOCK)
        except TimeoutError:
            return  # a machine that starts is busy
        except CollectionError as error:
            # Not asked again: a policy service may write each refusal into its log.
            self._refused_by, self._refusal = owner, str(error)
            return
        self._lock, self._refusal = lock.to_raw_fd(), ""
        os.set_inheritable(self._lock, False)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def address_of(root: Path, environment: Mapping[str, str]) -> str | None:
    """Return the address of the system bus, or None where there is none."""
    if sys.platform != "linux":
        return None
    if told := environment.get("DBUS_SYSTEM_BUS_ADDRESS"):
        return told
    socket_file = root / "run/dbus/system_bus_socket"
    # In an address, all but a few letters are written as %xx.
    return f"unix:path={quote(str(socket_file), safe='/-_.')}" if socket_file.exists() else None


def _is_preparing(bus: "SystemBus") -> bool:
    """Return whether a sleep that was announced goes on: the signal of its end may have been missed."""
    try:
        return bool(bus.get(LOGIN_MANAGER, "PreparingForSleep"))
    except CollectionError:
        return False
    except TimeoutError:
        return True


def _count_failed(bus: "SystemBus") -> int | UnsetType:
    try:
        return int(bus.get(SYSTEMD, "NFailedUnits"))
    except (CollectionError, TimeoutError):
        return UNSET
