"""A real D-Bus daemon for tests, and on it what systemd offers, as far as an agent asks for it."""

import contextlib
import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from support.waiting import wait_for

_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"""
_MANAGER = DBusAddress(
    "/org/freedesktop/login1", bus_name="org.freedesktop.login1", interface="org.freedesktop.login1.Manager"
)


def missing_daemon() -> str | None:
    """Return what to install where there is no D-Bus daemon."""
    return None if shutil.which("dbus-daemon") else "apt-get install dbus"


class BusDaemon:
    """A dbus-daemon whose socket lies below a root of its own, where that of a system would."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bus-")  # short: a socket's name has 107 letters
        self.root = root = Path(self._folder.name)
        self.socket = root / "run/dbus/system_bus_socket"
        self.address = f"unix:path={self.socket}"
        self.socket.parent.mkdir(parents=True)
        self._configuration = root / "system.conf"
        self._configuration.write_text(_CONFIGURATION.format(address=self.address))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, again after it ended."""
        self._process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self._configuration}", "--nofork", "--nopidfile", "--nosyslog"]
        )
        wait_for(self._answers, "socket of the bus")
        return self

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.socket.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the bus does not start"
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0


class Systemd:
    """The login manager and the manager of units, on a bus, until closed.

    Args:
        refuse: the error by which it refuses locks.
        silent: how many requests for a lock it does not answer.
        names: what it offers.
    """

    def __init__(
        self,
        address: str,
        *,
        refuse: str | None = None,
        silent: int = 0,
        names: tuple[str, ...] = ("org.freedesktop.login1", "org.freedesktop.systemd1"),
        failed_units: int = 0,
    ) -> None:
        self.refuse = refuse
        self._silent = silent
        self.failed_units = failed_units
        self.is_preparing = False
        self.asked: list[tuple[str, Any]] = []
        """What was called, and with which values."""
        self._locks: list[int] = []  # the ends that are ours
        self._sending = threading.Lock()
        self._connection: DBusConnection = open_dbus_connection(address, enable_fds=True)
        for name in names:
            self._connection.send(message_bus.RequestName(name))
        self._thread = threading.Thread(target=self._answer, name="systemd", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._connection.close()
        for end in self._locks:
            os.close(end)

    @property
    def locks(self) -> int:
        """How many locks are held."""
        poll = select.poll()
        with self._sending:  # so that none counts as held for what is being handed over
            for end in self._locks:
                poll.register(end, 0)
            return len(self._locks) - len(poll.poll(0))

    def prepare_for_sleep(self, is_sleep: bool, *, times: int = 1) -> float:  # noqa: FBT001 -- as on the bus
        """Tell of the beginning or the end of a sleep, and return when."""
        self.is_preparing = is_sleep
        for _ in range(times):
            self._send(new_signal(_MANAGER, "PrepareForSleep", "b", (is_sleep,)))
        return time.monotonic()

    def sleep(self) -> float:
        """Tell of a sleep, wait until all locks are gone, and return how long that took."""
        assert self.locks > 0  # or nothing would be waited for
        began = self.prepare_for_sleep(True)
        wait_for(lambda: self.locks == 0, "the end of all locks")
        return time.monotonic() - began

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message = self._connection.receive()
                if message.header.message_type is not MessageType.method_call:
                    continue
                if (reply := self._reply(message)) is not None:
                    self._send(reply)

    def _reply(self, call: Message) -> Message | None:
        member = call.header.fields[HeaderFields.member]
        self.asked.append((member, call.body))
        match member, call.body:
            case "Inhibit", _ if self._silent:
                self._silent -= 1
                return None
            case "Inhibit", _ if self.refuse is not None:
                return new_error(call, self.refuse, "s", ("Permission denied",))
            case "Inhibit", _:
                ours, theirs = os.pipe()
                self._locks.append(ours)
                return new_method_return(call, "h", (theirs,))
            case "Get", (_, "NFailedUnits"):
                return new_method_return(call, "v", (("u", self.failed_units),))
            case "Get", (_, "PreparingForSleep"):
                return new_method_return(call, "v", (("b", self.is_preparing),))
        return new_error(call, "org.freedesktop.DBus.Error.UnknownMethod", "s", ("no such method",))

    def _send(self, message: Message) -> None:
        with self._sending:
            self._connection.send(message)
            if message.header.fields.get(HeaderFields.signature) == "h":
                os.close(message.body[0])
