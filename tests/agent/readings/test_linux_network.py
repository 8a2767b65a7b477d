import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_network import (
        main_address_of,
        parse_ifconf,
        parse_ipv4,
        parse_ipv6,
        parse_routes,
    )

TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.0.0.7
        /32 host LOCAL
     |-- 10.0.255.255
        /32 link BROADCAST
     |-- 192.0.2.9
        /32 host LOCAL
     |-- 198.51.100.1
        /32 host LOCAL
"""
ROUTE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask
eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF
wg0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF
eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the texts are of a little-endian machine")
def test_an_address_is_of_its_narrowest_network() -> None:
    """Of two networks that hold an address the narrower is its own; one in no network is left out."""
    assert parse_ipv4(TRIE, ROUTE) == {"wg0": ["10.0.0.7/24"], "eth1": ["192.0.2.9/24"]}


def test_ipv6_addresses_are_written_short() -> None:
    """Addresses are told as people write them, by interface."""
    text = "20010db8000000000000000000000001 02 40 00 80     eth0\nbroken\n"
    assert parse_ipv6(text) == {"eth0": ["2001:db8::1/64"]}


def test_a_second_address_is_of_the_same_interface() -> None:
    """The kernel names a second address `eth0:1`."""
    size = 40 if sys.maxsize > 2**32 else 32
    answer = b"".join(
        (name.ljust(16, b"\0") + b"\x02\0\0\0" + address).ljust(size, b"\0")
        for name, address in ((b"eth0", b"\x0a\0\0\x01"), (b"eth0:1", b"\x0a\0\0\x02"))
    )
    masks = {b"\x0a\0\0\x01": b"\xff\xff\xff\0"}

    def ask_mask(entry: bytes) -> bytes | None:
        mask = masks.get(entry[20:24])
        return None if mask is None else entry[:20] + mask + entry[24:]

    assert parse_ifconf(answer, ask_mask) == {"eth0": ["10.0.0.1/24", "10.0.0.2"]}


@pytest.mark.skipif(sys.byteorder != "little", reason="the texts are of a little-endian machine")
@pytest.mark.parametrize(
    ("routes", "address"),
    [
        ("eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\n", "192.0.2.9"),
        ("eth0\t00000000\t050200C0\t0003\t0\t0\t9\t00000000\nwg0\t0\t0\t0001\t0\t0\t1\t0\n", "10.8.0.2"),
        ("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\n", "203.0.113.7"),
        ("*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\n", None),
        ("eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n", None),
        ("garbage\n\n\t\n", None),
    ],
)
def test_the_main_address(routes: str, address: str | None) -> None:
    """It is of the default route with the lowest metric, and in the network of its gateway."""
    addresses = {
        "eth0": ["198.51.100.3/24", "192.0.2.9/24", "2001:db8::9/64"],
        "wg0": ["10.8.0.2"],
        "ppp0": ["203.0.113.7/32"],
    }
    assert main_address_of(parse_routes("header\n" + routes), "", addresses) == address


def test_the_main_address_of_ipv6() -> None:
    """Where IPv4 leads nowhere it is the first of IPv6 that is of more than its link."""
    zero = "0" * 32
    lo = f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
    eth0 = f"{zero} 00 {zero} 00 fe8{'0' * 28}1 00000400 00000001 00000000 00000003     eth0\n"
    addresses = {"lo": ["::1/128"], "eth0": ["192.0.2.9/24", "fe80::1/64", "2001:db8::9/64"]}
    assert main_address_of([], lo + eth0, addresses) == "2001:db8::9"
    assert main_address_of([], lo + "broken\n", addresses) is None


@given(st.text(), st.text())
def test_no_text_can_harm(first: str, second: str) -> None:
    """Whatever the tables hold, addresses are found or not."""
    parse_ipv4(first, second)
    parse_ipv4("|-- " + first + "\n/32 host LOCAL", "h\neth0 " + second)
    parse_ipv6(first)
    main_address_of(parse_routes("h\neth0 " + first), second, {"eth0": ["192.0.2.1/24"]})
