import pytest

from fleetglass.bridge.viewers.wrong_tokens import (
    FORGET_SECONDS,
    MAX_DELAY_SECONDS,
    MAX_REMEMBERED,
    WrongTokens,
)


def test_the_delay_doubles_up_to_a_limit_and_for_one_address_alone() -> None:
    """Who guesses on waits longer and longer, but never more than the limit; others do not."""
    wrong = WrongTokens()
    delays = [wrong.count("192.0.2.1", now) for now in range(2000, 2040)]
    assert delays[:4] == [0.125, 0.25, 0.5, 1.0]
    assert set(delays[6:]) == {MAX_DELAY_SECONDS}
    assert wrong.count("192.0.2.2", 2040) == 0.125
    assert wrong.total == 41


def test_an_address_is_forgotten_after_a_time() -> None:
    """A slip of long ago costs nothing."""
    wrong = WrongTokens()
    for _ in range(5):
        wrong.count("192.0.2.1", 0)
    assert wrong.count("192.0.2.1", FORGET_SECONDS + 1) == 0.125


def test_the_table_is_bounded() -> None:
    """A guesser with many addresses takes no more memory, and drives out the oldest first."""
    wrong = WrongTokens()
    for number in range(MAX_REMEMBERED + 50):
        wrong.count(f"address {number}", number)
    assert len(wrong) == MAX_REMEMBERED
    assert wrong.count("address 0", 5000) == 0.125
    assert wrong.count(f"address {MAX_REMEMBERED}", MAX_REMEMBERED) == 0.25


def test_all_addresses_of_one_ipv6_network_are_one() -> None:
    """A customer has a /64 and more to himself."""
    wrong = WrongTokens()
    wrong.count("2001:db8::1", 0)
    assert wrong.count("2001:db8::ffff:2", 0) == 0.25
    assert wrong.count("2001:db8:0:1::1", 0) == 0.125


def test_guessing_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand wrong tokens of an address are ten lines."""
    wrong = WrongTokens()
    for now in range(1000):
        wrong.count("192.0.2.1", now)
    assert len(caplog.records) == 10
