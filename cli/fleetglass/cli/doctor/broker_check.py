"""Whether a broker can be reached and lets us in, node by node."""

import contextlib
import socket
import threading
import time as clocks
from collections.abc import Iterator, Sequence
from typing import Final

from fleetglass.cli.doctor.certificate_check import check_certificates
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.address import BrokerAccess
from fleetglass.mqtt.probe import Answer, probe
from fleetglass.wire import ContractError
from fleetglass.wire.errors import CommandError

_CONNECT_SECONDS: Final = 2.0
_NAME_SECONDS: Final = 3.0
_ENROLL: Final = "on the machine of the broker: fleetglass enroll HOST"


class Nodes:
    """The nodes of one broker, looked at side by side; `usable` is the first that lets us in."""

    def __init__(self, access: BrokerAccess, *, user: str | None, named: bool) -> None:
        """`named` is whether somebody said which broker to use."""
        self.usable: BrokerAccess | None = None
        self._user = user
        self._named = named
        self._access = access

    def check(self) -> Iterator[Finding]:
        """Yield what is found of each, in their order."""
        looks = [_Look(node, user=self._user, named=self._named) for node in self._access.nodes]
        for look in looks:
            look.join()
            yield from look.findings
        self.usable = next((look.access for look in looks if look.accepted), None)


class _Look:
    """A look at one node, on a thread of its own."""

    def __init__(self, access: BrokerAccess, *, user: str | None, named: bool) -> None:
        self.access = access
        self.accepted = False
        self.findings: Sequence[Finding] = ()
        self._speaks_tls = False
        self._user = user
        self._named = named
        self._thread = threading.Thread(
            target=self._work, name=f"fleetglass-doctor-{access.url}", daemon=True
        )
        self._thread.start()

    def join(self) -> None:
        """Wait for the end; every step has a time limit, but for the system's name resolution."""
        self._thread.join()

    def _work(self) -> None:
        try:
            self.findings = list(self._look())
        except (CommandError, ContractError) as error:  # a file for TLS
            remedy = "check who may read it, and what is in it"
            self.findings = [Finding("configuration", "wrong", str(error), remedy)]

    def _look(self) -> Iterator[Finding]:
        url = self.access.url
        if (trouble := _name_trouble(url.host)) is not None:
            remedy = f"check the name: getent hosts {url.host}; or give its address"
            yield Finding("broker", "wrong", f"{url}: {trouble}", remedy)
            return
        if url.tls:
            with contextlib.suppress(OSError, ValueError):  # which the probe tells
                found = list(check_certificates(self.access, clocks.time(), _CONNECT_SECONDS))
                yield from found
                if any(one.state == "wrong" for one in found):
                    return
                self._speaks_tls = True
        answer = probe(self.access, _CONNECT_SECONDS, default_user=self._user)
        self.accepted = answer.outcome == "accepted"
        yield self._told(answer)

    def _told(self, answer: Answer) -> Finding:
        url = self.access.url
        match answer.outcome:
            case "accepted":
                who = "by our certificate" if self.access.has_certificate else "without a name"
                who = who if self._user is None else f"as {self._user}"
                return Finding("broker", "ok", f"{url}: lets us in {who}")
            case "refused":
                text = f"{url}: {answer.reason} (user {self._user or 'none'})"
                remedy = "name the user as mqtt://USER@HOST, the password in password_file"
                if self.access.password is not None:
                    remedy = f"check user and password; if they were revoked, {_ENROLL}"
                return Finding("broker", "wrong", text, answer.remedy or remedy)
            case "no_mqtt":
                remedy = f"check the port, and whether it should be {'mqtt://' if url.tls else 'mqtts://'}"
                if self._speaks_tls:
                    remedy = "check the port: is it the broker's?"
                # Whether the broker's reason can still be read is a matter of luck.
                if self._speaks_tls and self.access.has_certificate:
                    remedy = f"if our certificate was revoked, {_ENROLL} --certificate; else check the port"
                return Finding("broker", "wrong", f"{url}: {answer.reason}", answer.remedy or remedy)
        if not self._named:
            text = f"{url}: nobody named one, and none runs here"
            return Finding("broker", "note", text, "fleetglass up starts one; --broker URL names one")
        start = "start it, or name another with --broker"
        if not url.is_loopback:
            start = f"check that it runs and a firewall lets us through: nc -vz {url.host} {url.port}"
        return Finding("broker", "wrong", f"{url}: nothing answers: {answer.reason}", start)


def _name_trouble(host: str) -> str | None:
    """Return why a name has no address, or None when it has one."""
    found: list[str | None] = []

    def resolve() -> None:
        try:
            socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found.append(f"the name {host} has no address: {getattr(error, 'strerror', None) or error}")
        else:
            found.append(None)

    thread = threading.Thread(target=resolve, name="fleetglass-doctor-name", daemon=True)
    thread.start()
    thread.join(_NAME_SECONDS)
    return found[0] if found else f"the name {host} was not resolved within {_NAME_SECONDS:g} s"
