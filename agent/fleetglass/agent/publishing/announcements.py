"""What an agent leaves on the broker, so that who comes later finds it."""

import math
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fleetglass.mqtt.message import Message
from fleetglass.wire.topics import INFO_SECONDS


class Announcements:
    """Retained messages, said on each connection and from time to time: brokers may lose them.

    Two threads come here: that of the ticks, and that of the connection.
    """

    def __init__(self, send: Callable[[Sequence[Message]], object], clock: Callable[[], float]) -> None:
        self._send = send
        self._clock = clock
        self._announced: dict[str, _Announcement] = {}
        self._withdrawn: list[str] = []
        # The newest payload must be the last one said.
        self._lock = threading.Lock()

    def put(self, topic: str, payload: bytes) -> None:
        """Say this there as soon as may be, and from now on."""
        with self._lock:
            self._announced[topic] = _Announcement(payload, self._clock())

    def repeat(self, topic: str, *, after_seconds: float) -> None:
        """Say once more what was said there, or nothing when nothing was."""
        with self._lock:
            if (one := self._announced.get(topic)) is not None:
                self._announced[topic] = one._replace(due=self._clock() + after_seconds)

    def withdraw(self, topic: str) -> None:
        """Clear at the first connection what an earlier run may have left there.

        Only at the first: a broker that ends a connection on which this agent writes what it may not must
        not have reason to do so again and again.
        """
        self._withdrawn.append(topic)

    def say_all(self, room: Callable[[str], int]) -> None:
        """Say everything that fits into so many bytes; to be called on each new connection."""
        self._say(float("inf"), room)
        while self._withdrawn:
            self._send([Message(self._withdrawn.pop(), b"", retain=True)])

    def say_due(self) -> None:
        """Say what it is time to say; to be called about once per tick."""
        self._say(self._clock())

    def _say(self, until: float, room: Callable[[str], float] = lambda _: math.inf) -> None:
        with self._lock:
            now = self._clock()
            for topic, one in self._announced.items():
                if one.due <= until and len(one.payload) <= room(topic):
                    self._announced[topic] = one._replace(due=now + INFO_SECONDS)
                    self._send([Message(topic, one.payload, qos=1, retain=True)])


class _Announcement(NamedTuple):
    payload: bytes
    due: float
