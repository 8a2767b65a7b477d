import pytest

from fleetglass.cli.configuration.page_address import check_port_is_free, is_healthy, page_url
from fleetglass.wire.errors import CommandError
from support.ports import free_port


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8765/"),
        ("0.0.0.0", "http://127.0.0.1:8765/"),
        ("::", "http://[::1]:8765/"),
        ("fleet.example.org", "http://fleet.example.org:8765/"),
    ],
)
def test_address_of_the_page(host: str, url: str) -> None:
    """The address works in a browser on this machine, whatever the bridge is bound to."""
    assert page_url(host, 8765) == url


def test_free_port() -> None:
    """A free port passes, and is free afterwards."""
    port = free_port()
    check_port_is_free("127.0.0.1", port)
    check_port_is_free("127.0.0.1", port)
    assert not is_healthy("127.0.0.1", port)


def test_host_that_does_not_exist() -> None:
    """A name that means nothing is told as such."""
    with pytest.raises(CommandError, match=r"host: got 'no\.such\.host\.invalid', expected an address"):
        check_port_is_free("no.such.host.invalid", free_port())
