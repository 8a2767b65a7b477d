import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.wire import Address, HostIdError, PrefixError, Topics
from fleetglass.wire.topics import Leaf

host_ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
prefixes = st.from_regex(r"[A-Za-z0-9_-]{1,9}(/[A-Za-z0-9_-]{1,9}){0,3}", fullmatch=True)
leaves = st.sampled_from(["status", "info", "summary", "pulse", "backfill", "demand"])


@given(prefixes, host_ids, leaves)
def test_a_leaf_topic_parses_to_what_it_was_built_from(prefix: str, host: str, leaf: Leaf) -> None:
    """Building and parsing are inverse, under any prefix."""
    topics = Topics(prefix)
    assert topics.parse(topics.leaf(host, leaf)) == Address(host, leaf)


@given(prefixes, host_ids, host_ids)
def test_a_live_topic_parses_to_what_it_was_built_from(prefix: str, host: str, group: str) -> None:
    """Building and parsing are inverse for groups too."""
    topics = Topics(prefix)
    assert topics.parse(topics.live(host, group)) == Address(host, "live", group)


@given(st.text())
def test_any_text_parses_or_gives_none(text: str) -> None:
    """No topic makes the parser raise."""
    for topic in (text, f"fleet/{text}", f"fleet/a/{text}", f"fleet/a/live/{text}"):
        address = Topics().parse(topic)
        assert address is None or address.host


@pytest.mark.parametrize(
    "topic", ["fleet/A/pulse", "fleet/a/live", "fleet/a/live/x/y", "fleets/a/pulse", "fleet"]
)
def test_topics_of_others_are_none_of_ours(topic: str) -> None:
    """A topic outside the layout is nobody's."""
    assert Topics().parse(topic) is None


@given(prefixes)
def test_the_topic_of_a_site_is_no_hosts(prefix: str) -> None:
    """It has a level less than those of hosts, so that no filter of hosts takes it in."""
    topics = Topics(prefix)
    assert topics.parse(topics.site) is None
    assert topics.site.count("/") == topics.fleet_filter("status").count("/") - 1


@pytest.mark.parametrize("prefix", ["", "/", "a/", "/a", "a//b", "a+b", "#", "a b", "a/b/c/d/e/f/g", "a\n"])
def test_a_bad_prefix_is_refused(prefix: str) -> None:
    """A prefix with wildcards, empty levels or too many of them is an error."""
    with pytest.raises(PrefixError, match="expected 1 to 6 levels"):
        Topics(prefix)


def test_a_host_is_checked_before_it_becomes_a_filter() -> None:
    """A wildcard never gets into a filter as a host."""
    with pytest.raises(HostIdError):
        Topics().live_filter("+")


def test_what_doctor_tries_tells_of_no_host() -> None:
    """Its topic is a host's own by every broker's rules, and passed over by whoever reads a fleet."""
    topic = Topics().leaf("web-1", "doctor")
    assert topic == "fleet/web-1/doctor"
    assert Topics().parse(topic) is None
