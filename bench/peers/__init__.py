"""What the agent is compared with, each behind one interface."""

from peers.collectd import Collectd
from peers.fleetglass import Fleetglass
from peers.glances import Glances
from peers.node_exporter import NodeExporter
from peers.peer import MissingError, Peer

__all__ = ["PEERS", "MissingError", "Peer"]

PEERS: dict[str, type[Peer]] = {
    "fleetglass": Fleetglass,
    "node-exporter": NodeExporter,
    "collectd": Collectd,
    "glances": Glances,
}
