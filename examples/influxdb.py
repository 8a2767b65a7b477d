"""Keep the pulses of a fleet in InfluxDB, those of an outage among them.

python examples/influxdb.py                                             # both on this machine
python examples/influxdb.py --broker mqtts://reader@broker.example --ca-file ca.crt --every 10

The broker's password is taken from FLEETGLASS_PASSWORD, what InfluxDB asks for from INFLUXDB_AUTHORIZATION
(such as "Token …"). What InfluxDB does not take is sent again; the newest 100,000 points wait for that.
"""

import argparse
import os
import secrets
import time
import urllib.request
from collections import deque
from contextlib import suppress
from http import HTTPStatus
from urllib.error import HTTPError

import msgspec

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.backoff import READER_CAP_SECONDS
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from fleetglass.wire import PayloadError, Topics, decode
from fleetglass.wire.payloads import Backfill, Pulse

CLIENT_NAME = "fleetglass-influxdb"
WAITING_POINTS = 100_000
POINTS_PER_REQUEST = 5_000
REQUEST_SECONDS = 1.0
LEFT_OUT = ("time", "tick", "session", "core_percents", "core_numbers")


def point(host: str, pulse: Pulse) -> str:
    """Return a pulse as one line of InfluxDB; the same pulse gives the same point, however often it comes."""
    told = msgspec.to_builtins(pulse).items()
    fields = [f"{name}={value}" for name, value in told if name not in LEFT_OUT]
    return f"pulse,host={host} {','.join(fields)} {round(pulse.time * 1000)}"


def points(topics: Topics, topic: str, payload: bytes, every: int) -> list[str]:
    """Return the points that a message brings: one for a pulse, and many for a backfill."""
    address = topics.parse(topic)
    if address is None or address.leaf not in ("pulse", "backfill"):
        return []
    payloads = map(bytes, decode(payload, Backfill).pulses) if address.leaf == "backfill" else [payload]
    pulses = [decode(one, Pulse) for one in payloads]
    return [point(address.host, pulse) for pulse in pulses if pulse.tick % every == 0]


def write(url: str, lines: list[str]) -> bool:
    """Hand points to InfluxDB; whether that is done with them."""
    request = urllib.request.Request(url, "\n".join(lines).encode())  # noqa: S310 - the user's own address
    if authorization := os.environ.get("INFLUXDB_AUTHORIZATION"):
        request.add_header("Authorization", authorization)
    try:
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    except HTTPError as error:
        print("error:", error, error.read().decode(errors="replace"))
        return error.code == HTTPStatus.BAD_REQUEST  # it took what it could, and will never take the rest
    except OSError as error:
        print("error:", error)
        return False
    return True


def connection_to(
    access: BrokerAccess, topics: Topics, every: int, waiting: deque[str], session: str | None = None
) -> ThreadedConnection:
    """Return a connection that finds its way to the broker by itself and lets points wait.

    With a session the broker keeps backfills while this program is away, for a client of that name.
    """

    def take(topic: str, payload: bytes, _retained: bool) -> None:  # noqa: FBT001 - as it is called
        with suppress(PayloadError):  # anybody may publish anything
            waiting.extend(points(topics, topic, payload, every))

    def subscribe() -> None:
        connection.subscribe([topics.fleet_filter("pulse")], qos=0)
        connection.subscribe([topics.fleet_filter("backfill")], qos=1)

    connection = ThreadedConnection(
        access,
        client_id=f"{CLIENT_NAME}-{session or secrets.token_hex(4)}",
        on_connected=subscribe,
        on_message=take,
        keeps_session=session is not None,
        longest_wait_seconds=READER_CAP_SECONDS,
    )
    return connection


def main() -> None:
    """Read the arguments, then write until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--broker", type=BrokerURL.parse, default=BrokerURL.parse("mqtt://127.0.0.1"))
    parser.add_argument("--ca-file")
    parser.add_argument("--prefix", type=Topics, default=Topics())
    parser.add_argument("--influxdb", default="http://127.0.0.1:8086/write?db=fleet")
    parser.add_argument("--every", type=int, default=1, help="keep one pulse in so many")
    parser.add_argument(
        "--session", help="name under which the broker keeps backfills meanwhile; one for each program"
    )
    arguments = parser.parse_args()
    password = os.environ.get("FLEETGLASS_PASSWORD") or None
    access = BrokerAccess(url=arguments.broker, password=password, ca_file=arguments.ca_file)
    waiting: deque[str] = deque(maxlen=WAITING_POINTS)  # the oldest give way
    batch: list[str] = []
    connection = connection_to(access, arguments.prefix, arguments.every, waiting, arguments.session)
    with connection, suppress(KeyboardInterrupt):
        while True:
            while waiting and len(batch) < POINTS_PER_REQUEST:
                batch.append(waiting.popleft())
            if batch and write(f"{arguments.influxdb}&precision=ms", batch):
                batch.clear()
            if batch or not waiting:
                time.sleep(REQUEST_SECONDS)


if __name__ == "__main__":
    main()
