import threading
import time as clocks
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue

from fleetglass.agent.collectors.base import Collector, Partial
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Group

_STUCK_SECONDS = 30.0


class BackgroundCollector:
    """Reads a group that may take its time on a thread of its own, and never holds up a tick.

    It has a turn at every tick: it gives the message of a reading that has come to its end, once, and
    begins the next when `interval` seconds have passed since the last began. What the last reading
    raised is raised at every turn until one succeeds, and why it was partial is told at every turn.
    """

    def __init__(
        self,
        group: str,
        interval: float,
        read: Callable[[], Group | Partial | None],
        *,
        cancel: Callable[[], None] = lambda: None,
        shortest_interval: float | None = None,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        """`read` gives a message with any stamp; `cancel`, called from elsewhere, makes a reading end soon.

        `shortest_interval` is the least that `hasten` can bring about: without it, nothing.
        """
        self.group = group
        self.interval = interval
        self.members: Sequence[Collector] = ()
        """Collectors that this one found; they come and go."""
        self.duration: float | None = None
        """How long the last reading took, in seconds."""
        self._read = read
        self._cancel = cancel
        self._clock = clock
        self._outcomes: SimpleQueue[Group | Partial | BaseException | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._began: float | None = None  # when the reading that now runs began
        self._last_began = float("-inf")
        self._shortest_interval = interval if shortest_interval is None else shortest_interval
        self._wanted_interval = interval
        self._closed = False
        self._failure: str | None = None
        self._missing: str | None = None  # why the last reading was partial

    def collect(self, time: float, tick: int, *, may_begin: bool = True) -> Group | Partial | None:
        """Return the message of a reading that has ended since the last turn.

        A reading that is due waits for a turn at which it `may_begin`.

        Raises:
            CollectionError: the last reading failed, or does not come to its end.
        """
        message = self._ended()
        now = self._clock()
        is_due = self._began is None and now >= self._last_began + self._wanted_interval
        if is_due and may_begin and not self._closed:
            self._last_began = now
            self._thread = threading.Thread(target=self._work, name=f"fleetglass-{self.group}", daemon=True)
            self._thread.start()
            self._began = now  # and not before: a thread that cannot be started never ends
        if self._began is not None and now - self._began > max(self.interval, _STUCK_SECONDS):
            raise CollectionError("the previous reading is still running")
        if self._failure is not None:
            raise CollectionError(self._failure)
        if message is not None:
            message.time, message.tick = time, tick
        return message if self._missing is None else Partial(message, self._missing)

    def hasten(self, interval: float | None) -> None:
        """Begin readings at least as often as this, in seconds; None is as often as usual."""
        wanted = self.interval if interval is None else max(interval, self._shortest_interval)
        self._wanted_interval = min(wanted, self.interval)

    def close(self) -> None:
        """Begin no other reading, and end the one that runs and those of its members."""
        self._closed = True
        self._cancel()
        for member in self.members:
            if isinstance(member, BackgroundCollector):
                member.close()

    def _ended(self) -> Group | None:
        # In this order: a thread that has ended has put its outcome, unless it was ended before.
        has_ended = self._thread is not None and not self._thread.is_alive()
        outcome: Group | Partial | BaseException | None
        try:
            outcome = self._outcomes.get_nowait()
        except Empty:
            if self._began is None or not has_ended:
                return None
            outcome = CollectionError("its thread ended")
        self._began = None
        if isinstance(outcome, BaseException):
            plain = isinstance(outcome, CollectionError)
            self._failure = str(outcome) if plain else f"{type(outcome).__name__}: {outcome}"
            return None
        self._failure = self._missing = None
        if isinstance(outcome, Partial):
            outcome, self._missing = outcome
        return outcome

    def _work(self) -> None:
        began = self._clock()
        outcome: Group | Partial | BaseException | None
        try:
            outcome = self._read()
        except BaseException as error:  # noqa: BLE001 - whatever a reading does harms only its own group
            outcome = error
        self.duration = self._clock() - began
        self._outcomes.put(outcome)


def current(collectors: Iterable[Collector]) -> Iterator[Collector]:
    """Yield every collector, each followed by the members that it has just now."""
    for one in collectors:
        yield one
        if isinstance(one, BackgroundCollector):
            yield from one.members
