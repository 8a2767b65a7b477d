"""Whether the broker's rules let this machine write and read its topics.

Brokers grant subscriptions that deliver nothing and, by MQTT 3.1.1, acknowledge messages that they drop. Only
a message that comes back proves the rights. An agent's goes to a topic named `doctor`, which nobody reads.
"""

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.message import Message
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from fleetglass.wire import Topics

_LISTEN_SECONDS: Final = 4.0
_POLL_SECONDS: Final = 0.05


class _Heard(NamedTuple):
    """What came of listening: the topic of the first message, or why the broker refused the message sent."""

    connected: bool
    topic: str | None
    refusal: str | None


def check_agent(access: BrokerAccess, settings: AgentSettings) -> Iterator[Finding]:
    """Publish a message on a topic of this host, and wait for it to come back."""
    own = Topics(settings.prefix).leaf(settings.host_id, "doctor")
    payload = f'{{"doctor":"{secrets.token_hex(8)}"}}'.encode()
    heard = _listen(access, settings.user, [own], Message(own, payload, qos=1))
    if not heard.connected:
        yield _no_connection(access)
    elif heard.topic is not None:
        yield Finding("rules", "ok", f"a message on {own} came back")
    else:
        text = f"the broker refuses the message on {own}: {heard.refusal}"
        if heard.refusal is None:
            text = f"a message on {own} does not come back"
        yield Finding("rules", "wrong", text, _remedy(settings, own))


def check_bridge(access: BrokerAccess, user: str | None, prefixes: Sequence[str]) -> Iterator[Finding]:
    """Wait for a message of any host, under each prefix."""
    for prefix in prefixes:
        topics = Topics(prefix)
        heard = _listen(access, user, [topics.fleet_filter("status"), topics.fleet_filter("pulse")])
        if not heard.connected:
            yield _no_connection(access)
        elif heard.topic is not None:
            yield Finding("rules", "ok", f"the bridge may read {prefix}/")
        else:
            text = f"nothing came on {prefix}/: there is no host, or the bridge may not read them"
            yield Finding("rules", "note", text, "start an agent and run doctor again")


def _listen(
    access: BrokerAccess, user: str | None, filters: Sequence[str], message: Message | None = None
) -> _Heard:
    """Subscribe, send the message if there is one, and wait for the first message that comes."""
    came = threading.Event()
    topics: list[str] = []

    def start() -> None:
        connection.subscribe(filters)
        connection.send([message] if message is not None else [])

    def take(topic: str, payload: bytes, _retained: bool) -> None:  # noqa: FBT001 - as it comes
        if not topics and (message is None or payload == message.payload):
            topics.append(topic)
            came.set()

    connection = ThreadedConnection(
        access,
        client_id=f"fleetglass-doctor-{secrets.token_hex(4)}",
        default_user=user,
        on_connected=start,
        on_message=take,
    )
    deadline = time.monotonic() + _LISTEN_SECONDS
    with connection:
        while not came.wait(_POLL_SECONDS) and connection.refusal is None and time.monotonic() < deadline:
            pass
        return _Heard(connection.number > 0, topics[0] if topics else None, connection.refusal)


def _remedy(settings: AgentSettings, own: str) -> str:
    user, broker = settings.user, settings.broker
    who = user or ("named in its certificate" if broker.has_certificate else "anonymous")
    remedy = f"let user {who} write {settings.prefix}/{settings.host_id}/# and read {own}: docs/security.md"
    if user is not None and user != settings.host_id:
        remedy = f"rules know a host by its user: --host-id {user}; or {remedy}"
    return remedy


def _no_connection(access: BrokerAccess) -> Finding:
    text = f"{access.url}: accepts us, but the connection does not last"
    return Finding("rules", "wrong", text, "look into the broker's log: journalctl -u mosquitto")
