"""What topics say, remembered: parsing a topic takes as long as much that is done with its message."""

from collections.abc import Callable

from fleetglass.wire import Address, Topics

MAX_ADDRESSES = 100_000
"""Four topics of each of the 20,000 hosts that a bridge knows, and 20,000 groups that somebody watches."""
MAX_PER_HOST = 64
"""A publisher that invents groups must not take the room of others."""

Found = tuple[Address, Topics]


class AddressCache(dict[str, Found | None]):
    """The address of a topic, and the prefix it is under; None for a topic that is none of ours.

    Topics of known hosts are kept until `forget`, as far as there is room. What is not kept is parsed anew.
    """

    def __init__(self, topics: tuple[Topics, ...], is_known: Callable[[str], bool]) -> None:
        super().__init__()
        self._topics = topics
        self._is_known = is_known
        self._kept: dict[str, list[str]] = {}

    def __missing__(self, topic: str) -> Found | None:
        for topics in self._topics:
            address = topics.parse(topic)
            if address is not None:
                if self._is_known(address.host) and len(self) < MAX_ADDRESSES:
                    kept = self._kept.setdefault(address.host, [])
                    if len(kept) < MAX_PER_HOST:
                        kept.append(topic)
                        self[topic] = address, topics
                return address, topics
        return None

    def forget(self, host: str) -> None:
        """Make room, since a host is not known any more."""
        for topic in self._kept.pop(host, ()):
            del self[topic]
