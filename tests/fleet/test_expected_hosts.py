from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.fleet import expected_hosts
from fleetglass.fleet.expected_hosts import MAX_PROBLEMS, ExpectedHost, expected_hosts_of
from fleetglass.wire import ContractError
from fleetglass.wire.protocol import ExpectedFacts


def problems(items: object) -> list[str]:
    with pytest.raises(ContractError) as refused:
        expected_hosts_of(items, "hosts")
    return list(refused.value.args)


def test_what_an_item_may_say() -> None:
    """An id alone, or a mapping; tags as a list or with commas, each once; texts without outer spaces."""
    items: list[Any] = [
        "web-1",
        {
            "id": "db-2",
            "name": " Orders ",
            "tags": ["db", "db", "", "rack 3"],
            "notes": "Rack 3.\nAsk Jane.\n",
        },
        {"id": "nas", "name": None, "tags": "a, b", "notes": None},
    ]
    assert expected_hosts_of(items, "hosts") == (
        ExpectedHost("web-1"),
        ExpectedHost("db-2", "Orders", ("db", "rack 3"), "Rack 3.\nAsk Jane."),
        ExpectedHost("nas", tags=("a", "b")),
    )
    assert expected_hosts_of([], "hosts") == ()
    assert ExpectedHost("nas", tags=("a",)).facts == ExpectedFacts(tags=["a"])


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (8086, "item 1: got 8086, expected a host id in quotes, or a mapping with id"),
        (True, "item 1: got True, expected a host id in quotes, or a mapping with id"),
        (None, "item 1: got None, expected a host id, or a mapping with id"),
        (["web-1"], "item 1: got a list, expected a host id, or a mapping with id"),
        ("Web 1", "item 1: host id: got 'Web 1', expected 1 to 63 of a-z 0-9 _ -"),
        ({}, "item 1: got no id, expected a host id"),
        ({"id": 8086}, "item 1: got id 8086, expected a host id in quotes"),
        ({"id": "a", "nmae": "x"}, "item 1 (a): got an unknown key 'nmae', expected id, name, tags, notes"),
        ({"id": "a", 1: "x"}, "item 1 (a): got an unknown key 1, expected id, name, tags, notes"),
        ({"id": "a", "name": 1}, "item 1 (a): name: got 1, expected a text in quotes"),
        ({"id": "a", "name": "x\ny"}, r"item 1 (a): name: got 'x\ny', expected printable characters"),
        ({"id": "a", "name": "x" * 201}, "item 1 (a): name: got 201 characters, expected at most 200"),
        ({"id": "a", "tags": {}}, "item 1 (a): tags: got a mapping, expected a text, or a list of texts"),
        ({"id": "a", "tags": [1]}, "item 1 (a): tags: got 1, expected a text in quotes"),
        ({"id": "a", "tags": ["x"] * 21}, "item 1 (a): tags: got 21, expected at most 20"),
        ({"id": "a", "notes": "\x1b[2J"}, r"item 1 (a): notes: got '\x1b[2J', expected printable characters"),
    ],
)
def test_a_bad_item(item: object, said: str) -> None:
    """One line names its place, what was got and what is expected."""
    (line,) = problems([item])
    assert line.startswith(f"hosts: {said}")


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (None, "hosts: got nothing, expected a list of hosts, [] for an empty one"),
        ({"web-1": None}, "hosts: got a mapping, expected a list of hosts"),
        ("web-1", "hosts: got 'web-1', expected a list of hosts"),
        (["a", "b", "a"], "hosts: item 3: got a again, expected each host once (first: item 1)"),
    ],
)
def test_a_bad_list(items: object, said: str) -> None:
    """What is no list, and a host that is there twice."""
    assert problems(items) == [said]


def test_each_bad_item_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a number; how many more there are is the last line. Too many hosts are not looked at."""
    assert problems([1, "a", 2]) == [
        f"hosts: item {place}: got {got}, expected a host id in quotes, or a mapping with id"
        for place, got in ((1, 1), (3, 2))
    ]
    lines = problems(list(range(MAX_PROBLEMS + 5)))
    assert lines[MAX_PROBLEMS:] == ["hosts: got 5 more bad items, expected none"]
    monkeypatch.setattr(expected_hosts, "MAX_EXPECTED_HOSTS", 2)
    assert problems([1, 2, 3]) == ["hosts: got 3 hosts, expected at most 2"]


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.dates() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", "name", "tags"]), inner)
    ),
)


@given(anything)
def test_whatever_yaml_gives(items: object) -> None:
    """It is a list of hosts, or refused in lines that can be printed."""
    hosts: tuple[ExpectedHost, ...] = ()
    lines: list[str] = []
    try:
        hosts = expected_hosts_of(items, "hosts")
    except ContractError as error:
        lines = list(error.args)
    assert all(line.isprintable() for line in lines)
    assert len({host.id for host in hosts}) == len(hosts)
