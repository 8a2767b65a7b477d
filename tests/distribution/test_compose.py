import functools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.containers import REPOSITORY, Composition, missing_programs, read_compose
from support.mosquitto import find_mosquitto
from support.waiting import wait_for

VARIABLES = {"BROKER_NAME": "broker.example", "HOST_ID": "web-1"}
ASK = """
import sys, urllib.request as u
token = open('/var/lib/fleetglass/viewer-token').read().strip()
headers = {'Authorization': 'Bearer ' + token}
print(u.urlopen(u.Request('http://127.0.0.1:8765' + sys.argv[1], headers=headers)).read().decode())
"""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = read_compose(VARIABLES)["services"]
    return services


@pytest.fixture(scope="module")
def composition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composition]:
    """Give a project in which a bridge and the host web-1 are enrolled, and its services run."""
    if missing := missing_programs():
        pytest.skip(f"needs {missing}")
    if find_mosquitto() is None:
        pytest.skip("needs mosquitto: apt-get install mosquitto")
    project = tmp_path_factory.mktemp("project")
    project.joinpath("enrolled").mkdir(mode=0o700)
    composition = Composition(project, VARIABLES)
    with composition.network(), ExitStack() as stack:
        enrolled = composition.run("enroll", "--bridge", "web-1")
        assert enrolled.returncode == 0, enrolled.stderr
        link = composition.run("bridge", "--new-token")
        assert link.returncode == 0, link.stderr
        assert link.stdout.startswith("http://127.0.0.1:8765/#token=")
        assert not composition.is_healthy("mosquitto")
        for name in ("mosquitto", "bridge", "agent"):
            stack.enter_context(composition.running(name))
        for name in ("mosquitto", "bridge", "agent"):
            healthy = functools.partial(composition.is_healthy, name)
            wait_for(healthy, f"{name}, whose log is {composition.log(name)}", 20)
        yield composition


def test_the_file_is_a_composition() -> None:
    """It is what the Compose specification's own schema asks for."""
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*checker, str(REPOSITORY / "compose.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_name_that_is_missing(name: str) -> None:
    """Nothing starts under a name that nobody gave; what is missing is said."""
    with pytest.raises(LookupError, match=rf"{name}: expected in \.env"):
        read_compose({key: value for key, value in VARIABLES.items() if key != name})


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


def test_the_agent_sees_the_host(composition: Composition) -> None:
    """Name, interfaces and processes are the host's, not those of its own container."""
    live: dict[str, Any] = {}

    def is_whole() -> bool:
        answer = composition.execute("bridge", "python", "-c", ASK, "/api/hosts/web-1")
        assert answer.returncode == 0, answer.stderr
        host = json.loads(answer.stdout)
        live.update(host["live"], state=host["host"]["state"], info=host["host"].get("info"))
        return {"network", "process"} <= set(live)

    wait_for(is_whole, "all groups", 20)
    assert live["state"] == "live"
    assert live["info"]["host_name"] == Path("/etc/hostname").read_text().strip()
    assert {name for _, name in socket.if_nameindex()} <= set(live["network"]["interfaces"]) | {"docker0"}
    assert live["process"]["top_memory"][0]["pid"] > 1


def test_the_page_needs_its_token(composition: Composition) -> None:
    """The link that was printed opens it; without it nothing is told."""
    answer = composition.execute(
        "bridge", "python", "-c", ASK.replace("token = ", "token = 'x' + "), "/api/hosts"
    )
    assert "401" in answer.stderr
    page = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8765/').read().decode())"
    assert "<title>" in composition.execute("bridge", "python", "-c", page).stdout


def test_no_secret_is_told(composition: Composition) -> None:
    """Neither the logs nor the command lines hold a password, a key or the viewer token."""
    fleet = composition.project / "enrolled"
    files = [*fleet.glob("hosts/*.yaml"), *fleet.glob("readers/*.yaml")]
    secrets = [
        line.split()[-1] for file in files for line in file.read_text().splitlines() if "password:" in line
    ]
    secrets.append((composition.project / "volume-viewer-token" / "viewer-token").read_text().strip())
    assert len(secrets) == 3
    logs = "".join(composition.log(name).read_text() for name in ("mosquitto", "bridge", "agent"))
    assert "connected to" in logs
    commands = "".join(shlex.join(composition.sandboxed(name)) for name in composition.services)
    assert not [secret for secret in secrets if secret in logs + commands]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_credential_is_revoked(composition: Composition) -> None:
    """One command takes it away, and the broker lets the host in no more once it was told."""
    listed = composition.run("enroll", "--list")
    assert "web-1" in listed.stdout, listed.stderr
    revoked = composition.run("enroll", "--revoke", "web-1")
    assert revoked.returncode == 0, revoked.stderr
    assert "SIGHUP" in revoked.stdout
    composition.kill("mosquitto", signal.SIGHUP)
    wait_for(lambda: "not authori" in composition.log("agent").read_text().lower(), "the agent to be refused")


def test_what_lost_its_broker_is_not_healthy(composition: Composition) -> None:
    """Nothing claims health while nothing goes through, and SIGTERM ends all well."""
    composition.stop("mosquitto")
    wait_for(lambda: not composition.is_healthy("bridge"), "the bridge to miss its broker")
    heartbeat = composition.project / "tmpfs-agent-0" / "heartbeat"
    os.utime(heartbeat, (time.time() - 31,) * 2)
    assert not composition.is_healthy("agent")
    for name in ("agent", "bridge"):
        assert composition.stop(name) == 0
    assert not heartbeat.exists()
