"""A fleet with a broker and agents that all fail at any moment, in seconds that pass at once."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.fleet.hosts import KnownFleet

T0 = 1_796_000_000.0
NAMES = ("web-1", "web-2")
RETURN_SECONDS = 2.0


class Agent:
    """One host's agent, and what it leaves on the broker."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = False
        self.session = 0
        self.tick = 0
        self.connected_at: float | None = None
        self.due = 0.0
        """When it connects, or publishes its next pulse."""

    def status(self, state: str, time: float) -> dict[str, Any]:
        """Return a status of the current session."""
        return {"state": state, "session": str(self.session), "time": T0 + time}


class World:
    """Agents, a broker with what it retains, and the fleet of a bridge."""

    def __init__(self) -> None:
        self.now = 100.0
        self.agents = [Agent(name) for name in NAMES]
        self.retained: dict[str, list[dict[str, Any]]] = {}
        """Every status of a host, the last one the valid one."""
        self.is_up = True
        self.fleet = KnownFleet()
        self.is_bridge_connected = False
        self.is_bridge_running = True
        self._waiting: list[tuple[str, str, dict[str, Any]]] = []
        self._heard: set[str] = set()
        """The hosts whose present agent has been heard."""
        self._told_gone: dict[str, tuple[str, float]] = {}
        """State and `since` of each host that is gone and has not spoken since."""
        self._unread: set[str] = set()
        """The hosts that have spoken, which the bridge may not know yet."""
        self.connect_bridge()

    def run(self, seconds: float) -> None:
        """Let time pass, and everything happen that happens by itself."""
        for _ in range(int(seconds * 4)):
            self.now += 0.25
            for agent in self.agents:
                if agent.alive and self.is_up and self.now >= agent.due:
                    self._speak(agent)
            if self.is_bridge_running:
                self.take_in()

    def start(self, agent: Agent) -> None:
        """Start an agent, unless it runs."""
        if not agent.alive:
            agent.alive, agent.session, agent.connected_at = True, agent.session + 1, None
            agent.due = self.now

    def end(self, agent: Agent, state: str) -> None:
        """End an agent: it says `stopped`, or the broker says `lost` for it."""
        if agent.alive and self.is_up and agent.connected_at is not None:
            self._publish_status(agent, state, self.now if state == "stopped" else agent.connected_at)
        agent.alive, agent.connected_at = False, None
        self._heard.discard(agent.name)

    def break_broker(self, seconds: float, keeps: str) -> None:
        """Let the broker be away; it comes back with all that it retained, with less, or with nothing."""
        self.thaw_bridge()
        if keeps == "every will":
            for agent in self.agents:
                if agent.connected_at is not None:
                    self._publish_status(agent, "lost", agent.connected_at)
        self.is_up = False
        self.disconnect_bridge()
        for agent in self.agents:
            agent.connected_at = None
        self.run(seconds)
        if keeps == "nothing":
            self.retained.clear()
        if keeps == "the last but one":
            self.retained = {name: said[:-1] for name, said in self.retained.items() if said[:-1]}
        self.is_up = True
        for agent in self.agents:
            agent.due = self.now + RETURN_SECONDS
        self.connect_bridge()

    def connect_bridge(self) -> None:
        """Connect the bridge, which is given all that is retained."""
        if self.is_up and not self.is_bridge_connected:
            self.is_bridge_connected = True
            self.fleet.broker_connected(self.now)
            self._waiting = [("status", name, said[-1]) for name, said in self.retained.items()]

    def disconnect_bridge(self) -> None:
        """Cut the bridge off."""
        if self.is_bridge_connected:
            self.take_in()
            self.is_bridge_connected = False
            self.fleet.broker_lost(self.now)

    def freeze_bridge(self) -> None:
        """Let the bridge stand still; what comes waits for it."""
        self.is_bridge_running = False

    def thaw_bridge(self) -> None:
        """Let the bridge run again, and look at the clock before it reads what waits."""
        if not self.is_bridge_running:
            self.is_bridge_running = True
            self._look()
            self.take_in()

    def take_in(self) -> None:
        """Let the bridge read what waits, and look at what it tells."""
        wall = T0 + self.now
        for leaf, name, payload in self._waiting:
            hear = self.fleet.hear_status if leaf == "status" else self.fleet.hear_pulse
            hear(name, json.dumps(payload).encode(), self.now, wall)
            agent = self.agents[NAMES.index(name)]
            if leaf == "pulse" and agent.alive and payload["session"] == str(agent.session):
                self._heard.add(name)
        self._waiting.clear()
        if self.is_bridge_connected:
            self._unread.clear()
        self._look()

    def _look(self) -> None:
        self.fleet.advance(self.now, T0 + self.now)
        for agent in self.agents:
            self._check(agent)

    def _check(self, agent: Agent) -> None:
        host = self.fleet.get(agent.name)
        if host is None:
            return
        assert host.since <= T0 + self.now
        is_gone = host.state in ("lost", "stopped")
        assert not (is_gone and agent.name in self._heard), "a living host is called dead"
        if (before := self._told_gone.get(agent.name)) is not None:
            assert (host.state, host.since) == before, "a dead host changed its state"
        elif is_gone and not agent.alive and agent.name not in self._unread:
            self._told_gone[agent.name] = (host.state, host.since)

    def _speak(self, agent: Agent) -> None:
        if agent.connected_at is None:
            agent.connected_at, agent.tick = self.now, 0
            self._publish_status(agent, "online", self.now)
            agent.due = self.now + 0.25
            return
        agent.tick += 1
        agent.due = self.now + 1
        self._deliver(
            "pulse", agent, {"time": T0 + self.now, "tick": agent.tick, "session": str(agent.session)}
        )

    def _publish_status(self, agent: Agent, state: str, time: float) -> None:
        status = agent.status(state, time)
        self.retained.setdefault(agent.name, []).append(status)
        self._deliver("status", agent, status)

    def _deliver(self, leaf: str, agent: Agent, payload: dict[str, Any]) -> None:
        if leaf == "pulse" or payload["state"] != "lost":
            self._told_gone.pop(agent.name, None)
            self._unread.add(agent.name)
        if self.is_bridge_connected:
            self._waiting.append((leaf, agent.name, payload))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("run"), st.sampled_from([0.25, 1, 3, 20, 60])),
            st.tuples(st.sampled_from(["start", "stop", "crash"]), st.sampled_from([0, 1])),
            st.tuples(
                st.just("broker"),
                st.sampled_from([0.5, 5, 100]),
                st.sampled_from(["all", "every will", "the last but one", "nothing"]),
            ),
            st.tuples(st.sampled_from(["connect", "disconnect", "freeze", "thaw"])),
        ),
        max_size=25,
    )
)
def test_whatever_fails_no_host_is_called_dead_or_alive_wrongly(steps: list[tuple[Any, ...]]) -> None:
    """A host that pulses is not dead, one that is gone stays as it is, and after calm all is right."""
    world = World()
    for action, *values in steps:
        match action:
            case "run":
                world.run(*values)
            case "start":
                world.start(world.agents[values[0]])
            case "stop" | "crash":
                world.end(world.agents[values[0]], "stopped" if action == "stop" else "lost")
            case "broker":
                world.break_broker(*values)
            case "connect":
                world.connect_bridge()
            case "disconnect":
                world.disconnect_bridge()
            case "freeze":
                world.freeze_bridge()
            case "thaw":
                world.thaw_bridge()
    world.thaw_bridge()
    world.connect_bridge()
    world.run(60)
    for agent in world.agents:
        host = world.fleet.get(agent.name)
        if agent.alive:
            assert host is not None
            assert host.state == "live"
        elif host is not None:
            assert host.state in ("lost", "stopped")


