"""The recipes for VictoriaMetrics and InfluxDB, in the real programs, with a real bridge and agents."""

import itertools
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.test_prometheus import EXPRESSIONS
from support.consumers import DEPLOY, HOSTS, Fleet, answers, find, get, query, recipe, running
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import REPOSITORY, Fleetglass
from support.secured_broker import SecuredBroker
from support.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.broker

RECIPE = (DEPLOY / "influxdb" / "README.md").read_text()
INFLUXDB = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
"""


@pytest.fixture(scope="module")
def victoria_metrics(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a VictoriaMetrics that scrapes the fleet as the recipe says."""
    folder = tmp_path_factory.mktemp("victoria-metrics")
    bridge = f"127.0.0.1:{fleet.bridge_port}"
    places = {"127.0.0.1:8765": bridge, "scrape_interval: 15s": "scrape_interval: 1s"}
    configuration = recipe("victoria-metrics/scrape.yml", folder, places)
    address = f"127.0.0.1:{free_port()}"
    with running(
        find("victoria-metrics", "victoria-metrics"),
        *(f"-promscrape.config={configuration}", "-promscrape.config.strictParse", "-storageDataPath=data"),
        # What is new is hidden for half a minute, which a test need not wait for.
        *(f"-httpListenAddr={address}", "-search.latencyOffset=0s", "-memory.allowedBytes=100MB"),
        folder=folder,
        ready=lambda: answers(f"http://{address}/health"),
    ):
        yield f"http://{address}"


@pytest.fixture(scope="module")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an InfluxDB with an empty database `fleet`."""
    folder = tmp_path_factory.mktemp("influxdb")
    port = free_port()
    configuration = folder / "influxdb.conf"
    configuration.write_text(INFLUXDB.format(folder=folder, port=port, rpc=free_port()))
    base = f"http://127.0.0.1:{port}"
    with running(
        *(find("influxd", "influxdb"), "-config", configuration),
        folder=folder,
        ready=lambda: answers(f"{base}/ping"),
    ):
        create_database(base, "fleet")
        yield base


def create_database(base: str, name: str) -> None:
    query = f"q=CREATE DATABASE {name}".encode()
    urllib.request.urlopen(f"{base}/query", data=query, timeout=PATIENCE_SECONDS).close()


@contextmanager
def writer(broker: str, address: str, folder: Path, *options: str, password: str = "") -> Iterator[Path]:
    """Run the example that writes pulses, and give its log."""
    log = folder / "writer.log"
    command = (sys.executable, "-u", "-W", "error", str(REPOSITORY / "examples" / "influxdb.py"))
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--broker", broker, "--influxdb", address, *options],
            stdout=output,
            stderr=output,
            env=os.environ | {"FLEETGLASS_PASSWORD": password},
        ) as process,
    ):
        try:
            yield log
        finally:
            process.terminate()


def test_victoria_metrics_scrapes_the_bridge(victoria_metrics: str) -> None:
    """It has the values of every host, and what the Grafana dashboard asks of Prometheus it answers, too."""
    name = "fleetglass_host_memory_percent"
    wait_for(lambda: {one["metric"]["host"] for one in query(victoria_metrics, name)} == set(HOSTS), name)
    for expression in EXPRESSIONS:
        asked = expression.replace("$__rate_interval", "4s")
        wait_for(
            lambda asked=asked: any(query(victoria_metrics, asked.replace("$host", host)) for host in HOSTS),  # type: ignore[misc]
            expression,
        )


def test_victoria_metrics_takes_pulses_as_influxdb_does(
    fleet: Fleet, victoria_metrics: str, tmp_path: Path
) -> None:
    """The example writes to it as well: each pulse at its own time, under the name of its field."""
    with writer(fleet.broker.url, f"{victoria_metrics}/write?db=fleet", tmp_path) as log:
        wait_for(lambda: query(victoria_metrics, 'pulse_memory_percent{host="web-1"}'), "a pulse")
        assert log.read_text() == ""


def test_no_pulse_of_an_outage_is_missing_in_influxdb(influxdb: str, tmp_path: Path) -> None:
    """While the broker is away pulses are kept by the agent, and are in the database afterwards."""
    broker = Mosquitto(tmp_path).start()
    agent = Fleetglass(
        *("agent", "--broker", broker.url, "--host-id", "web-1", "--interval", "0.5"), home=tmp_path
    )
    try:
        with agent, writer(broker.url, f"{influxdb}/write?db=fleet", tmp_path) as log:
            wait_for(lambda: len(times(influxdb)) > 2, "pulses")
            broker.kill()
            before = times(influxdb)[-1]
            away = time.monotonic()
            wait_for(lambda: time.monotonic() - away > 3, "the outage")
            broker.start()
            wait_for(lambda: times(influxdb)[-1] > before + 4000, "pulses after the outage")
            [line] = log.read_text().splitlines()
            assert line.startswith(f"broker {broker.url}: connection lost (")
    finally:
        broker.kill()
    told = times(influxdb)
    steps = [later - earlier for earlier, later in itertools.pairwise(told)]
    assert max(steps) < 2000, steps  # a busy machine may miss a tick
    series = get(f"{influxdb}/query", db="fleet", q="SHOW FIELD KEYS")["results"][0]["series"]
    fields = {name for name, _ in series[0]["values"]}
    assert {"cpu_percent", "memory_percent", "network_receive_bytes_per_second"} <= fields
    assert fields & {"time", "tick", "session", "core_percents"} == set()


def test_a_secured_broker_is_read_with_its_password(
    influxdb: str, secured: SecuredBroker, tmp_path: Path
) -> None:
    """By TLS a reader's password gives pulses, taken as the recipe takes it; another one is told of."""
    create_database(influxdb, "secured")
    (asked,) = re.findall(r"FLEETGLASS_PASSWORD=\$\((sed .+)\) ", RECIPE)
    password = subprocess.check_output(["sh", "-c", asked], cwd=secured.folder, text=True).strip()
    url = f"mqtts://reader.influxdb@127.0.0.1:{secured.port}"
    options = ("--ca-file", str(secured.folder / "ca.crt"))
    address = f"{influxdb}/write?db=secured"
    with (
        Fleetglass("agent", "--config", str(secured.folder / "hosts" / "web-1.yaml"), home=tmp_path),
        writer(url, address, tmp_path, *options, password=password) as log,
    ):
        wait_for(lambda: times(influxdb, "secured"), "a pulse")
        assert log.read_text() == ""
    with writer(url, address, tmp_path, *options, password="another") as log:
        refusal = f"broker {url} refuses this client: not authorized"
        wait_for(lambda: refusal in log.read_text(), "the refusal")


def times(influxdb: str, database: str = "fleet") -> list[int]:
    """Return when the pulses of `web-1` that are in a database were, in milliseconds."""
    asked = "SELECT memory_percent FROM pulse WHERE host = 'web-1'"
    (result,) = get(f"{influxdb}/query", db=database, epoch="ms", q=asked)["results"]
    return [time for time, _ in result["series"][0]["values"]] if "series" in result else []
