import json
import urllib.request
from pathlib import Path

import pytest

from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.secured_broker import MOSQUITTO_PROGRAMS, Client, SecuredBroker, seconds_until, secured_broker
from support.waiting import PATIENCE_SECONDS, wait_for


@pytest.mark.broker
def test_two_hosts_of_which_one_is_revoked(tmp_path: Path) -> None:
    """Agents and bridge need nothing but their files; once revoked, a host is silent in seconds."""
    port = free_port()
    with secured_broker(MOSQUITTO_PROGRAMS[0], "web-1") as broker:
        broker.enroll("web-2", "--certificate")
        broker.start()
        hosts, bridge = broker.folder / "hosts", broker.folder / "readers/bridge.yaml"
        with (
            Fleetglass("agent", "--config", str(hosts / "web-1.yaml"), home=tmp_path) as first,
            Fleetglass("agent", "--config", str(hosts / "web-2.yaml"), home=tmp_path),
            Fleetglass("bridge", "--config", str(bridge), "--port", str(port), home=tmp_path),
        ):
            page = wait_for_page(port)

            def states() -> dict[str, str]:
                with urllib.request.urlopen(f"{page}api/hosts", timeout=PATIENCE_SECONDS) as answer:
                    return {host["id"]: host["state"] for host in json.load(answer)["hosts"]}

            wait_for(lambda: states() == {"web-1": "live", "web-2": "live"}, "both hosts")
            broker.enroll("--revoke", "web-1")
            wait_for(lambda: "refuses this client: not authorized" in first.output, "the agent says why")
            # Its will is no more allowed than the rest, so that only its silence shows.
            assert seconds_until(lambda: states()["web-1"] == "late", "the end of web-1") < 8
            assert states()["web-2"] == "live"


@pytest.mark.broker
@pytest.mark.parametrize("kind", [[], ["--certificate"]], ids=["password", "certificate"])
def test_a_host_is_forgotten_with_its_own_file(tmp_path: Path, kind: list[str]) -> None:
    """While its agent runs it is left alone; then all that its agent retained is gone, and nothing else."""
    with secured_broker(MOSQUITTO_PROGRAMS[0], "web-2", "--home-assistant") as broker:
        broker.enroll("web-1", *kind)
        broker.start()
        files = {host: str(broker.folder / f"hosts/{host}.yaml") for host in ("web-1", "web-2")}
        forget = ("forget", "web-1", "--config", files["web-1"])
        with (
            Fleetglass("agent", "--config", files["web-1"], home=tmp_path) as agent,
            Fleetglass("agent", "--config", files["web-2"], home=tmp_path),
        ):
            everything = {topic for host in files for topic in topics_of(host)}
            wait_for(lambda: retained(broker) == everything, "all that they retain")
            with Fleetglass(*forget, home=tmp_path) as done:
                assert done.end() == 1
                assert "web-1 still publishes" in done.output
            assert retained(broker) == everything
            agent.kill()
            with Fleetglass(*forget, home=tmp_path) as done:
                assert done.end() == 0
                assert "forgot web-1 at mqtts://" in done.output
            assert retained(broker) == topics_of("web-2")
            with Fleetglass("forget", "web-2", "--config", files["web-1"], home=tmp_path) as done:
                assert done.end() == 1
                assert "not authorized; expected a user who may clear fleet/web-2/status" in done.output
            assert retained(broker) == topics_of("web-2")


@pytest.mark.broker
def test_a_host_is_forgotten_where_it_may_not_write_to_home_assistant(tmp_path: Path) -> None:
    """All else is cleared; one line names the topic that an earlier version of the rules may have let in."""
    with secured_broker(MOSQUITTO_PROGRAMS[0], "web-1", "--no-discovery") as broker:
        broker.start()
        file = str(broker.folder / "hosts/web-1.yaml")
        with Client(broker.host("web-1")) as client:
            client.publish("fleet/web-1/info", b"{}", retain=True)
        with Fleetglass("forget", "web-1", "--config", file, home=tmp_path) as done:
            assert done.end() == 0
            [line] = [line for line in done.output.splitlines() if line.startswith("fleetglass: ")]
        assert line == (
            "fleetglass: this user may not clear homeassistant/device/web-1/config, in case it is there"
        )
        assert retained(broker) == set()


def topics_of(host: str) -> set[str]:
    """Return the topics on which an agent retains messages."""
    leaves = ("status", "info", "summary")
    return {f"homeassistant/device/{host}/config", *(f"fleet/{host}/{leaf}" for leaf in leaves)}


def retained(broker: SecuredBroker) -> set[str]:
    """Return every topic with a retained message, as readers of all see them."""
    with Client(broker.reader("bridge")) as bridge:
        found = retained_below("fleet", bridge, "fleet/mark/demand")
    if (broker.folder / "readers/home-assistant.yaml").exists():
        with Client(broker.reader("home-assistant")) as home:
            found |= retained_below("homeassistant", home, "homeassistant/mark")
    return found


def retained_below(prefix: str, reader: Client, mark: str) -> set[str]:
    reader.subscribe(f"{prefix}/#")
    reader.publish(mark, b"mark")  # what is retained comes before it
    wait_for(lambda: reader.has(mark), "the mark")
    return reader.retained
