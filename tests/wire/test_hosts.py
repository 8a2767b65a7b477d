import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.wire import HostIdError, check_host_id, host_id_from_name, is_host_id


@given(st.text())
def test_a_name_made_to_fit_is_a_host_id(name: str) -> None:
    """Whatever the host name, what is made of it follows the rule, or is refused with the one error."""
    try:
        assert is_host_id(host_id_from_name(name))
    except HostIdError:
        assert not any(character in "abcdefghijklmnopqrstuvwxyz0123456789" for character in name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Web 01.example.org", "web-01-example-org"), ("db_1", "db_1"), ("-x-", "x"), ("a" * 80, "a" * 63)],
)
def test_names_keep_what_fits(name: str, expected: str) -> None:
    """Letters, digits, `_` and `-` stay; the rest becomes `-`."""
    assert host_id_from_name(name) == expected


@pytest.mark.parametrize("text", ["", "-a", "_a", "A", "a.b", "a/b", "a+b", "a#", "a\n", "a" * 64, "ä"])
def test_a_bad_host_id_is_refused_in_words(text: str) -> None:
    """The error says what was got and what was expected, in one line."""
    with pytest.raises(HostIdError, match="expected 1 to 63 of a-z 0-9 _ -") as caught:
        check_host_id(text)
    assert "\n" not in str(caught.value)
