"""Shell patterns select what an agent reads."""

import pytest

from fleetglass.agent.selection import (
    DEFAULT_FILESYSTEMS,
    DEFAULT_INTERFACES,
    InterfaceChoice,
    Selection,
    selection_of,
)


@pytest.mark.parametrize(
    ("selection", "taken", "left_out"),
    [
        (Selection(), ["eth0", "veth1", "a\nb", "[", ""], []),
        (Selection(exclude=("veth*", "br-?")), ["eth0", "br-lan", "Veth1"], ["veth1", "veth", "br-0"]),
        (Selection(include=("eth*", "wl[ao]n0")), ["eth0", "wlan0"], ["veth0", "wlun0", "xeth0"]),
        (Selection(include=("eth*",), exclude=("eth1",)), ["eth0"], ["eth1", "lo"]),
        (
            DEFAULT_INTERFACES,
            ["eth0", "docker0", "lo", "lxcbr0", "eni0"],
            ["veth1a2b", "cali12", "lxc_health", "eni5f1c0a7b2d3"],
        ),
    ],
)
def test_patterns(selection: Selection, taken: list[str], left_out: list[str]) -> None:
    """Whole names in their case are compared; an exclusion is stronger."""
    assert [name for name in taken + left_out if selection.takes(name)] == taken


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("lo eth0 docker0 veth1 veth2 veth3 veth4", "lo eth0 docker0 veth1 veth2 veth3 veth4"),
        ("lo eth0 docker0 veth1 veth2 veth3 veth4 cali5", "lo eth0 docker0"),
        ("lo veth0 veth1 veth2 veth3 veth4", "lo veth0 veth1 veth2 veth3 veth4"),
        ("lo veth0", "lo veth0"),
        ("lo tunl0 ip6tnl0 ve-1", "lo tunl0 ip6tnl0 ve-1"),
        ("lo", "lo"),
        ("", ""),
    ],
)
def test_cables_of_containers_are_left_out_where_there_are_many(names: str, chosen: str) -> None:
    """A container whose only way out looks like the host's end of a cable keeps it."""
    choose = InterfaceChoice(DEFAULT_INTERFACES)
    assert [name for name in names.split() if name in choose(names.split())] == chosen.split()


def test_patterns_of_a_user_are_kept() -> None:
    """Whoever leaves out everything gets nothing, and a name that comes later is judged as well."""
    choose = InterfaceChoice(Selection(exclude=("veth*",)))
    assert choose(["lo", "veth1"]) == {"lo"}
    assert choose(["lo", "veth1", "eth0", "veth2"]) == {"lo", "eth0"}


def test_things_with_two_names() -> None:
    """One name is enough to be included, and one to be left out."""
    selection = Selection(include=("/srv*", "nfs*"), exclude=("*/tmp", "nfs3"))
    assert selection.takes("/srv", "ext4")
    assert selection.takes("/mnt", "nfs4")
    assert not selection.takes("/mnt", "ext4")
    assert not selection.takes("/srv/tmp", "ext4")
    assert not selection.takes("/srv", "nfs3")


def test_given_lists_replace_the_default() -> None:
    """An empty list leaves nothing out; whoever includes a name means it."""
    pods = "/var/lib/kubelet/pods/1/volumes/data"
    assert not selection_of(None, None, DEFAULT_FILESYSTEMS).takes(pods, "ext4")
    assert selection_of(None, [], DEFAULT_FILESYSTEMS).takes(pods, "ext4")
    assert selection_of([pods], None, DEFAULT_FILESYSTEMS).takes(pods, "ext4")
    assert not selection_of(None, ["ext4"], DEFAULT_FILESYSTEMS).is_default
