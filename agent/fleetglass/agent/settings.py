"""What an agent is told; built once, passed down."""

from dataclasses import dataclass
from pathlib import Path

from fleetglass.agent.selection import DEFAULT_SELECTIONS, Selections
from fleetglass.mqtt.credentials import BrokerAccess, credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """All that an agent can be told."""

    broker: BrokerAccess
    host_id: str
    prefix: str = "fleet"
    interval: float = 1.0
    """Seconds between two ticks, 0.5 to 60."""
    top_processes: int = 10
    """Length of the two lists of the `process` group."""
    demand: bool = False
    """Take leases of bridges that ask for costly groups more often while somebody watches."""
    containers: bool = False
    """Publish the containers of Docker or Podman."""
    units: tuple[str, ...] = ()
    """Units of systemd to publish, by name or pattern, and with them all that failed; none without any."""
    storage: bool = False
    """Publish the health of disks, arrays and pools."""
    nut: tuple[str, int] | None = None
    """Host and port of the upsd of Network UPS Tools whose UPSes to publish."""
    custom_folder: Path | None = None
    """Folder of programs and JSON files, each of which becomes a group `custom-<name>`."""
    updates: bool = False
    """Count the updates of packages that wait, by running the host's package manager."""
    tags: tuple[str, ...] = ()
    interface: str | None = None
    """Publish only while this interface has an address."""
    selections: Selections = DEFAULT_SELECTIONS
    """Interfaces, disks, filesystems, sensors and users to read."""
    root: str = "/"
    """Folder under which `/proc` and `/sys` of the host lie."""
    container: str | None = None
    """What runs the container that the agent shows instead of a host, such as `docker`."""
    kept_id_hash: str | None = None
    """Stands for the machine id of such a container, where it is kept."""
    home_assistant: bool = True
    """Whether Home Assistant is told of this host."""
    home_assistant_prefix: str = "homeassistant"
    """Where Home Assistant looks for devices."""

    @property
    def user(self) -> str | None:
        """The user that the agent is at the broker: with a password alone, the one named like the host."""
        return credentials(self.broker, self.host_id).user