HOSTS = st.sampled_from(["a", "b", "c"])
EXPECTED = st.builds(ExpectedHost, HOSTS, st.sampled_from(["", "name"]))
STEPS = st.one_of(
    st.tuples(st.just("expect"), st.lists(EXPECTED, unique_by=lambda host: host.id)),
    st.tuples(st.sampled_from(["pulse", "info", "stopped", "forget"]), HOSTS),
    st.tuples(st.just("tell"), st.none()),
)


@given(st.lists(STEPS, max_size=40))
def test_viewers_know_every_host_and_what_the_list_says_of_it(steps: list[tuple[str, Any]]) -> None:
    """Whatever is heard, forgotten, put on the list and taken off, in any order, and whenever it is told."""
    fleet = KnownFleet()
    fleet.broker_connected(now=0)
    viewer: dict[str, tuple[str, ExpectedHost | None]] = {}
    listed: list[ExpectedHost] = []
    for now, (step, what) in enumerate([*steps, ("tell", None)], 1):
        stamp = b'"time":%d,"session":"s"' % now
        match step:
            case "expect":
                listed = what
                fleet.expect(what, now)
            case "pulse":
                fleet.hear_pulse(what, b'{"tick":%d,%b}' % (now, stamp), now, now)
            case "info":
                fleet.hear_info(
                    what,
                    b'{"host_name":"n","agent_version":"1","interval_seconds":1,"groups":{},%b}' % stamp,
                    now,
                    now,
                )
            case "stopped":
                fleet.hear_status(what, b'{"state":"stopped",%b}' % stamp, now, now)
            case "forget":
                fleet.hear_status(what, b"", now, now)
            case "tell":
                changes = fleet.take_changes()
                for host_id in changes.removed:
                    viewer.pop(host_id, None)
                for host_id in changes.states:
                    if (host := fleet.get(host_id)) is not None:
                        viewer[host_id] = (host.state, host.expected)
    assert viewer == {host.id: (host.state, host.expected) for host in fleet}
    assert {host.id: host.expected for host in fleet if host.expected} == {host.id: host for host in listed}
    assert len(fleet) == len(viewer)
    assert {host.id for host in fleet if not host.prefix} == viewer.keys() - fleet.heard.keys()
