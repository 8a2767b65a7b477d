import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.readings.interface_address import (
    _has_address_by_psutil,
    has_address,
    interfaces_beyond_link,
)

IF_INET6 = """\
fe80000000000000780258fffef1cacc 02 40 20 c0     eth0
fd000000000000000000000000000001 03 40 00 c0    wlan0
00000000000000000000000000000001 01 80 10 80       lo
"""

LOOPBACK = "lo" if sys.platform == "linux" else "lo0"


def test_addresses_of_a_link_alone_do_not_count() -> None:
    """Only interfaces with an address that reaches beyond their link are named."""
    assert interfaces_beyond_link(IF_INET6) == {"wlan0", "lo"}
    odd = "fd000000000000000000000000000001 03 40 00 c0 a\x1cb\u2028c\u2003d\n"
    assert interfaces_beyond_link(odd) == {"a\x1cb\u2028c\u2003d"}


@given(st.text() | st.text("0123456789abcdefg \n"))
def test_any_text_gives_a_set(text: str) -> None:
    """Nothing in the file can make the parser raise."""
    assert isinstance(interfaces_beyond_link(text), set)


@pytest.mark.parametrize("asked", [has_address, _has_address_by_psutil])
def test_this_machine(asked: type[bool]) -> None:
    """The loopback interface has an address; an interface that does not exist has none."""
    assert asked(LOOPBACK)
    assert not asked("no-such-eth0")
