"""A broker with TLS, and a client's trust in it, that a test may exchange while both run."""

import os
import shutil
from pathlib import Path

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from support.certificates import Authority
from support.mosquitto import Mosquitto


class ReplaceableTls:
    """A broker with TLS whose certificate can be exchanged for one of another authority."""

    def __init__(self, folder: Path) -> None:
        self.authorities = []
        for name in ("first", "second"):
            (folder / name).mkdir()
            self.authorities.append(Authority(folder / name))
        self.ca_file = folder / "ca.crt"
        self.broker = Mosquitto(folder)
        self.access = BrokerAccess(
            url=BrokerURL("127.0.0.1", self.broker.port, tls=True), ca_file=str(self.ca_file)
        )

    def use(self, number: int) -> None:
        """Serve with a certificate of that authority, from the next start on."""
        authority = self.authorities[number]
        self.broker.use_tls(authority)

    def trust(self, number: int) -> None:
        """Put that authority in place of the one that clients trust."""
        shutil.copy(self.authorities[number].own.certificate, self.ca_file)
        os.utime(self.ca_file, (number + 1, number + 1))
