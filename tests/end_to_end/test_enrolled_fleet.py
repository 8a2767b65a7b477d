import json
import os
import signal
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from fleetglass.cli.enrollment.temporary_access import TEMPORARY_USER
from fleetglass.cli.main import main
from fleetglass.mqtt.probe import probe
from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.secured_broker import MOSQUITTO_PROGRAMS, Client, SecuredBroker, secured_broker
from support.waiting import PATIENCE_SECONDS, wait_for

STOPPED = b'{"state":"stopped","session":"a","time":1}'


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
            wait_for(lambda: states() == {"web-2": "live"}, "the end of web-1")


@pytest.mark.broker
def test_revoked_hosts_leave_nothing_behind(tmp_path: Path) -> None:
    """Revoked while they run, hosts are gone from the broker, and neither status nor will comes back."""
    with secured_broker(MOSQUITTO_PROGRAMS[0], "web-1", "web-2", "never", "--home-assistant") as broker:
        broker.enroll("web-3", "--certificate")
        broker.start()
        hosts = ("web-1", "web-2", "web-3")
        with ExitStack() as stack:
            agents = {
                host: stack.enter_context(
                    Fleetglass("agent", "--config", str(broker.folder / f"hosts/{host}.yaml"), home=tmp_path)
                )
                for host in hosts
            }
            everything = {topic for host in hosts for topic in topics_of(host)}
            wait_for(lambda: retained(broker) == everything, "all that they retain")
            broker.enroll("--revoke", "web-1", "web-3", "never", "reader.home-assistant")
            broker.enroll("--home-assistant")
            home = broker.reader("home-assistant")
            wait_for(lambda: probe(home).outcome == "accepted", "the broker to read its new password")
            assert retained(broker) == topics_of("web-2")
            wait_for(lambda: "not authorized" in agents["web-1"].output, "web-1 is refused")
            for host in ("web-1", "web-3"):
                agents[host].kill()
            # The will of web-3, whose connection was still open, would come before this answer.
            assert probe(broker.host("web-2")).outcome == "accepted"
            assert retained(broker) == topics_of("web-2")
        for file in ("users", "rules", "fleet.json"):
            assert TEMPORARY_USER not in (broker.folder / file).read_text()


@pytest.mark.broker
def test_a_host_is_revoked_where_the_brokers_name_leads_elsewhere() -> None:
    """The broker is asked on its own machine, and its certificate is still that of its name."""
    with secured_broker(MOSQUITTO_PROGRAMS[0]) as broker:
        broker.enroll("--renew", "--broker", f"mqtts://localhost:{broker.port}")
        broker.enroll("--revoke", "reader.bridge")
        broker.enroll("web-1", "--bridge")
        broker.start()
        with Client(broker.host("web-1")) as client:
            client.publish("fleet/web-1/status", STOPPED, retain=True)
        broker.enroll("--revoke", "web-1")
        assert retained(broker) == set()


@pytest.mark.broker
def test_a_revoked_site_takes_its_hosts_along() -> None:
    """All that a site passed on is cleared, and nothing of another one."""
    with secured_broker(MOSQUITTO_PROGRAMS[0], "paris", "lyon") as broker:
        broker.start()
        for site in ("paris", "lyon"):
            with Client(broker.host(site)) as client:
                status = b'{"state":"online","session":"a","time":1}'
                client.publish(f"fleet/{site}/web-1/status", status, retain=True)
                client.publish(f"fleet/{site}/web-1/a/b/c", b"x", retain=True)
        broker.enroll("--revoke", "paris")
        assert retained(broker) == {"fleet/lyon/web-1/status", "fleet/lyon/web-1/a/b/c"}


@pytest.mark.broker
def test_a_broker_that_does_not_answer_while_a_host_is_revoked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The host is revoked all the same; one line names the command that clears the rest later."""
    monkeypatch.setattr("fleetglass.cli.enrollment.temporary_access.RELOAD_SECONDS", 0.0)
    with secured_broker(MOSQUITTO_PROGRAMS[0], "web-1", "web-2") as broker:
        broker.start()
        gone = broker.host("web-1")
        for host in ("web-1", "web-2"):
            with Client(broker.host(host)) as client:
                client.publish(f"fleet/{host}/status", STOPPED, retain=True)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            capsys.readouterr()
            assert main(["enroll", "--revoke", "web-1", "--folder", str(broker.folder)]) == 1
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("fleetglass: revoked web-1, but retained messages may remain on the broker (")
        later = line.rpartition("run where the broker runs: fleetglass ")[2].split()
        assert later == ["forget", "web-1", "--folder", str(broker.folder)]
        wait_for(lambda: probe(gone).reason == "not authorized", "the broker knows")
        assert retained(broker) == {"fleet/web-1/status", "fleet/web-2/status"}
        monkeypatch.undo()
        assert main(later) == 0
        assert retained(broker) == {"fleet/web-2/status"}


@pytest.mark.broker
def test_hosts_are_forgotten_on_the_brokers_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the folder, no file of a host is needed: patterns work; hosts that run are left alone."""
    with secured_broker(MOSQUITTO_PROGRAMS[0], "web-1", "web-2", "db-1") as broker:
        broker.start()
        for host in ("web-2", "db-1"):
            with Client(broker.host(host)) as client:
                client.publish(f"fleet/{host}/status", STOPPED, retain=True)
        file = broker.folder / "hosts/web-1.yaml"
        with Fleetglass("agent", "--config", str(file), home=tmp_path):
            wait_for(lambda: {"fleet/web-1/info", "fleet/web-1/summary"} <= retained(broker), "the agent")
            capsys.readouterr()
            assert main(["forget", "web-*", "--folder", str(broker.folder)]) == 1
            out, err = capsys.readouterr()
            assert out.startswith("forgot web-2 at mqtts://")
            assert "web-1 still publishes" in err
            assert {topic.split("/")[1] for topic in retained(broker)} == {"web-1", "db-1"}
        assert TEMPORARY_USER not in (broker.folder / "users").read_text()


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
