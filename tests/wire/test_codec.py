import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from fleetglass.wire import PayloadError, decode, decode_stamp, encode
from fleetglass.wire.codec import decode_viewer_message
from fleetglass.wire.payloads import (
    GROUPS,
    MAX_PAYLOAD_BYTES,
    Backfill,
    Cpu,
    Demand,
    Info,
    Pulse,
    Status,
    Summary,
)

times = st.floats(0, 1e11).map(lambda t: round(t, 3))
ticks = st.integers(0, 2**53)
percents = st.one_of(st.just(UNSET), st.floats(0, 100).map(lambda p: round(p, 1)))
rates = st.one_of(st.just(UNSET), st.integers(0, 2**53))
names = st.text(max_size=20)
sessions = st.text(min_size=1, max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)
message_types = st.sampled_from([Pulse, Summary, Status, Info, Backfill, Demand, *GROUPS.values()])


@given(times, ticks, sessions, percents, st.one_of(st.just(UNSET), st.lists(st.integers(0, 100))), rates)
def test_a_pulse_decodes_to_what_was_encoded(
    time: float, tick: int, session: str, cpu: float, cores: list[int], received: int
) -> None:
    """Nothing is lost or changed on the wire, and what is absent stays absent."""
    pulse = Pulse(
        time=time,
        tick=tick,
        session=session,
        cpu_percent=cpu,
        core_percents=cores,
        network_receive_bytes_per_second=received,
    )
    assert decode(encode(pulse), Pulse) == pulse


@given(times, ticks, sessions, st.lists(percents, max_size=5))
def test_a_backfill_holds_pulses_as_they_are(time: float, tick: int, session: str, cpus: list[float]) -> None:
    """Pulses are put into a backfill and taken out of it byte for byte."""
    pulses = [encode(Pulse(time=time, tick=tick, session=session, cpu_percent=cpu)) for cpu in cpus]
    payload = encode(Backfill(time, tick, session, [msgspec.Raw(one) for one in pulses]))
    assert [bytes(one) for one in decode(payload, Backfill).pulses] == pulses


def test_an_absent_value_is_not_in_the_payload() -> None:
    """A value that the host cannot give is neither 0 nor null: its name does not appear."""
    assert json.loads(encode(Cpu(time=1, tick=2, total_percent=0.0))) == {
        "time": 1,
        "tick": 2,
        "total_percent": 0,
    }


@given(st.binary(), message_types)
def test_no_bytes_raise_anything_but_the_documented_error(
    payload: bytes, message_type: type[msgspec.Struct]
) -> None:
    """Whatever comes, decoding gives a message or a PayloadError of one line."""
    _decode_or_refuse(payload, message_type)


@given(json_values, message_types)
def test_no_json_raises_anything_but_the_documented_error(
    value: object, message_type: type[msgspec.Struct]
) -> None:
    """Any JSON, and what Python calls JSON, gives a message or a PayloadError."""
    _decode_or_refuse(json.dumps(value).encode("utf-8", "surrogatepass"), message_type)


@given(st.dictionaries(st.sampled_from(["type", "hosts", "fleet", "history", "protocol", "id"]), json_values))
def test_no_viewer_message_raises_anything_but_the_documented_error(value: dict[str, object]) -> None:
    """A viewer can say what it likes."""
    for kind in ("hello", "watch", "ping", None):
        try:
            decode_viewer_message(json.dumps(value | ({"type": kind} if kind else {})))
        except PayloadError as error:
            assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'{"time":1}',
        b'{"time":NaN,"tick":1}',
        b'{"time":1,"tick":-1}',
        b'{"time":1,"tick":99999999999999999999}',
        b'{"time":-1,"tick":1}',
        b'{"time":1e300,"tick":1}',
        b'{"time":1,"tick":1,"x":NaN}',
        b'{"time":1,"tick":1,"x":"\xff"}',
        b'{"time":1,"tick":1,"\xff":1}',
        b'{"time":1,"tick":1}{"time":1,"tick":1}',
        b'{"time":1,"tick":1,"x":' + b"[" * 30000 + b"]" * 30000 + b"}",
        b'{"time":1,"tick":1,"x":"' + b"a" * MAX_PAYLOAD_BYTES + b'"}',
    ],
    ids=lambda payload: payload[:40],
)
def test_what_a_relay_must_not_pass_on_is_refused(payload: bytes) -> None:
    """What is not one JSON object in UTF-8 with a sane stamp would break the frame it is put into."""
    with pytest.raises(PayloadError):
        decode_stamp(payload)


@pytest.mark.parametrize("session", ["", "a" * 65])
def test_a_session_names_one_start_of_an_agent(session: str) -> None:
    """A text that is empty or long names none, wherever it stands."""
    for message_type in (Status, Info, Pulse, Backfill):
        payload = {"state": "online", "session": session, "time": 1, "tick": 1, "pulses": []}
        with pytest.raises(PayloadError, match="session"):
            decode(json.dumps(payload).encode(), message_type)


def _decode_or_refuse(payload: bytes, message_type: type[msgspec.Struct]) -> None:
    try:
        assert isinstance(decode(payload, message_type), message_type)
    except PayloadError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right
