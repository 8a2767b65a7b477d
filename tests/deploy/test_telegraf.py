"""What can be proved of the recipe for Telegraf without Telegraf, which no registry here has."""

import fnmatch
import json
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import MQTTMessage, topic_matches_sub
from paho.mqtt.subscribe import simple

from fleetglass.wire import Topics, encode
from fleetglass.wire.payloads import Backfill
from support.consumers import DEPLOY, Fleet

pytestmark = pytest.mark.broker

INPUTS: list[dict[str, Any]] = tomllib.loads((DEPLOY / "telegraf" / "fleetglass.conf").read_text())["inputs"][
    "mqtt_consumer"
]
TOPICS = [topic for one in INPUTS for topic in one["topics"]]


def flattened(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Return the fields that Telegraf's parser of JSON makes: numbers, by their path joined with `_`."""
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flattened(one, f"{name}_{key}" if name else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value


@pytest.mark.parametrize("topic", TOPICS)
def test_what_it_reads_is_there(fleet: Fleet, topic: str) -> None:
    """Real messages come on each topic, their path, time and tags are found, and numbers are left to keep."""
    (one,) = (one for one in INPUTS if topic in one["topics"])
    if topic.endswith("/backfill"):  # needs an outage; its pulses are what comes on `pulse`
        pulse = heard("fleet/+/pulse", "web-1", fleet)
        said = encode(Backfill(time=1.0, tick=1, session="a", pulses=[msgspec.Raw(pulse.payload)]))
        name = Topics("fleet").leaf("web-1", "backfill")
    else:
        message = heard(topic, "laptop" if topic.endswith("/sensor") else "web-1", fleet)
        said, name = bytes(message.payload), message.topic
    (parsing,) = one["topic_parsing"]
    levels = name.split("/")
    assert topic_matches_sub(parsing["topic"], name)
    for what in ("tags", "measurement"):  # as long as the topic, or Telegraf refuses to start
        assert len(parsing.get(what, name).split("/")) == len(levels)
    tags = dict(zip(parsing["tags"].split("/"), levels, strict=True))
    assert Topics("fleet").parse(name) is not None
    assert tags["host"] == levels[1]
    samples = json.loads(said)
    if "json_query" in one:
        samples = samples[one["json_query"]]
    for sample in samples if isinstance(samples, list) else [samples]:
        fields = dict(flattened(sample))
        assert one["json_time_format"] == "unix"
        assert fields.pop(one["json_time_key"]) > 1e9
        for excluded in one["fieldexclude"]:
            # Only a host with a core that is switched off publishes the numbers of its cores.
            assert fnmatch.filter(fields, excluded) or excluded == "core_numbers_*", excluded
            fields = {name: value for name, value in fields.items() if not fnmatch.fnmatch(name, excluded)}
        assert fields


def heard(topic: str, host: str, fleet: Fleet) -> MQTTMessage:
    topic = topic.replace("+", host)
    message: MQTTMessage = simple(topic, hostname="127.0.0.1", port=fleet.broker.port)  # type: ignore[no-untyped-call]
    return message


def test_hosts_of_a_backfill_are_those_of_pulses() -> None:
    """What was missed is written under the same name and tags, so that it fills the gap."""
    pulse, backfill, _ = INPUTS
    assert backfill["name_override"] == pulse["topics"][0].rpartition("/")[2] == "pulse"
    assert [one["topic_parsing"][0]["tags"] for one in (pulse, backfill)] == ["_/host/_"] * 2
    assert pulse["fieldexclude"] == backfill["fieldexclude"]
