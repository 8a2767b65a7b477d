from fleetglass.fleet.watching import Watching


def test_a_host_is_watched_until_a_while_after_its_last_watcher_left() -> None:
    """A viewer who comes back within the time finds the history of the host whole."""
    watching = Watching(linger_seconds=300)
    assert watching.hosts({"a"}, now=10) == {"a"}
    assert watching.hosts({"a", "b"}, now=900) == {"a", "b"}
    assert watching.hosts({"b"}, now=1000) == {"a", "b"}
    assert watching.hosts({"b"}, now=1299) == {"a", "b"}
    assert watching.hosts({"b"}, now=1301) == {"b"}


def test_a_new_watcher_ends_the_waiting() -> None:
    """A host that is watched again stays, and for a whole time after its new watcher left."""
    watching = Watching(linger_seconds=300)
    watching.hosts({"a"}, now=0)
    watching.hosts(set(), now=1)
    assert watching.hosts({"a"}, now=299) == {"a"}
    assert watching.hosts({"a"}, now=400) == {"a"}
    assert watching.hosts(set(), now=500) == {"a"}
    assert watching.hosts(set(), now=799) == {"a"}
    assert watching.hosts(set(), now=801) == set()
