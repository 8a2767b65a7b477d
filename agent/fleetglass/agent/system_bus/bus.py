"""A connection to the system bus of D-Bus, through jeepney; imported only where there is a bus.

jeepney is pure Python without dependencies, blocks on our own thread and costs an agent 0.3 MiB. `dbus-fast`
needs asyncio, and costs 12 MiB with it. `systemd-inhibit` holds a lock in a further process and does not tell
of the sleep it delays, so that a second program would have to watch the bus.
"""

import socket
from collections import deque
from typing import Any, Self

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageFlag, MessageType, new_method_call
from jeepney.bus import get_connectable_addresses
from jeepney.io.blocking import DBusConnection, prep_socket

from fleetglass.agent.system_bus.services import BUS, Service
from fleetglass.wire.errors import CollectionError

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 2.0
_MAX_SIGNALS = 16


class SystemBus:
    """Asks services on the bus, and hears their signals, for as long as it is entered.

    Raises:
        OSError: there is no bus, or it ended; of any method.
        ValueError: the address is none that is understood.
    """

    def __init__(self, address: str) -> None:
        try:
            path = next(get_connectable_addresses(address))
        except RuntimeError as error:
            raise ValueError(str(error)) from error
        self._connection = DBusConnection(
            prep_socket(path, enable_fds=True, timeout=_CONNECT_SECONDS), enable_fds=True
        )
        self._signals: deque[Message] = deque(maxlen=_MAX_SIGNALS)
        self._senders: dict[str, Service] = {}  # by signal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def end(self) -> None:
        """Let whoever waits for the bus find that it ended; may be called on any thread."""
        self._connection.sock.shutdown(socket.SHUT_RDWR)

    def owner(self, service: Service) -> str | None:
        """Return the unique name of the connection that offers a service, or None while nobody does."""
        try:
            (owner,) = self.call(BUS, "GetNameOwner", "s", service.name)
        except CollectionError:
            return None
        return str(owner)

    def call(self, service: Service, method: str, signature: str | None = None, *values: object) -> Any:
        """Return what a method returns, as a tuple. A service that is not there is not started.

        Raises:
            CollectionError: the service refuses, or is not there.
            TimeoutError: it does not answer in time.
        """
        address = DBusAddress(service.path, bus_name=service.name, interface=service.interface)
        message = new_method_call(address, method, signature, values)
        message.header.flags |= MessageFlag.no_auto_start
        reply = self._connection.send_and_get_reply(message, timeout=_ANSWER_SECONDS)
        if reply.header.message_type is MessageType.error:
            name = reply.header.fields.get(HeaderFields.error_name, "unknown error")
            raise CollectionError(": ".join((str(name), *map(str, reply.body))))
        return reply.body

    def get(self, service: Service, name: str) -> Any:
        """Return a property of a service.

        Raises:
            CollectionError: the service refuses, or is not there.
            TimeoutError: it does not answer in time.
        """
        properties = service._replace(interface="org.freedesktop.DBus.Properties")
        ((_, value),) = self.call(properties, "Get", "ss", service.interface, name)
        return value

    def listen(self, service: Service, signal: str) -> None:
        """Hear a signal of a service from now on, to be called once for each."""
        told = {"type": "signal", "interface": service.interface, "member": signal, "path": service.path}
        asked = MatchRule(**told, sender=service.name)
        self.call(BUS, "AddMatch", "s", asked.serialise())
        self._senders[signal] = service
        # Signals have the unique name of who sends them, which changes when the service starts again.
        self._connection.filter(MatchRule(**told), queue=self._signals)

    def next_signal(self, seconds: float) -> Any:
        """Return the values of the next signal, or None when none comes within so many seconds.

        Anybody may send us a signal; only that of the service counts.
        """
        try:
            signal = self._connection.recv_until_filtered(self._signals, timeout=seconds)
        except TimeoutError:
            return None
        fields = signal.header.fields
        if fields.get(HeaderFields.sender) != self.owner(self._senders[fields[HeaderFields.member]]):
            return None
        return signal.body
