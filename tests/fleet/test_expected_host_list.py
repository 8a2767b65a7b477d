import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetglass.fleet import expected_hosts
from fleetglass.fleet.expected_host_list import ExpectedHostList
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.wire import ContractError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hosts.yaml"
    path.write_text("[web-1, {id: db-2, name: Orders}]\n")
    return path


def ids(expected: ExpectedHostList) -> list[str]:
    return [host.id for host in expected.hosts]


def write(path: Path, text: str) -> None:
    if path.is_dir():
        path.rmdir()
    path.write_text(text)


async def refreshed(expected: ExpectedHostList, seconds: int = 3) -> list[bool]:
    """Let this many seconds pass, as far as the list knows of them."""
    return [await expected.refresh() for _ in range(seconds)]


def test_the_configuration_counts_before_the_file(file: Path) -> None:
    """A host in both is there once, as it was configured; either may be missing."""
    configured = ExpectedHost("db-2", name="Database")
    expected = ExpectedHostList([configured, ExpectedHost("nas")], file)
    assert expected.hosts == (ExpectedHost("web-1"), configured, ExpectedHost("nas"))
    assert ids(ExpectedHostList([configured])) == ["db-2"]
    assert ids(ExpectedHostList()) == []


async def test_a_file_that_changed_is_read_when_it_rests(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, and not while it is written; one that says the same is no news."""
    caplog.set_level(logging.INFO)
    expected = ExpectedHostList(file=file)
    assert await refreshed(expected) == [False, False, False]
    write(file, "[")
    assert not await expected.refresh()
    write(file, "[web-1, nas]\n")
    assert await refreshed(expected) == [False, True, False]
    assert ids(expected) == ["web-1", "nas"]
    write(file, "- web-1\n- nas\n")
    assert await refreshed(expected) == [False, False, False]
    assert [record.getMessage() for record in caplog.records] == [
        f"expected hosts: {file} was read again; expected now: 2"
    ] * 2


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_text(""), "got nothing, expected a list of hosts, [] for an empty one ("),
        (lambda path: path.write_bytes(os.urandom(64) + b"\xff"), "got bytes that are not UTF-8 ("),
        (lambda path: path.write_text("{web-1: }"), "got a mapping, expected a list of hosts ("),
        (lambda path: path.write_text("- web-1\n- 7\n"), "item 2: got 7, expected a host id in quotes"),
        (lambda path: path.unlink(), "No such file or directory ("),
        (lambda path: (path.unlink(), path.mkdir()), "Is a directory ("),
    ],
    ids=["emptied", "garbage", "mapping", "bad item", "removed", "folder"],
)
async def test_a_file_that_cannot_be_used_costs_nothing(
    file: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], object], said: str
) -> None:
    """The last good list stays, with one line in the log; a file that is mended is taken."""
    expected = ExpectedHostList(file=file)
    spoil(file)
    assert await refreshed(expected, 6) == [False] * 6
    assert ids(expected) == ["web-1", "db-2"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"hosts_file: {said}")
    assert line.endswith("the old list stays in use")
    assert str(file) in line
    write(file, "[]\n")
    assert await refreshed(expected) == [False, True, False]
    assert ids(expected) == []


async def test_what_is_configured_stays_beside_a_file_that_changes(file: Path) -> None:
    """The file alone is replaced."""
    expected = ExpectedHostList([ExpectedHost("nas")], file)
    write(file, "[web-2]\n")
    await refreshed(expected)
    assert ids(expected) == ["web-2", "nas"]


def test_a_first_file_must_be_good(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bad item is told in one line with the file; and both lists together have a limit."""
    write(file, "[7, web-1, web-1]\n")
    with pytest.raises(ContractError) as refused:
        ExpectedHostList(file=file)
    assert list(refused.value.args) == [
        f"hosts_file: item 1: got 7, expected a host id in quotes, or a mapping with id ({file})",
        f"hosts_file: item 3: got web-1 again, expected each host once (first: item 2) ({file})",
    ]
    write(file, "[web-1, web-2]\n")
    monkeypatch.setattr(expected_hosts, "MAX_EXPECTED_HOSTS", 2)
    with pytest.raises(ContractError, match=r"^hosts and hosts_file: got 3 hosts, expected at most 2$"):
        ExpectedHostList([ExpectedHost("nas")], file)
