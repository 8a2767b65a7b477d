import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
VARIABLES = {"BROKER_NAME": "broker.example", "HOST_ID": "web-1"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))["services"]
    return services


def test_the_file_follows_the_compose_specification() -> None:
    """compose.yaml is valid by the schema of the Compose specification."""
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*checker, str(REPOSITORY / "compose.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_docker_accepts_the_file() -> None:
    """Docker Compose resolves the file, and refuses it by name when a variable is missing."""
    if _compose("version").returncode != 0:
        pytest.skip("needs Docker Compose v2: https://docs.docker.com/compose/install/")
    done = _compose("config", "--quiet", variables=VARIABLES)
    assert done.returncode == 0, done.stderr
    for name in VARIABLES:
        given = {key: value for key, value in VARIABLES.items() if key != name}
        done = _compose("config", "--quiet", variables=given)
        assert done.returncode != 0
        assert re.search(rf"{name}.*expected in \.env", done.stderr), done.stderr


def test_no_service_has_more_than_it_needs(services: dict[str, Any]) -> None:
    """Each runs as a user without rights, with limits, and sees only what is mounted."""
    for name, service in services.items():
        assert service["user"] == "10001:10001", name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "pids_limit", "logging"} <= set(service), name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(service), name
        assert service.get("network_mode", "none") == "none", name
        if name != "enroll":
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name
    assert services["enroll"]["profiles"], "it would run whenever the others do"


def test_only_the_broker_can_be_reached_from_other_machines(services: dict[str, Any]) -> None:
    """It asks for TLS and a credential; the page is on loopback."""
    ports = {name: service.get("ports", []) for name, service in services.items()}
    assert ports == {
        "mosquitto": ["8883:8883", "8884:8884"],
        "bridge": ["127.0.0.1:8765:8765"],
        "agent": [],
        "enroll": [],
    }


def test_images_have_a_version(services: dict[str, Any]) -> None:
    """What is not built here is named by its version, not by what is newest."""
    pulled = {service["image"] for service in services.values() if "build" not in service}
    assert pulled
    assert all(image.rpartition(":")[2].count(".") == 2 for image in pulled)


def test_only_enroll_and_the_broker_see_the_keys(services: dict[str, Any]) -> None:
    """The bridge and the agent are given one file each; only enroll may write any of them."""
    mounts = {name: service.get("volumes", []) for name, service in services.items()}
    mounted = [name for name, volumes in mounts.items() if "./enrolled" in str(volumes)]
    assert mounted == ["mosquitto", "enroll"]
    assert "./enrolled:/fleet:ro" in mounts["mosquitto"]
    assert services["bridge"]["secrets"] == ["bridge"]
    assert services["agent"]["secrets"] == ["agent"]
    assert mounts["agent"][0]["read_only"] is True


def test_the_agent_is_healthy_while_its_heartbeat_is_fresh(services: dict[str, Any], tmp_path: Path) -> None:
    """The health check fails without the heartbeat file, and when the file is older than half a minute."""
    file = services["agent"]["environment"]["FLEETGLASS_HEARTBEAT_FILE"]
    kind, command = services["agent"]["healthcheck"]["test"]
    assert (kind, command.count(file)) == ("CMD-SHELL", 1)
    heartbeat = tmp_path / "heartbeat"
    check = ["sh", "-c", command.replace("$$", "$").replace(file, str(heartbeat))]
    assert subprocess.run(check, capture_output=True, check=False).returncode != 0
    heartbeat.touch()
    assert subprocess.run(check, check=False).returncode == 0
    old = heartbeat.stat().st_mtime - 31
    os.utime(heartbeat, (old, old))
    assert subprocess.run(check, check=False).returncode != 0


def _compose(*words: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = ["docker", "compose", "--file", str(REPOSITORY / "compose.yaml"), "--env-file", os.devnull]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(variables or {})}
    try:
        return subprocess.run(
            [*command, *words], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))
