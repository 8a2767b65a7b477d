from dataclasses import fields

from fleetglass.agent.selection import Selections
from fleetglass.agent.settings import AgentSettings
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.configuration.keys import KEYS, keys_of
from fleetglass.mqtt.credentials import BrokerAccess

NOT_SETTINGS = {
    "broker",
    "prefix",
    "password",
    "password_file",
    "proxy_secret_file",
    "log_level",
    "heartbeat_file",
}


def names_of(*types: type) -> set[str]:
    return {field.name for kind in types for field in fields(kind)} - {
        "broker",
        "url",
        "others",
        "password",
        "prefixes",
        "proxy_secret",
    }


def test_every_setting_of_the_agent_can_be_told() -> None:
    """Agent and access settings have the keys of the table, beside what is found; two keys make one."""
    keys = {key.name.removeprefix("include_").removeprefix("exclude_") for key in keys_of("agent")}
    found = {"prefix", "server_name", "selections", "container", "kept_id_hash"}
    assert keys - NOT_SETTINGS == names_of(AgentSettings, Selections, BrokerAccess) - found


def test_every_setting_of_the_bridge_can_be_told() -> None:
    """Bridge and access settings have exactly the keys of the table."""
    assert {key.name for key in keys_of("bridge")} - NOT_SETTINGS == names_of(
        BridgeSettings, BrokerAccess
    ) - {"server_name"}


def test_names_are_unique() -> None:
    """No two keys share a name or an argument."""
    assert len({key.name for key in KEYS}) == len({key.option for key in KEYS}) == len(KEYS)


def test_names_in_each_place() -> None:
    """A key is called alike as an argument and in the environment."""
    [key] = [key for key in KEYS if key.name == "host_id"]
    assert (key.option, key.variable) == ("--host-id", "FLEETGLASS_HOST_ID")
