import json

import pytest

from fleetglass.cli.doctor.duplicate_host_check import OwnHost, check_claim
from fleetglass.cli.doctor.mqtt_session import Heard
from fleetglass.wire.version import VERSION

NOW = 1_790_000_000.0
OWN = OwnHost("web-1", "0123456789abcdef", runs_agent=False)


def heard(**values: object) -> Heard:
    return Heard("t", json.dumps(values).encode(), retained=True, received=NOW)


def status(state: str = "online", age: float = 10) -> Heard:
    return heard(state=state, session="s1", time=NOW - age)


def info(machine: str, *, version: str = VERSION, **values: object) -> Heard:
    told = {"host_name": "web", "agent_version": version, "interval_seconds": 1, "groups": {}}
    return heard(time=NOW, session="s1", machine_id_hash=machine, **told, **values)


@pytest.mark.parametrize(
    ("own", "said", "told", "state", "text"),
    [
        (OWN, None, None, "ok", "nothing is known of it yet"),
        (OWN, status("stopped"), None, "ok", "its agent is stopped"),
        (OWN, status("lost"), info("f" * 16), "ok", "its agent is lost"),
        (OWN, status(), info("0123456789abcdef"), "ok", "held by the agent of this machine (session s1)"),
        (OWN._replace(runs_agent=True), status(), None, "ok", "held by the agent of this machine"),
        (OWN, status(), None, "note", "an agent is online (session s1), but none is seen on this machine"),
        (OWN, status(), info("f" * 16), "wrong", "another machine (web) publishes as web-1 as well"),
        (
            OWN,
            status(),
            info("0123456789abcdef", conflict="s2"),
            "wrong",
            "another machine publishes as web-1",
        ),
        (OWN, status(age=400), None, "note", "said to be online 400 s ago, not since"),
        (OWN, Heard("t", b"?", True, NOW), None, "ok", "nothing is known of it yet"),
    ],
)
def test_whose_the_host_id_is(
    own: OwnHost, said: Heard | None, told: Heard | None, state: str, text: str
) -> None:
    """Only an inventory of another machine, or one that tells of a conflict, proves that two share an id."""
    [finding] = check_claim(own, said, told, NOW)
    assert finding.state == state
    assert text in finding.text
    assert (finding.remedy == "") is (state == "ok")


def test_an_older_agent_that_runs() -> None:
    """After an upgrade the agent that still runs is told of."""
    versions, _ = check_claim(OWN, status(), info("0123456789abcdef", version="0.0.1"), NOW)
    assert (versions.what, versions.state) == ("versions", "note")
    assert versions.remedy == "fleetglass service restart agent"
