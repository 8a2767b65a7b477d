import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.cli.configuration.values import (
    BridgeAddress,
    Broker,
    Choice,
    Flag,
    HostId,
    HostList,
    Interface,
    Kind,
    Number,
    Prefixes,
    Text,
    Texts,
    Upsd,
    Whole,
)
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.mqtt.address import BrokerURL

KINDS: list[Kind[object]] = [
    Text(),
    Choice(("a", "b")),
    Number(0.5, 60),
    Whole(1, 9),
    Flag(),
    Texts(),
    Prefixes(),
    HostId(),
    HostList(),
    Interface(),
    Broker(),
    BridgeAddress(),
    Upsd(),
]


@pytest.mark.parametrize(
    ("kind", "given_value", "value"),
    [
        (Number(0.5, 60), "2", 2.0),
        (Number(0.5, 60), 0.5, 0.5),
        (Whole(1, 9), "9", 9),
        (Flag(), "Yes", True),
        (Flag(), False, False),
        (Choice(("a", "b")), "B", "b"),
        (Texts(), "a, b", ("a", "b")),
        (Texts(), ["a", "b", "a"], ("a", "b")),
        (Prefixes(), "fleet/paris", ("fleet/paris",)),
        (Upsd(), "ups.lan", ("ups.lan", 3493)),
        (Upsd(), "[::1]:99", ("::1", 99)),
        (BridgeAddress(), "wss://h/ws", "wss://h/ws"),
        (BridgeAddress(), "ws://localhost:8765", "ws://localhost:8765/ws"),
        (BridgeAddress(), "ws://h/?a=1", "ws://h/ws?a=1"),
        (HostList(), "a, b", (ExpectedHost("a"), ExpectedHost("b"))),
        (HostList(), ["a", {"id": "b", "name": "B"}], (ExpectedHost("a"), ExpectedHost("b", "B"))),
        (HostList(), [], ()),
        (Interface(), "enp0s31f6.100", "enp0s31f6.100"),
        (Broker(), "mqtts://h", (BrokerURL("h", 8883, tls=True),)),
        (Broker(), "mqtt://a, mqtt://b:99", (BrokerURL("a", 1883), BrokerURL("b", 99))),
    ],
)
def test_accepted(kind: Kind[object], given_value: object, value: object) -> None:
    """Texts of arguments and variables mean the same as the values of a file."""
    assert kind.read(given_value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Number(0.5, 60), True),
        (Number(0.5, 60), "inf"),
        (Number(0.5, 60), 61),
        (Whole(1, 9), 1.5),
        (Whole(1, 9), False),
        (Flag(), 1),
        (Flag(), "perhaps"),
        (Text(), " "),
        (Texts(), "a,,b"),
        (Texts(), "caf\udce9"),
        (Texts(), [1]),
        (HostId(), 7),
        (HostList(), "a,,b"),
        (HostList(), {"a": None}),
        (Interface(), "../eth0"),
        (Interface(), ".."),
        (Interface(), "wlan 0"),
        (Interface(), "sixteen-letters-"),
        (Interface(), "eth0\0"),
        (Upsd(), "::1"),
        (Upsd(), "rack@ups.lan"),
        (Upsd(), "ups.lan:0"),
        (Upsd(), "ups.lan:x"),
        (Upsd(), "ups.lan/rack"),
        (BridgeAddress(), "ws://"),
        (BridgeAddress(), "ws://h:x/ws"),
    ],
)
def test_refused(kind: Kind[object], value: object) -> None:
    """What is not of the kind is refused."""
    with pytest.raises(ValueError):  # noqa: PT011 - its text is said by who knows the key
        kind.read(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=4,
    )
)
def test_only_documented_errors(value: object) -> None:
    """No value that YAML can hold makes a kind raise anything but ValueError."""
    for kind in KINDS:
        with contextlib.suppress(ValueError):
            kind.read(value)
