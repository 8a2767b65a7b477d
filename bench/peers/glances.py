import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from peers.peer import MissingError, MqttPeer

FOLDER = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "fleetglass-bench" / "glances"
CONFIGURATION = """
[outputs]
[mqtt]
host=127.0.0.1
port={port}
tls=false
user=bench
password=bench
topic=glances
devicename=bench
topic_structure=per-metric
"""


class Glances(MqttPeer):
    """Glances without a display, exporting over MQTT once per second."""

    name = "glances"
    delivery = "MQTT, one message per value"
    topics = "glances/#"

    def command(self) -> Sequence[str]:
        """Write its configuration."""
        program = FOLDER / "bin" / "glances"
        if not program.exists():
            raise MissingError(
                f"python3 -m venv {FOLDER} && {FOLDER}/bin/pip install glances paho-mqtt certifi"
            )
        configuration = self.folder / "glances.conf"
        configuration.write_text(CONFIGURATION.format(port=self.port))
        return [
            *(str(program), "--config", str(configuration), "--disable-check-update"),
            *("--export", "mqtt", "--quiet", "--time", "1"),
        ]

    def values_in(self, payload: bytes) -> int:
        """Count a payload that is a number or a truth."""
        if payload in {b"True", b"False"}:
            return 1
        with contextlib.suppress(ValueError):
            float(payload)
            return 1
        return 0
