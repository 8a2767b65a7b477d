import json
import urllib.request
from pathlib import Path

import pytest

from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.secured_broker import MOSQUITTO_PROGRAMS, seconds_until, secured_broker
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
            wait_for(lambda: "refuses this agent: not authorized" in first.output, "the agent says why")
            # Its will is no more allowed than the rest, so that only its silence shows.
            assert seconds_until(lambda: states()["web-1"] == "late", "the end of web-1") < 8
            assert states()["web-2"] == "live"
