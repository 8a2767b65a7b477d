import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.mqtt.address import BrokerURL
from fleetglass.wire import BrokerURLError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://127.0.0.1", BrokerURL("127.0.0.1", 1883)),
        ("mqtts://web-1@broker.example", BrokerURL("broker.example", 8883, tls=True, user="web-1")),
        ("mqtt://[::1]:99", BrokerURL("::1", 99)),
        ("mqtt://broker.example.", BrokerURL("broker.example.", 1883)),
        ("mqtt://xn--bcher-kva.example", BrokerURL("xn--bcher-kva.example", 1883)),
        ("mqtt://my_broker", BrokerURL("my_broker", 1883)),
        (f"mqtt://{'a' * 63}", BrokerURL("a" * 63, 1883)),
    ],
)
def test_addresses_are_read(text: str, expected: BrokerURL) -> None:
    """Scheme, user, host and port are understood, and the ports have their defaults."""
    assert BrokerURL.parse(text) == expected
    assert BrokerURL.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "http://x",
        "mqtt://",
        "mqtt://x:0",
        "mqtt://x:99999",
        "mqtt://x:y",
        "mqtt://x/y",
        "mqtt://a b",
        "mqtt://a..b",
        "mqtt://.a",
        "mqtt://.",
        f"mqtt://{'a' * 64}",
        f"mqtt://{'a.' * 128}",
        "mqtt://b\u00fccher.example",
        "mqtt://[fe80::zz]",
        "mqtt://u%00v@x",
        f"mqtt://{'u' * 65_536}@x",
    ],
)
def test_a_bad_address_is_refused_in_words(text: str) -> None:
    """The error shows what was got and the form that was expected."""
    with pytest.raises(BrokerURLError, match="expected mqtt://"):
        BrokerURL.parse(text)


@given(st.text("abz019-_.", min_size=1, max_size=70))
def test_a_name_that_is_taken_can_be_asked_for(name: str) -> None:
    """Python does not refuse to look up what was taken for a name."""
    try:
        url = BrokerURL.parse(f"mqtt://{name}")
    except BrokerURLError:
        return
    url.host.encode("idna")


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    """Reading an address gives an address or the one documented error."""
    for candidate in (text, f"mqtt://{text}"):
        try:
            BrokerURL.parse(candidate)
        except BrokerURLError as error:
            assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


def test_a_password_in_the_address_is_refused_without_showing_it() -> None:
    """A password does not belong into an address, nor into an error."""
    with pytest.raises(BrokerURLError) as caught:
        BrokerURL.parse("mqtt://u:hunter2@x")
    assert "hunter2" not in str(caught.value)
