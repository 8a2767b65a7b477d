"""`fleetglass watch`: the fleet, line by line."""

import time
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec

from fleetglass.client.formats import FORMATS, as_json
from fleetglass.client.source import Interrupted, Source
from fleetglass.wire.codec import decode_text
from fleetglass.wire.errors import PayloadError
from fleetglass.wire.payloads import Pulse
from fleetglass.wire.protocol import (
    BridgeMessage,
    BrokerChange,
    Error,
    Fleet,
    Host,
    HostState,
    Notice,
    PulseFrame,
    Welcome,
)

_COLOURS: Final = {"live": 32, "late": 33, "lost": 31, "stopped": 35, "waiting": 36}


class Terminal:
    """Turns the messages of a bridge into lines. `say` takes what is no data, such as a lost connection."""

    def __init__(
        self,
        hosts: Collection[str],
        style: str,
        *,
        colour: bool,
        show: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._hosts = frozenset(hosts)
        self._style = style
        self._colour = colour
        self._show = show
        self._say = say
        self._states: dict[str, HostState] = {}
        self._told_missing: set[str] = set()

    async def follow(self, source: Source) -> None:
        """Print what comes, for as long as something does."""
        async for message in source.messages():
            self.take(message)

    def take(self, message: BridgeMessage | Interrupted) -> None:
        """Print what one message has to say."""
        match message:
            case PulseFrame(hosts=pulses):
                for host, pulse in pulses.items():
                    if not self._hosts or host in self._hosts:
                        self._show_pulse(host, pulse)
            case Fleet(hosts=entries):
                for entry in entries:
                    self._note_state(entry.id, entry.state, entry.since)
                self._tell_missing({entry.id for entry in entries})
            case Host(id=host, removed=True):
                self._states.pop(host, None)
            case Host(id=host, state=state, since=since) if state is not msgspec.UNSET:
                self._note_state(host, state, since)
            case Welcome(broker="connecting") | BrokerChange(state="connecting"):
                self._say("the bridge has no broker at present; waiting")
            case BrokerChange(state="connected"):
                self._say("the bridge has its broker again")
            case Notice(text=text) | Error(text=text):
                self._say(text)
            case Interrupted(reason=reason, delay=delay):
                self._say(f"{reason}; trying again in {delay:.1f} s")

    def _show_pulse(self, host: str, payload: msgspec.Raw) -> None:
        try:
            if self._style == "json":
                self._show(as_json(host, decode_text(bytes(payload), dict)))
            else:
                self._show(FORMATS[self._style](self._paint(host, 1), decode_text(bytes(payload), Pulse)))
        except PayloadError as error:
            self._say(f"{host}: {error}")

    def _note_state(self, host: str, state: HostState, since: Any) -> None:
        if self._hosts and host not in self._hosts:
            return
        known = self._states.get(host)
        self._states[host] = state
        if state == known or (known is None and state == "live"):
            return
        if self._style == "json":
            self._show(msgspec.json.encode({"host": host, "state": state, "since": since}).decode())
            return
        clock = time.strftime("%H:%M:%S", time.localtime(since)) if isinstance(since, float) else ""
        when = f" since {clock}" if clock else ""
        self._show(f"{self._paint(host, 1)}  is {self._paint(state, _COLOURS[state])}{when}")

    def _tell_missing(self, known: set[str]) -> None:
        for host in sorted(self._hosts - known - self._told_missing):
            self._told_missing.add(host)
            self._say(f"{host}: the bridge has not heard of this host yet; waiting")

    def _paint(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text
