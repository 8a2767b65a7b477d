from fleetglass.fleet.watching import Watching


def test_a_host_is_watched_until_a_while_after_its_last_watcher_left() -> None:
    """Coming back to a host within the time finds its history whole."""
    watching = Watching(linger_seconds=300)
    watching.add("a")
    watching.add("a")
    watching.remove("a", now=10)
    assert watching.hosts(now=1000) == {"a"}
    watching.remove("a", now=1000)
    assert (watching.hosts(now=1299), len(watching)) == ({"a"}, 0)
    assert watching.hosts(now=1301) == set()


def test_a_new_watcher_ends_the_waiting() -> None:
    """A host that is watched again does not fall out when the old time is up."""
    watching = Watching(linger_seconds=300)
    watching.add("a")
    watching.remove("a", now=0)
    watching.add("a")
    assert watching.hosts(now=10_000) == {"a"}
