"""The viewer protocol: JSON text frames over a WebSocket at `/ws`.

A viewer says `hello`, then `watch` as often as its selection changes. The bridge answers `welcome`
and `fleet`, and from then on sends what was selected. Payloads of hosts are passed on as they came.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fleetglass.wire.hosts import HOST_ID_PATTERN

PROTOCOL = 1
SUBPROTOCOL = "fleetglass.v1"
MAX_VIEWER_MESSAGE_BYTES = 16 * 1024
MAX_WATCHED_HOSTS = 64
MAX_VIEWERS = 1000
HELLO_TIMEOUT_SECONDS = 5.0
HISTORY_SECONDS = 15 * 60

HostState = Literal["live", "late", "lost", "suspended", "stopped", "waiting"]
BrokerState = Literal["connected", "connecting"]
HostId = Annotated[str, Meta(pattern=HOST_ID_PATTERN)]
Groups = Annotated[list[HostId], Meta(max_length=64)] | Literal["*"]


class Hello(msgspec.Struct, tag_field="type", tag="hello", forbid_unknown_fields=True):
    """Viewer: first message, within 5 s."""

    protocol: int
    token: str | None = None


class Watch(msgspec.Struct, tag_field="type", tag="watch", forbid_unknown_fields=True):
    """Viewer: the whole selection; it replaces the previous one.

    `fleet` requests the `pulse` frames of all hosts. `hosts` maps host ids to groups: a list, `"*"` for
    every group, or `[]` for no group. `history` requests that many seconds of the past, for each
    host that this message adds or adds groups to. `summaries` requests the last `summary` of all hosts,
    which brokers keep, and those that follow.
    """

    fleet: bool = False
    summaries: bool = False
    hosts: Annotated[dict[HostId, Groups], Meta(max_length=MAX_WATCHED_HOSTS)] = {}
    history: Annotated[float, Meta(ge=0, le=HISTORY_SECONDS)] = 0


class Ping(msgspec.Struct, tag_field="type", tag="ping", forbid_unknown_fields=True):
    """Viewer: requests a `pong` with the same id."""

    id: int | str


ViewerMessage = Hello | Watch | Ping


class Limits(msgspec.Struct):
    """What the bridge allows a viewer."""

    message_bytes: int = MAX_VIEWER_MESSAGE_BYTES
    hosts: int = MAX_WATCHED_HOSTS
    history_seconds: int = HISTORY_SECONDS


class Welcome(msgspec.Struct, tag_field="type", tag="welcome", kw_only=True):
    """Bridge: the answer to `hello`. `time` is the bridge's clock, `sites_away` as in `broker`."""

    protocol: int = PROTOCOL
    version: str
    time: float
    broker: BrokerState
    broker_since: float
    sites_away: dict[str, float] = {}
    viewers: int
    limits: Limits


INFO_OF_WATCHED = ("groups", "devices")
"""The largest fields of `info`; a viewer shows them only for a host that it has opened."""


class ExpectedFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry in the bridge's list of expected hosts; `{}` if the list contains only the host's id."""

    name: str = ""
    """The name to show."""
    tags: list[str] = []
    """Beside the tags in `info`."""
    notes: str = ""


class HostEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One host as the bridge knows it. `since` is the time at which its state began, by the bridge's clock.

    An expected host that was never heard is `waiting` since the bridge started, since the host was added to
    the list, or since it was removed from the broker. A host that is not on the list has no `expected`.
    `cut_off` is true while the host's site is disconnected, so that the bridge cannot know its real state.
    `info` is the payload of the host's info; in the message `fleet` it is without `INFO_OF_WATCHED`.
    """

    id: str
    state: HostState
    since: float
    expected: ExpectedFacts | UnsetType = UNSET
    cut_off: bool = False
    info: msgspec.Raw | UnsetType = UNSET
    pulse: msgspec.Raw | UnsetType = UNSET


class Fleet(msgspec.Struct, tag_field="type", tag="fleet", kw_only=True):
    """Bridge: every host, after `welcome`; each `info` is without `INFO_OF_WATCHED`."""

    time: float
    hosts: list[HostEntry]


