"""What the payloads share: their stamp, and the types of their fields."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

MAX_PAYLOAD_BYTES = 64 * 1024
"""The largest payload that is relayed; a larger one is counted and dropped."""

Time = Annotated[float, Meta(ge=0, le=1e11, description="UTC, seconds since the epoch, with milliseconds")]
Tick = Annotated[
    int, Meta(ge=0, le=2**53, description="number of the sampling tick, the same in all its messages")
]
Session = Annotated[str, Meta(min_length=1, max_length=64, description="random per agent start")]

Percent = float | UnsetType
Count = int | UnsetType
Bytes = int | UnsetType
Rate = int | UnsetType
Seconds = float | UnsetType
Celsius = float | UnsetType
Hertz = int | UnsetType


class Stamp(msgspec.Struct):
    """What every data message carries; all that a relay needs to read of one."""

    time: Time
    tick: Tick
    session: Session | UnsetType = UNSET
