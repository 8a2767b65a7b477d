"""Clients of paho, set up alike: credentials, TLS, and a socket that is read in bulk."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from fleetglass.mqtt.address import BrokerAccess, credentials
from fleetglass.mqtt.bulk_socket import BulkSocket, SocketContext
from fleetglass.mqtt.lazy_paho import Client

if TYPE_CHECKING:
    import socket
    import ssl


def paho_client(
    access: BrokerAccess,
    *,
    client_id: str,
    version: MQTTProtocolVersion,
    default_user: str | None = None,
    clean_session: bool = True,
    connect_seconds: float = 5.0,
    wrap: Callable[["socket.socket | ssl.SSLSocket"], BulkSocket] = BulkSocket,
) -> Client:
    """Return a client that is not connected yet, and never connects by itself.

    Args:
        access: how to be let in; which node to connect to is said to `connect`.
        client_id: unique among all clients of the broker.
        version: of MQTT.
        default_user: as for `credentials`.
        clean_session: whether the broker forgets this client when it leaves; of MQTT 3.1.1 only, as `connect`
            is told by MQTT 5.
        connect_seconds: for the connection, and once more for the handshake of TLS.
        wrap: makes the socket that is read from.
    """
    is_mqtt_5 = version is MQTTProtocolVersion.MQTTv5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if is_mqtt_5 else clean_session,
        protocol=version,
        reconnect_on_failure=False,
    )
    user, password = credentials(access, default_user)
    if user is not None:
        client.username_pw_set(user, password)
    client.tls_set_context(cast("ssl.SSLContext", SocketContext(access, wrap)))
    client.connect_timeout = connect_seconds
    return client
