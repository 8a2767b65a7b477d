import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.wire import BrokerURLError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://127.0.0.1", BrokerURL("127.0.0.1", 1883)),
        ("mqtts://web-1@broker.example", BrokerURL("broker.example", 8883, tls=True, user="web-1")),
        ("mqtt://[::1]:99", BrokerURL("::1", 99)),
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
    ],
)
def test_a_bad_address_is_refused_in_words(text: str) -> None:
    """The error shows what was got and the form that was expected."""
    with pytest.raises(BrokerURLError, match="expected mqtt://"):
        BrokerURL.parse(text)


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


def test_a_password_is_not_sent_in_clear_to_another_machine() -> None:
    """Only loopback, TLS or an explicit word lets a password out."""
    far = BrokerURL.parse("mqtt://u@broker.example")
    with pytest.raises(BrokerURLError, match="in clear"):
        BrokerAccess(url=far, password="hunter2")
    for url in ("mqtts://u@broker.example", "mqtt://u@127.0.0.1", "mqtt://u@localhost"):
        BrokerAccess(url=BrokerURL.parse(url), password="hunter2")
    assert "hunter2" not in repr(BrokerAccess(url=far, password="hunter2", insecure=True))


def test_the_nodes_of_a_cluster_follow_one_another() -> None:
    """After each failure the next node is in front, and after the last the first again."""
    a, b, c = (BrokerURL(name, 1883) for name in "abc")
    access = BrokerAccess(url=a, others=(b, c), ca_file="ca.pem")
    tried = [access, access.following, access.following.following, access.following.following.following]
    assert [one.url for one in tried] == [a, b, c, a]
    assert tried[3] == access
    assert [(one.url, one.others, one.ca_file) for one in access.nodes] == [
        (url, (), "ca.pem") for url in (a, b, c)
    ]
    alone = BrokerAccess(url=a)
    assert alone.following is alone


def test_the_nodes_of_a_cluster_are_reached_alike() -> None:
    """Nodes differ in neither scheme nor user, and a password goes in clear to none of them."""
    near = BrokerURL.parse("mqtt://u@127.0.0.1")
    far = BrokerURL.parse("mqtt://u@broker.example")
    with pytest.raises(BrokerURLError, match=r"expected the same scheme and user in all"):
        BrokerAccess(url=near, others=(BrokerURL.parse("mqtt://v@127.0.0.1"),))
    with pytest.raises(BrokerURLError, match=r"expected the same scheme and user in all"):
        BrokerAccess(url=near, others=(BrokerURL.parse("mqtts://u@127.0.0.1"),))
    with pytest.raises(BrokerURLError, match=r"broker\.example.* in clear"):
        BrokerAccess(url=near, others=(far,), password="hunter2")
