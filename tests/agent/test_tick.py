"""One tick of the agent, while any of its optional parts may raise."""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.test_sampler import Scripted
from fleetglass.agent import agent
from fleetglass.agent.agent import _Agent
from fleetglass.agent.clock_jumps import ClockJumps, ClockReading
from fleetglass.agent.demanded_groups import DemandedGroups
from fleetglass.agent.headline import Means
from fleetglass.agent.home_assistant import HomeAssistant
from fleetglass.agent.inventory import Inventory
from fleetglass.agent.publishing.publisher import Publisher, Tick
from fleetglass.agent.readings import host_readings
from fleetglass.agent.sampler import Sampler
from fleetglass.agent.self_report import SelfReport
from fleetglass.agent.settings import AgentSettings
from fleetglass.agent.system_bus.watch import SystemWatch
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import decode
from fleetglass.wire.payloads import CollectorReport, Pulse
from fleetglass.wire.unexpected_errors import UnexpectedErrors

SETTINGS = AgentSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1)), host_id="web-1", demand=True)

# Every part of a tick beside the pulse itself, and the callbacks that it calls.
PARTS = (
    (ClockJumps, "look"),
    (DemandedGroups, "intervals"),
    (Sampler, "sample"),
    (_Agent, "_newest_of"),
    (agent, "pulse_of"),
    (Means, "add"),
    (Means, "take"),
    (HomeAssistant, "hear_summary"),
    (HomeAssistant, "refresh"),
    (SelfReport, "report"),
    (Inventory, "look"),
    (Inventory, "info"),
    (agent, "written_info"),
    (Publisher, "announce"),
    (Publisher, "refresh"),
)
ERRORS = (RuntimeError("boom"), OSError(5, "I/O error"), KeyError("x"), RecursionError(), MemoryError())


class Ticks:
    """An agent without a broker, whose ticks are kept instead of sent."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sent: list[Tick] = []
        self.errors = UnexpectedErrors()
        patch.setattr(Publisher, "publish_tick", lambda _, tick: self.sent.append(tick))
        collectors = [Scripted("cpu")]
        self.sampler = Sampler(collectors, interval=1.0)
        readings = host_readings()
        publisher = Publisher(SETTINGS, session="abc")
        self.agent = _Agent(
            SETTINGS,
            "abc",
            collectors,
            self.sampler,
            publisher,
            watch=SystemWatch(publisher, environment={}),
            readings=readings,
            errors=self.errors,
        )

    def take(self) -> Tick:
        """Take one tick."""
        self.agent.tick(0)
        return self.sent[-1]


def throwing(error: Exception) -> Callable[..., Any]:
    def throw(*_: object, **__: object) -> Any:
        raise error

    return throw


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    broken=st.sets(st.sampled_from(PARTS), min_size=1),
    errors=st.lists(st.sampled_from(ERRORS), min_size=1, max_size=4),
)
def test_a_pulse_goes_out_whatever_else_fails(broken: set[tuple[Any, str]], errors: list[Exception]) -> None:
    """At each tick a pulse goes out, the errors are counted, and with their end everything is there again."""
    with pytest.MonkeyPatch.context() as patch:
        ticks = Ticks(patch)
        with pytest.MonkeyPatch.context() as broken_parts:
            for (owner, name), error in zip(sorted(broken, key=str), itertools.cycle(errors)):
                broken_parts.setattr(owner, name, throwing(error))
            for number in (1, 2):
                tick = ticks.take()
                pulse = decode(tick.pulse, Pulse)
                assert (pulse.tick, pulse.session, tick.number) == (number, "abc", number)
        assert len(ticks.sent) == 2
        assert ticks.errors.total > 0
        whole = ticks.take()
        report = decode(whole.others[-1].payload, CollectorReport)
        assert report.internal_errors == ticks.errors.total
        assert [one.topic for one in whole.others if "/live/" in one.topic] == [
            "fleet/web-1/live/cpu",
            "fleet/web-1/live/collector",
        ]
        ticks.sampler.close()


@pytest.mark.parametrize(("owner", "name"), PARTS, ids=lambda part: str(getattr(part, "__name__", part)))
def test_each_part_is_really_called(owner: Any, name: str) -> None:
    """Every part that the property breaks is one that a first tick runs, and counts where it fails."""
    with pytest.MonkeyPatch.context() as patch:
        ticks = Ticks(patch)
        with pytest.MonkeyPatch.context() as broken_part:
            broken_part.setattr(owner, name, throwing(RuntimeError("boom")))
            ticks.take()
        assert ticks.errors.total >= 1
        ticks.sampler.close()


def test_a_tick_without_errors_counts_none() -> None:
    """The count is absent from the report of an agent in which nothing failed."""
    with pytest.MonkeyPatch.context() as patch:
        ticks = Ticks(patch)
        report = msgspec.json.decode(ticks.take().others[-1].payload)
        assert "internal_errors" not in report
        ticks.sampler.close()


def test_an_error_of_the_publisher_is_survived() -> None:
    """A tick that cannot be handed over is lost, and the next one is taken."""
    with pytest.MonkeyPatch.context() as patch:
        ticks = Ticks(patch)
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(Publisher, "publish_tick", throwing(RuntimeError("boom")))
            ticks.agent.tick(0)
        assert ticks.take().number == 2
        assert ticks.errors.total == 1
        ticks.sampler.close()


@pytest.mark.parametrize("is_told", [True, False])
def test_a_connection_is_made_anew_after_a_sleep_that_nobody_told_of(
    is_told: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    """One that was told of has been left before, and may be back by the first tick."""
    with pytest.MonkeyPatch.context() as patch:
        renewed: list[None] = []
        ticks = Ticks(patch)
        patch.setattr(ticks.agent._publisher, "renew", lambda: renewed.append(None))
        moments = itertools.count()
        patch.setattr(
            ticks.agent, "_jumps", ClockJumps(lambda: ClockReading(0.0, 3600.0 * next(moments), 0.0))
        )
        if is_told:
            ticks.agent._publisher.suspend()
        ticks.take()
        assert len(renewed) == (not is_told)
        ticks.agent._publisher.resume()
        ticks.take()
        assert len(renewed) == (0 if is_told else 2)
        ticks.take()
        assert len(renewed) == (1 if is_told else 3)
        ticks.sampler.close()
