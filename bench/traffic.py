"""A fleet's messages at next to no cost: packets made once, stamped right before they are written.

`fleetglass simulate` computes every value anew, which at thousands of hosts costs more than what is to be
measured. Here the simulator's hosts speak once; from then on only time and tick change.
"""

import contextlib
import multiprocessing
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from fleetglass.cli.simulator.synthetic_host import make_host
from fleetglass.cli.simulator.synthetic_messages import make_info, make_messages
from fleetglass.wire import Topics
from fleetglass.wire.codec import encode
from fleetglass.wire.payloads import CollectorReport, CollectorRun, Status

SLOTS = 100
"""Each host has its own moment of the second."""
FIRST_TICK = 1_000_000  # every tick has as many digits, so that a packet's length never changes
SLOW_EVERY = 5
SESSION = "bench0"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Which hosts publish what, to which broker."""

    port: int
    hosts: int
    detailed: int
    """The first so many hosts publish their groups as well as their pulse."""
    cores: int = 8


def host_ids(count: int) -> list[str]:
    """Return the ids of the first hosts."""
    return [make_host(number, cores=1, now=0).id for number in range(1, count + 1)]


@contextlib.contextmanager
def traffic(*wanted: Traffic) -> Iterator[None]:
    """Publish once per second in processes of their own, until the block is left."""
    spawn = multiprocessing.get_context("spawn")
    running = []
    for one in wanted:
        here, there = spawn.Pipe()
        process = spawn.Process(target=_publish, args=(one, there), daemon=True)
        process.start()
        running.append((process, here))
    try:
        for _, here in running:
            here.recv()
        yield
    finally:
        for process, here in running:
            here.close()
            process.join(5)
            process.kill()


def retain(port: int, count: int) -> None:
    """Leave status and info of so many hosts on the broker."""
    topics = Topics()
    now = time.time()
    packets = bytearray()
    for number in range(1, count + 1):
        host = make_host(number, cores=8, now=now)
        status = encode(Status(state="online", session=SESSION, time=now))
        info = encode(make_info(host, now, SESSION, "bench", 1.0))
        packets += _packet(topics.leaf(host.id, "status"), status, retained=True)
        packets += _packet(topics.leaf(host.id, "info"), info, retained=True)
    with connected(port) as broker:
        broker.sendall(packets + b"\xc0\x00")
        assert broker.recv(2) == b"\xd0\x00", "expected PINGRESP"  # noqa: S101 - all was taken in


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Return a socket of an MQTT connection that never expires."""
    with socket.create_connection(("127.0.0.1", port)) as broker:
        broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        broker.sendall(connect_packet())
        assert broker.recv(4)[:2] == b"\x20\x02", "expected CONNACK"  # noqa: S101 - a real broker
        yield broker


def connect_packet() -> bytes:
    """Return CONNECT of MQTT 3.1.1: clean session, no keepalive, an id that the broker chooses."""
    return b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"


def _publish(wanted: Traffic, control: Connection) -> None:
    slots: list[list[tuple[bytes, bytes, int, int]]] = [[] for _ in range(SLOTS)]
    for number in range(wanted.hosts):
        detailed = number < wanted.detailed
        plain, slow = (
            _template(number + 1, wanted.cores, detailed, with_slow) for with_slow in (False, True)
        )
        slots[number * SLOTS // wanted.hosts].append((plain, slow, plain.count(b"%d"), slow.count(b"%d")))
    with connected(wanted.port) as broker:
        control.send("ready")
        start = time.monotonic()
        turn = 0
        while not control.poll():
            tick = FIRST_TICK + turn // SLOTS
            for number, (plain, slow, few, many) in enumerate(slots[turn % SLOTS]):
                is_slow = (turn // SLOTS + number) % SLOW_EVERY == 0
                count = many if is_slow else few
                broker.sendall((slow if is_slow else plain) % ((time.time(), tick) * count))
            turn += 1
            time.sleep(max(0.0, start + turn / SLOTS - time.monotonic()))


def _template(number: int, cores: int, detailed: bool, with_slow: bool) -> bytes:  # noqa: FBT001 - see its one call
    host = make_host(number, cores=cores, now=time.time())
    now = round(time.time()) + 0.123456
    due = frozenset({"process", "filesystem"}) if with_slow else frozenset[str]()
    pulse, groups = make_messages(host, now, FIRST_TICK, SESSION, due)
    topics = Topics()
    messages = {topics.leaf(host.id, "pulse"): encode(pulse)}
    if detailed:
        runs = {name: CollectorRun(state="ok", duration_seconds=0.001) for name in groups}
        report = CollectorReport(time=now, tick=FIRST_TICK, collectors=runs)
        messages |= {topics.live(host.id, group): encode(one) for group, one in groups.items()}
        messages[topics.live(host.id, "collector")] = encode(report)
    template = b""
    for topic, payload in messages.items():
        stamp = b'{"time":%.6f,"tick":%d' % (now, FIRST_TICK)
        assert payload.startswith(stamp), payload[:60]  # noqa: S101 - the wire's own field order
        packet = _packet(topic, payload).replace(b"%", b"%%")
        template += packet.replace(stamp, b'{"time":%.6f,"tick":%d', 1)
    return template


def _packet(topic: str, payload: bytes, *, retained: bool = False) -> bytes:
    body = struct.pack("!H", len(topic)) + topic.encode() + payload
    return bytes([0x31 if retained else 0x30]) + _length(len(body)) + body


def _length(number: int) -> bytes:
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def subscribe_packet(filters: list[str]) -> bytes:
    """Return SUBSCRIBE at QoS 0."""
    body = b"\x00\x01" + b"".join(struct.pack("!H", len(name)) + name.encode() + b"\x00" for name in filters)
    return b"\x82" + _length(len(body)) + body
