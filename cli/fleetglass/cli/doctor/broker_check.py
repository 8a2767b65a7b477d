"""Whether each node of a broker can be reached and accepts our credentials."""

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fleetglass.cli.doctor.certificate_check import check_certificates
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import Answer, probe
from fleetglass.wire import ContractError
from fleetglass.wire.errors import CommandError

_CONNECT_SECONDS: Final = 2.0
_ENROLL: Final = "on the broker's machine: fleetglass enroll HOST"


class BrokerNodes:
    """The nodes of one broker, checked in parallel.

    Args:
        access: all nodes of the broker.
        user: the MQTT user to connect as; None for none.
        named: whether the configuration names this broker, or it is the default.
    """

    def __init__(self, access: BrokerAccess, *, user: str | None, named: bool) -> None:
        self.usable: BrokerAccess | None = None
        """The first node that accepted us, after `check`."""
        self._access = access
        self._user = user
        self._named = named

    def check(self) -> Iterator[Finding]:
        """Yield the findings of each node, in the order of the nodes."""
        nodes = self._access.nodes
        with ThreadPoolExecutor(len(nodes), "fleetglass-doctor-node") as pool:
            for node, findings in zip(nodes, pool.map(self._check, nodes), strict=True):
                yield from findings
                if self.usable is None and (findings[-1].what, findings[-1].state) == ("broker", "ok"):
                    self.usable = node

    def _check(self, node: BrokerAccess) -> list[Finding]:
        try:
            return list(self._findings(node))
        except (CommandError, ContractError) as error:  # a file for TLS
            remedy = "check the file's permissions and content"
            return [Finding("configuration", "wrong", str(error), remedy)]

    def _findings(self, node: BrokerAccess) -> Iterator[Finding]:
        url = node.url
        try:
            socket.getaddrinfo(url.host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            remedy = f"check the name: getent hosts {url.host}; or give its address"
            yield Finding("broker", "wrong", f"{url}: the name {url.host} has no address: {reason}", remedy)
            return
        speaks_tls = False
        if url.tls:
            with contextlib.suppress(OSError, ValueError):  # the probe reports them
                found = list(check_certificates(node, time.time(), _CONNECT_SECONDS))
                yield from found
                if any(one.state == "wrong" for one in found):
                    return
                speaks_tls = True
        answer = probe(node, _CONNECT_SECONDS, default_user=self._user)
        yield self._judged(node, answer, speaks_tls=speaks_tls)

    def _judged(self, node: BrokerAccess, answer: Answer, *, speaks_tls: bool) -> Finding:
        url = node.url
        match answer.outcome:
            case "accepted":
                who = "by our certificate" if node.has_certificate else "without a name"
                who = who if self._user is None else f"as {self._user}"
                return Finding("broker", "ok", f"{url}: lets us in {who}")
            case "refused":
                text = f"{url}: {answer.reason} (user {self._user or 'none'})"
                remedy = "name the user as mqtt://USER@HOST, the password in password_file"
                if node.password is not None:
                    remedy = f"check user and password; if they were revoked, {_ENROLL}"
                return Finding("broker", "wrong", text, answer.remedy or remedy)
            case "no_mqtt":
                remedy = f"check the port, and whether it should be {'mqtt://' if url.tls else 'mqtts://'}"
                if speaks_tls:
                    remedy = "check the port: is it the broker's?"
                # Whether the broker's reason can still be read is a matter of luck.
                if speaks_tls and node.has_certificate:
                    remedy = f"if our certificate was revoked, {_ENROLL} --certificate; else check the port"
                return Finding("broker", "wrong", f"{url}: {answer.reason}", answer.remedy or remedy)
        if not self._named:
            text = f"{url}: no broker is configured, and none runs here"
            return Finding("broker", "note", text, "fleetglass up starts one; --broker URL names one")
        start = "start it, or name another with --broker"
        if not url.is_loopback:
            start = f"check that it runs and that no firewall blocks it: nc -vz {url.host} {url.port}"
        return Finding("broker", "wrong", f"{url}: nothing answers: {answer.reason}", start)
