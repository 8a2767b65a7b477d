"""A temporary user who may clear every topic of a fleet. No permanent user may do that."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from fleetglass.cli.enrollment.access_control import new_password, password_hash, rules_text, users_text
from fleetglass.cli.enrollment.folder import Folder
from fleetglass.cli.enrollment.registry import Member, Registry, now
from fleetglass.cli.enrollment.running_broker import reload_broker
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from fleetglass.wire.errors import CommandError

TEMPORARY_USER: Final = "fleetglass.forget"
"""With a dot, no host id can be it."""
RELOAD_SECONDS: Final = 20.0
"""For the broker to read its files: with 10,000 hosts, mosquitto 2.0 takes 7 s."""


@contextmanager
def temporary_access(folder: Folder, registry: Registry) -> Iterator[BrokerAccess]:
    """Give the broker that runs here such a user; the folder has to be locked meanwhile.

    Whoever was revoked before has no right any more once the block begins.

    Raises:
        CommandError: no broker runs here with this folder, or it does not let the user in.
    """
    password = new_password()
    member = Member("remover", now(), password_hash=password_hash(password))
    access = BrokerAccess(
        # The broker is on this machine, where its own name may lead nowhere.
        url=BrokerURL("127.0.0.1", registry.password_port, tls=True, user=TEMPORARY_USER),
        server_name=registry.urls[0].host,
        password=password,
        ca=folder.read("ca.crt"),
    )
    _write(folder, msgspec.structs.replace(registry, members={**registry.members, TEMPORARY_USER: member}))
    try:
        if reload_broker(folder) is None:
            raise CommandError(f"no broker runs here with {folder.path}")
        _wait_until_let_in(access)
        yield access
    finally:
        _write(folder, registry)
        reload_broker(folder)


def _write(folder: Folder, registry: Registry) -> None:
    folder.write("rules", rules_text(registry))
    folder.write("users", users_text(registry))


def _wait_until_let_in(access: BrokerAccess) -> None:
    deadline = time.monotonic() + RELOAD_SECONDS
    while (answer := probe(access)).outcome != "accepted":
        if time.monotonic() > deadline:
            raise CommandError(f"broker {access.url}: {answer.reason}")
        time.sleep(0.05)
