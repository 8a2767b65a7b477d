import contextlib
import json
import sys
from collections import defaultdict
from collections.abc import Sequence

from peers.peer import MqttPeer, numbers_in


class Fleetglass(MqttPeer):
    """The agent of this repository, as a user starts it."""

    name = "fleetglass"
    delivery = "MQTT, one JSON per group"
    topics = "fleet/bench/#"

    def command(self) -> Sequence[str]:
        """Start it with an empty configuration, so that only defaults hold."""
        nothing = self.folder / "fleetglass.yaml"
        nothing.write_text("{}\n")
        return [
            *(sys.executable, "-m", "fleetglass.cli", "agent", "--config", str(nothing)),
            *("--broker", f"mqtt://127.0.0.1:{self.port}", "--host-id", "bench"),
        ]

    def values_in(self, payload: bytes) -> int:
        """Count the numbers, without the stamp that every message carries."""
        with contextlib.suppress(ValueError):
            message = json.loads(payload)
            return numbers_in({key: value for key, value in message.items() if key not in {"time", "tick"}})
        return 0

    def details(self) -> dict[str, float]:
        """Add up the turns of each collector."""
        turns: dict[str, set[float]] = defaultdict(set)
        for payload in self.messages:
            with contextlib.suppress(ValueError):
                for group, run in json.loads(payload).get("collectors", {}).items():
                    # A slow collector's last turn is repeated until its next.
                    turns[group].add(run["duration_seconds"])
        return {group: sum(durations) for group, durations in turns.items()}
