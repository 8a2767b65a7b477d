"""What is asked on the system bus, by name."""

from typing import Final, NamedTuple


class Service(NamedTuple):
    """An interface of an object that a service offers."""

    name: str
    path: str
    interface: str


BUS: Final = Service("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
LOGIN_MANAGER: Final = Service(
    "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
)
SYSTEMD: Final = Service(
    "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
)
