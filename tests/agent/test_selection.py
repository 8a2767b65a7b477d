"""Shell patterns select what an agent reads."""

import pytest

from fleetglass.agent.selection import DEFAULT_FILESYSTEMS, DEFAULT_INTERFACES, Selection, selection_of


@pytest.mark.parametrize(
    ("selection", "taken", "left_out"),
    [
        (Selection(), ["eth0", "veth1", "a\nb", "[", ""], []),
        (Selection(exclude=("veth*", "br-?")), ["eth0", "br-lan", "Veth1"], ["veth1", "veth", "br-0"]),
        (Selection(include=("eth*", "wl[ao]n0")), ["eth0", "wlan0"], ["veth0", "wlun0", "xeth0"]),
        (Selection(include=("eth*",), exclude=("eth1",)), ["eth0"], ["eth1", "lo"]),
        (DEFAULT_INTERFACES, ["eth0", "docker0", "lo"], ["veth1a2b", "cali12", "lxc_health"]),
    ],
)
def test_patterns(selection: Selection, taken: list[str], left_out: list[str]) -> None:
    """Whole names in their case are compared; an exclusion is stronger."""
    assert [name for name in taken + left_out if selection.takes(name)] == taken


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
