import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_network import parse_ifconf, parse_ipv4, parse_ipv6, read_links

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
    assert parse_ipv4(TRIE, ROUTE) == {"wg0": ["10.0.0.7"], "eth1": ["192.0.2.9"]}


def test_ipv6_addresses_are_written_short() -> None:
    """Addresses are told as people write them, by interface."""
    text = "20010db8000000000000000000000001 02 40 00 80     eth0\nbroken\n"
    assert parse_ipv6(text) == {"eth0": ["2001:db8::1"]}


def test_a_second_address_is_of_the_same_interface() -> None:
    """The kernel names a second address `eth0:1`."""
    size = 40 if sys.maxsize > 2**32 else 32
    answer = b"".join(
        (name.ljust(16, b"\0") + b"\x02\0\0\0" + address).ljust(size, b"\0")
        for name, address in ((b"eth0", b"\x0a\0\0\x01"), (b"eth0:1", b"\x0a\0\0\x02"))
    )
    assert parse_ifconf(answer) == {"eth0": ["10.0.0.1", "10.0.0.2"]}


@given(st.text(), st.text())
def test_no_text_can_harm(first: str, second: str) -> None:
    """Whatever the tables hold, addresses are found or not."""
    parse_ipv4(first, second)
    parse_ipv4("|-- " + first + "\n/32 host LOCAL", "h\neth0 " + second)
    parse_ipv6(first)


@pytest.mark.parametrize(
    ("state", "flags", "speed", "expected"),
    [
        ("up", "0x1003", "1000", (True, 125_000_000)),
        ("up", "0x1003", "-1", (True, None)),
        ("up", "0x1003", "65535", (True, None)),
        ("up", "0x1003", "4294967295", (True, None)),
        ("unknown", "0x9", None, (True, None)),
        ("unknown", "0x8", None, (False, None)),
        ("lowerlayerdown", "0x1003", "10", (False, 1_250_000)),
        ("up", "garbage", "fast", (False, None)),
    ],
)
def test_links(
    tmp_path: Path, state: str, flags: str, speed: str | None, expected: tuple[bool, int | None]
) -> None:
    """Up is what is switched on and has a carrier; a speed that is not known is None."""
    (tmp_path / "eth0").mkdir()
    (tmp_path / "bonding_masters").touch()
    (tmp_path / "eth0/operstate").write_text(state + "\n")
    (tmp_path / "eth0/flags").write_text(flags + "\n")
    if speed is not None:
        (tmp_path / "eth0/speed").write_text(speed + "\n")
    assert read_links(str(tmp_path)) == {"eth0": expected}