class Delivery(msgspec.Struct, kw_only=True):
    """How the pulses of one host reach the bridge. Counts start when the bridge first hears the host."""

    age_seconds: float
    """Of the last pulse when it came: the bridge's clock less the host's, so with the offset in it."""
    latency_seconds: float
    """What the last pulse took longer than the fastest of the last minute; free of the clocks' offset."""
    jitter_seconds: float
    """How much the way of one pulse differs from that of the next (RFC 3550)."""
    clock_offset_seconds: float
    """How far the host's clock is ahead of the bridge's, less what the fastest pulse took."""
    received_total: int
    lost_total: int
    """Ticks that are missing within a session; those that came later, or by `backfill`, are not."""
    late_total: int
    """Pulses whose latency was more than an interval."""
    duplicate_total: int
    backfilled_total: int


class Host(msgspec.Struct, tag_field="type", tag="host", kw_only=True, omit_defaults=True):
    """Bridge: one host changed its state or its info, or was removed. Sent to every viewer.

    An expected host that was removed follows as `waiting` in the next message.

    A viewer that begins to select groups of a host gets this message once more, with the whole `info`. For
    other viewers, `info` is without `INFO_OF_WATCHED`. Viewers with selected groups also get `delivery` and
    the last `pulse`, in a separate message every 5 s. With each `state`, `expected` and `cut_off` are as in
    the message `fleet`.
    """

    id: str
    state: HostState | UnsetType = UNSET
    since: float | UnsetType = UNSET
    expected: ExpectedFacts | UnsetType = UNSET
    cut_off: bool = False
    info: msgspec.Raw | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    pulse: msgspec.Raw | UnsetType = UNSET
    removed: bool = False


class PulseFrame(msgspec.Struct, tag_field="type", tag="pulse"):
    """Bridge: the pulses that came since the last such frame, one frame per second."""

    time: float
    hosts: dict[str, msgspec.Raw]


class SummaryFrame(msgspec.Struct, tag_field="type", tag="summary"):
    """Bridge: the `summary` of one host."""

    host: str
    summary: msgspec.Raw


class LiveFrame(msgspec.Struct, tag_field="type", tag="live"):
    """Bridge: the groups of one host and tick."""

    host: str
    samples: dict[str, msgspec.Raw]


class History(msgspec.Struct, tag_field="type", tag="history", omit_defaults=True):
    """Bridge: the past of one host by group, oldest first; the group `pulse` has the pulses.

    A long past comes in several frames, starting with the newest samples. `more` announces another frame,
    which does not come if the viewer removes the host from its selection. Pulses that arrive late also come
    in such a frame.
    """

    host: str
    samples: dict[str, list[msgspec.Raw]]
    more: bool = False


class BrokerChange(msgspec.Struct, tag_field="type", tag="broker"):
    """Bridge: its connection to the broker changed, or the connection of a site's broker to this one.

    `sites_away` maps the prefix of each disconnected site to the time of the disconnection.
    """

    state: BrokerState
    since: float
    sites_away: dict[str, float] = {}


class Notice(msgspec.Struct, tag_field="type", tag="notice"):
    """Bridge: something the viewer should know."""

    code: Literal["slow"]
    text: str


class Error(msgspec.Struct, tag_field="type", tag="error"):
    """Bridge: the viewer's last message was refused."""

    code: Literal["bad_message", "bad_protocol", "bad_token", "too_many_viewers", "hello_expected"]
    text: str


class Pong(msgspec.Struct, tag_field="type", tag="pong"):
    """Bridge: the answer to `ping`. `time` is the bridge's clock."""

    id: int | str
    time: float


BridgeMessage = (
    Welcome
    | Fleet
    | Host
    | PulseFrame
    | SummaryFrame
    | LiveFrame
    | History
    | BrokerChange
    | Notice
    | Error
    | Pong
)


def as_json(message: Any) -> str:
    """Return a message of either side as the text of one frame."""
    return msgspec.json.encode(message).decode()
