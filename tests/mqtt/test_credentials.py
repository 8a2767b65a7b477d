import pytest

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess, Credentials, credentials
from fleetglass.wire import BrokerURLError


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


@pytest.mark.parametrize(
    ("url", "password", "default_user", "expected"),
    [
        ("mqtts://u@x", "p", None, Credentials("u", "p")),
        ("mqtts://u@x", "p", "web-1", Credentials("u", "p")),
        ("mqtts://u@x", None, "web-1", Credentials("u", None)),
        ("mqtts://x", "p", "web-1", Credentials("web-1", "p")),
        ("mqtts://x", "p", None, Credentials(None, None)),
        ("mqtts://x", None, "web-1", Credentials(None, None)),
    ],
)
def test_a_password_never_goes_without_a_user(
    url: str, password: str | None, default_user: str | None, expected: Credentials
) -> None:
    """It belongs to the user in the address, or else to the default one; without either it stays here."""
    access = BrokerAccess(url=BrokerURL.parse(url), password=password)
    assert credentials(access, default_user) == expected


@pytest.mark.parametrize("password", ["p" * 65_536, "\udc80"])
def test_a_password_that_cannot_be_sent_is_refused(password: str) -> None:
    """MQTT carries 65,535 bytes; the error does not show the password."""
    with pytest.raises(BrokerURLError, match=r"^password: got one that MQTT cannot send") as caught:
        BrokerAccess(url=BrokerURL.parse("mqtts://u@x"), password=password)
    assert password not in str(caught.value)
