import json
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import msgspec.inspect
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from fleetglass.wire import PayloadError, decode, decode_stamp, encode
from fleetglass.wire.bounds import MAX_MAGNITUDE, MAX_NESTING, exact_decoder
from fleetglass.wire.codec import decode_pulse, decode_tick, decode_viewer_message
from fleetglass.wire.payloads import (
    GROUPS,
    MAX_PAYLOAD_BYTES,
    Backfill,
    Cpu,
    Demand,
    Info,
    Pulse,
    Stamp,
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
        b'{"time":1,"tick":1,"x":' + b"[" * MAX_NESTING + b"]" * MAX_NESTING + b"}",
        b'{"time":1,"tick":1,"x":' + b'{"a":[' * 16 + b"]}" * 16 + b"}",
        b'{"time":1,"tick":1,"x":["]","\\"",' + b"[" * 31 + b"]" * 31 + b"]}",
        b'{"time":1,"tick":1,"x":1e308}',
        b'{"time":1,"tick":1,"x":-1e308}',
        b'{"time":1,"tick":1,"x":1E+25}',
        b'{"time":1,"tick":1,"x":1e999}',
        b'{"time":1,"tick":1,"x":Infinity}',
        b'{"time":1,"tick":1,"x":1' + b"0" * 25 + b"}",
        b'{"time":1,"tick":1,"x":' + b"9" * 309 + b"}",
        b'{"time":1,"tick":1,"x":-' + b"9" * 5000 + b"}",
        b'{"time":1,"tick":1,"x":1e300,"x":1}',
        b'{"time":1,"tick":1,"x":{"\\\\":["1","\\",2,",{"y":[true,null,1e25]}]}}',
        b'{"time":1,"tick":1,"x":"' + b"a" * MAX_PAYLOAD_BYTES + b'"}',
    ],
    ids=lambda payload: payload[:40],
)
def test_what_a_relay_must_not_pass_on_is_refused(payload: bytes) -> None:
    """What is not one JSON object in UTF-8 with a sane stamp would break the frame it is put into."""
    with pytest.raises(PayloadError):
        decode_stamp(payload)


@pytest.mark.parametrize(
    "value",
    [
        b"[" * 31 + b"1e24" + b"]" * 31,
        b"1" + b"0" * 24,
        b"-1e24",
        b"1e-400",
        b"0e999",
        b"0." + b"1" * 5000 + b"e20",
        b'"' + b"[{" * 100 + b'1e999"',
        b'["\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1e999","\\\\",{"\\\\\\"":1e9}]',
        b"[" + b"[[1]]," * 100 + b"true,false,null]",
    ],
    ids=lambda value: value[:40],
)
def test_what_is_within_the_bounds_is_relayed(value: bytes) -> None:
    """A text may say what it likes, and a number or a structure may reach its bound."""
    payload = b'{"time":1,"tick":7,"x":' + value + b"}"
    assert decode_stamp(payload).tick == 7


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"[" * 32 + b"]" * 32, "payload: got more than 32 levels of nesting, expected at most 32"),
        (b"[" * 9999 + b"]" * 9999, "payload: got more than 32 levels of nesting, expected at most 32"),
        (b"-1e308", "payload: got the number -1e308, expected -1e24 to 1e24"),
        (b"1" * 5000, f"payload: got the number {'1' * 40}…, expected -1e24 to 1e24"),
    ],
    ids=["deep", "deepest", "large", "long"],
)
def test_a_bound_is_named(value: bytes, reason: str) -> None:
    """The one line says what was got and what is allowed."""
    with pytest.raises(PayloadError) as caught:
        decode_stamp(b'{"time":1,"tick":7,"x":' + value + b"}")
    assert str(caught.value) == reason


@given(
    st.integers(0, 70),
    st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False)),
    st.lists(
        st.sampled_from(
            ["[", "{", '"', "\\", "]", "}", "1e999", "9" * 400, "é"],
        ),
        max_size=6,
    ),
    st.data(),
)
def test_any_depth_and_any_number_are_bounded_in_fields_that_nobody_knows(
    depth: int, number: float, texts: list[str], data: st.DataObject
) -> None:
    """Whatever stands around it, a payload is taken exactly when depth and number are within the bounds."""
    value: object = number
    text = "".join(texts)
    for _ in range(depth):
        beside: object = data.draw(st.sampled_from([text, 5, None, [], {}]))
        value = {text: value, text + "z": beside} if data.draw(st.booleans()) else [beside, value]
    payload = json.dumps({"time": 1, "tick": 1, "session": "a", "unknown": value}).encode()
    fits = 1 + _depth(value) <= MAX_NESTING and abs(float(number)) <= MAX_MAGNITUDE
    takers: list[Callable[[bytes], object]] = [
        partial(decode, message_type=kind) for kind in (Stamp, Pulse, Cpu, dict)
    ]
    takers += [decode_stamp, decode_pulse, partial(decode_tick, "cpu"), partial(decode_tick, "custom-x")]
    for take in takers:
        try:
            take(payload)
        except PayloadError:
            assert not fits
        else:
            assert fits


@pytest.mark.parametrize("message_type", [Pulse, *GROUPS.values()])
def test_the_numbers_of_known_fields_are_bounded_too(message_type: type[msgspec.Struct]) -> None:
    """Every field of every group, nested ones too, takes what the bounds allow and nothing beyond."""
    group = next((name for name, kind in GROUPS.items() if kind is message_type), None)
    take = decode_pulse if group is None else partial(decode_tick, group)
    for number in (0, -5, 2**64, 10**23):
        take(_filled(message_type, number))
    for number in (10**25, -(10**25), 10**309, 10**999):
        with pytest.raises(PayloadError, match=r"1e24|out of range"):
            take(_filled(message_type, number))


@pytest.mark.parametrize("message_type", [Pulse, Info, Status, *GROUPS.values()])
def test_what_an_agent_sends_is_proved_by_the_decoder_alone(message_type: type[msgspec.Struct]) -> None:
    """The cheap check is enough for a message with all its known fields."""
    assert isinstance(exact_decoder(message_type)(_filled(message_type, 7)), message_type)


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


def _filled(message_type: type[msgspec.Struct], number: int) -> bytes:
    """Return a message with every field, in which each number but those of its stamp is the given one."""
    value = _value(msgspec.inspect.type_info(message_type), number)
    return json.dumps(value | {name: 1 for name in ("time", "tick") if name in value}).encode()


def _value(kind: msgspec.inspect.Type, number: int) -> Any:
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            return {one.name: _value(one.type, number) for one in fields}
        case msgspec.inspect.Metadata(type=inner):
            return _value(inner, number)
        case msgspec.inspect.UnionType(types=types):
            return _value(types[0], number)
        case msgspec.inspect.DictType(value_type=inner):
            return {"a": _value(inner, number)}
        case msgspec.inspect.ListType(item_type=inner):
            return [_value(inner, number)]
        case msgspec.inspect.LiteralType(values=values):
            return values[0]
        case msgspec.inspect.StrType():
            return "a"
        case msgspec.inspect.BoolType():
            return True
    return number


def _depth(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)


@pytest.mark.parametrize("character", ["\n", "\x1b", "\u2028"])
def test_an_error_that_quotes_the_payload_is_one_printable_line(character: str) -> None:
    """Line breaks and control characters of a payload are escaped in the error."""
    text = json.dumps({"type": f"a{character}b"})
    with pytest.raises(PayloadError) as raised:
        decode_viewer_message(text)
    assert str(raised.value).isprintable()
    assert ascii(character)[1:-1] in str(raised.value)
