"""The recipes for Prometheus and Grafana, in a real Prometheus that scrapes a real bridge."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.certificates import Authority
from support.consumers import DEPLOY, HOSTS, Fleet, answers, find, get, query, recipe, running
from support.ports import free_port
from support.programs import Fleetglass
from support.waiting import wait_for

RULES = "fleetglass.rules.yml"
QUICK = {"scrape_interval: 15s": "scrape_interval: 1s", "evaluation_interval: 15s": "evaluation_interval: 1s"}
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "fleetglass.json").read_text())
EXPRESSIONS = sorted({one["expr"] for panel in DASHBOARD["panels"] for one in panel.get("targets", [])})

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def prometheus(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a Prometheus that has the recipe's files and has scraped the fleet."""
    folder = tmp_path_factory.mktemp("prometheus")
    recipe(f"prometheus/{RULES}", folder, {"for: 1m": "for: 1s"})
    bridge = f"127.0.0.1:{fleet.bridge_port}"
    configuration = recipe("prometheus/prometheus.yml", folder, {"127.0.0.1:8765": bridge} | QUICK)
    with serving(configuration) as address:
        yield address


@contextmanager
def serving(configuration: Path) -> Iterator[str]:
    base = f"127.0.0.1:{free_port()}"
    with running(
        find("prometheus", "prometheus"),
        *(f"--config.file={configuration}", f"--web.listen-address={base}", "--storage.tsdb.path=data"),
        folder=configuration.parent,
        ready=lambda: answers(f"http://{base}/-/ready"),
    ):
        yield f"http://{base}"


def check(*arguments: str) -> None:
    promtool = find("promtool", "prometheus")
    folder = DEPLOY / "prometheus"
    checked = subprocess.run([promtool, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_alerts_do_what_their_own_tests_say() -> None:
    """Promtool accepts configurations and rules, and every alert comes when it should and not before."""
    check("check", "config", "prometheus.yml")
    check("test", "rules", "fleetglass.rules.test.yml")
    names = re.findall(r"alert: (\w+)", (DEPLOY / "prometheus" / RULES).read_text())
    tested = (DEPLOY / "prometheus" / "fleetglass.rules.test.yml").read_text()
    assert names
    assert [name for name in names if f"alertname: {name}\n" not in tested] == []


def test_a_bridge_on_this_machine_is_scraped(prometheus: str) -> None:
    """The recipe's Prometheus has the pulses of real hosts, under their names, and its rules are all well."""
    wait_for(lambda: query(prometheus, "fleetglass_host_memory_percent"), "values of hosts")
    found = query(prometheus, "fleetglass_host_memory_percent")
    assert {one["metric"]["host"] for one in found} == set(HOSTS)
    groups = get(f"{prometheus}/api/v1/rules")["data"]["groups"]
    wait_for(lambda: all_healthy(prometheus), "all rules are evaluated")
    assert sum(len(group["rules"]) for group in groups) == 10


def all_healthy(prometheus: str) -> bool:
    groups = get(f"{prometheus}/api/v1/rules")["data"]["groups"]
    return {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


def test_every_panel_of_the_dashboard_has_data(prometheus: str) -> None:
    """Each expression of the Grafana dashboard gives something for a host that has what it asks for."""
    for expression in EXPRESSIONS:
        asked = expression.replace("$__rate_interval", "4s")
        wait_for(
            lambda asked=asked: any(query(prometheus, asked.replace("$host", host)) for host in HOSTS),  # type: ignore[misc]
            expression,
        )


def test_the_dashboard_finds_the_hosts(prometheus: str) -> None:
    """What its variable asks for gives every host."""
    (asked,) = [one["query"]["query"] for one in DASHBOARD["templating"]["list"] if one["name"] == "host"]
    found = re.fullmatch(r"label_values\((\w+),(\w+)\)", asked)
    assert found is not None
    hosts = get(f"{prometheus}/api/v1/label/{found[2]}/values", **{"match[]": found[1]})["data"]
    assert set(HOSTS) <= set(hosts)


def test_a_host_that_is_killed_raises_the_alert(fleet: Fleet, prometheus: str) -> None:
    """Seconds after a real agent is killed Prometheus fires for its host, and for no other."""
    with fleet.agent("doomed") as agent:
        wait_for(lambda: fleet.state("doomed") == "live", "the host is live")
        assert firing(prometheus) == []
        agent.kill()
        alerts = wait_for(lambda: firing(prometheus), "the alert")
    assert [alert["labels"] for alert in alerts] == [
        {"alertname": "FleetglassHostLost", "host": "doomed", "severity": "critical"}
    ]
    assert alerts[0]["annotations"]["summary"] == "doomed is lost"


def firing(prometheus: str) -> list[dict[str, Any]]:
    alerts = get(f"{prometheus}/api/v1/alerts")["data"]["alerts"]
    return [
        alert for alert in alerts if alert["state"] == "firing" and alert["labels"].get("host") == "doomed"
    ]


def test_a_bridge_elsewhere_is_scraped_with_its_token(fleet: Fleet, tmp_path: Path) -> None:
    """Over TLS the right token gives values; with a wrong one the bridge is down and Prometheus says why."""
    authority = Authority(tmp_path)
    issued = authority.issue("bridge")
    (tmp_path / "token").write_text("the token\n")
    token = tmp_path / "fleetglass-token"
    token.write_text("the token\n")
    recipe(f"prometheus/{RULES}", tmp_path, {})
    port = free_port()
    places = {
        "fleet.example.org:8765": f"127.0.0.1:{port}",
        "fleetglass-ca.crt": str(authority.own.certificate),
    }
    configuration = recipe("prometheus/remote.yml", tmp_path, places | QUICK)
    bridge = Fleetglass(
        *("bridge", "--broker", fleet.broker.url, "--port", str(port), "--trusted-proxy"),
        *("--token-file", str(tmp_path / "token")),
        *("--cert", str(issued.certificate), "--key", str(issued.key)),
        home=tmp_path,
    )
    with bridge, serving(configuration) as prometheus:
        wait_for(lambda: query(prometheus, "fleetglass_hosts"), "values")
        token.write_text("another token\n")
        wait_for(lambda: is_refused(prometheus), "the refusal")


def is_refused(prometheus: str) -> bool:
    (target,) = get(f"{prometheus}/api/v1/targets")["data"]["activeTargets"]
    return target["health"] == "down" and "401" in target["lastError"]
