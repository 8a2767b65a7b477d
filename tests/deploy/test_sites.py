"""The recipe of `deploy/sites/` in real mosquittos: two sites with their agents, a centre with a bridge."""

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
import yaml

from fleetglass.fleet import presence
from support.bridge import Bridge, publisher, running_bridge
from support.certificates import Authority
from support.faulty_proxy import FaultyProxy
from support.home_assistant import running_home_assistant
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import REPOSITORY, Fleetglass
from support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.broker

RECIPE = REPOSITORY / "deploy" / "sites"
SITES = ("fleet/paris", "fleet/lyon")
KEEPALIVE_SECONDS = 5
"""The least that mosquitto takes."""
GRACE_SECONDS = 2.0


class Centre(Mosquitto):
    """The broker of the centre: TLS, users and rules for sites, and in clear for its own bridge."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        if shutil.which("mosquitto_passwd") is None:
            pytest.skip("needs mosquitto_passwd: apt-get install mosquitto")
        self.tls_port = free_port()
        certificate, key = authority.issue("centre")
        users, rules = folder / "users", folder / "rules"
        users.write_text("paris:secret\nlyon:secret\n")
        subprocess.run(["mosquitto_passwd", "-U", str(users)], check=True)
        # Who comes in clear has no name, and may do here what the recipe lets the bridge do.
        rules.write_text("topic readwrite fleet/#\n" + (RECIPE / "centre.rules").read_text())
        # mosquitto reads them as who it becomes when root starts it.
        for file in (users, rules, certificate, key):
            file.chmod(0o644)
        super().__init__(
            folder,
            *("user root", f"password_file {users}", f"acl_file {rules}"),
            *(f"listener {self.tls_port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}"),
        )


class Site(Mosquitto):
    """The broker of a site, which reaches the centre on a port of this machine."""

    def __init__(
        self, name: str, folder: Path, centre_port: int, authority: Authority, *, full: bool
    ) -> None:
        folder.mkdir()
        text = (RECIPE / "site.conf").read_text()
        for old, new in (
            ("centre.example.org:8883", f"127.0.0.1:{centre_port}"),
            ("/etc/mosquitto/certs/centre-ca.crt", str(authority.own.certificate)),
            ("CHANGE-ME", "secret"),
            ("keepalive_interval 10", f"keepalive_interval {KEEPALIVE_SECONDS}"),
        ):
            assert old in text, f"the recipe no longer says {old}"
            text = text.replace(old, new)
        if full:
            text = text.replace("#topic ", "topic ")
        super().__init__(
            folder,
            *("user root", "persistence true", f"persistence_location {folder}/"),
            *text.replace("paris", name).splitlines(),
        )


class Scene:
    """Two sites, each with two hosts, and a bridge at the centre."""

    def __init__(
        self,
        centre: Centre,
        bridge: Bridge,
        cable: FaultyProxy,
        paris: Site,
        agents: dict[str, Fleetglass],
    ) -> None:
        self.centre = centre
        self.bridge = bridge
        self.cable = cable
        self.paris = paris
        self.agents = agents

    async def states(self) -> dict[str, str]:
        """Return the state of each host."""
        told = json.loads((await self.bridge.get("/api/hosts"))[1])["hosts"]
        return {entry["id"]: entry["state"] for entry in told}

    async def sites_away(self) -> dict[str, float]:
        """Return the sites that are cut off, and since when."""
        away: dict[str, float] = json.loads((await self.bridge.get("/api/hosts"))[1])["broker"]["sites_away"]
        return away

    async def until_states(self, **expected: str) -> None:
        """Wait until hosts are in these states."""

        async def are_there() -> bool:
            states = await self.states()
            return all(states.get(host.replace("_", "-")) == state for host, state in expected.items())

        await wait_until(are_there, str(expected))


@asynccontextmanager
async def staged(folder: Path, *, full: bool = False) -> AsyncIterator[Scene]:
    """Run it all, and give it when every host is live."""
    authority = Authority(folder)
    async with AsyncExitStack() as stack:
        centre = Centre(folder, authority).start()
        stack.callback(centre.kill)
        cable = await stack.enter_async_context(FaultyProxy(centre.tls_port))
        sites, agents = {}, {}
        for name, port in (("paris", cable.port), ("lyon", centre.tls_port)):
            site = Site(name, folder / name, port, authority, full=full).start()
            stack.callback(site.kill)
            sites[name] = site
            for host in (f"{name}-1", f"{name}-2"):
                arguments = ("--broker", site.url, "--host-id", host, "--no-home-assistant", "--demand")
                agents[host] = stack.enter_context(Fleetglass("agent", *arguments, home=folder))
        bridge = await stack.enter_async_context(running_bridge(centre, *SITES))
        scene = Scene(centre, bridge, cable, sites["paris"], agents)
        await scene.until_states(**{host.replace("-", "_"): "live" for host in agents})
        yield scene


async def test_the_end_of_a_sites_broker(tmp_path: Path) -> None:
    """Its hosts are late and never lost, other sites untouched; then the gap has every pulse."""
    async with staged(tmp_path) as scene, scene.bridge.viewer() as viewer:
        scene.paris.kill()
        await scene.until_states(paris_1="late", paris_2="late")
        told = await viewer.next("broker", state="connected")
        assert [*told["sites_away"]] == ["fleet/paris"]
        assert await scene.sites_away() == told["sites_away"]
        states = await scene.states()
        assert (states["lyon-1"], states["lyon-2"]) == ("live", "live")
        scene.paris.start()
        await scene.until_states(paris_1="live", paris_2="live")
        assert await scene.sites_away() == {}

        async def is_whole() -> bool:
            ticks = await scene.bridge.ticks("paris-1")
            return len(ticks) > 3 and ticks == list(range(ticks[0], ticks[-1] + 1))

        await wait_until(is_whole, "the pulses of the gap")
        await viewer.send(type="ping", id=1)
        await viewer.next("pong")
        assert "lost" not in viewer.states()
        changed = [one for one in viewer.received if one["type"] == "host" and one["state"] != "live"]
        assert {one["id"] for one in changed} == {"paris-1", "paris-2"}


async def test_a_silent_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hosts are late; after the return who died is lost, the others live, and nothing old is new."""
    monkeypatch.setattr(presence, "GRACE_SECONDS", GRACE_SECONDS)
    async with staged(tmp_path) as scene, scene.bridge.viewer() as viewer:
        scene.cable.set("stall")
        await scene.until_states(paris_1="late", paris_2="late")
        last = (await scene.bridge.ticks("paris-1"))[-1]
        scene.agents["paris-2"].kill()
        await wait_until(scene.sites_away, "the site is named")
        assert (await scene.states())["paris-2"] == "late"
        async with publisher(scene.centre) as witness:
            await witness.subscribe("fleet/paris/kept-1/#", qos=1)
            async with publisher(scene.paris) as agent:
                await agent.publish("fleet/kept-1/pulse", b"of a second that is over")
                await agent.publish("fleet/kept-1/backfill", b"to be kept", qos=1)
            scene.cable.set("cut")
            scene.cable.set("none")
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert (await anext(aiter(witness.messages))).payload == b"to be kept"
        await scene.until_states(paris_1="live")
        assert (await scene.states())["paris-2"] == "late"
        await scene.until_states(paris_2="lost")
        ticks = await scene.bridge.ticks("paris-1")
        after = next(tick for tick in ticks if tick > last)
        assert after > last + KEEPALIVE_SECONDS
        await viewer.send(type="ping", id=1)
        await viewer.next("pong")
        assert [one["id"] for one in viewer.received if one.get("state") == "lost"] == ["paris-2"]


async def test_a_site_writes_its_own_topics_only(tmp_path: Path) -> None:
    """Of what the user of a site publishes elsewhere nothing arrives, nor may it read what is not its own."""
    authority = Authority(tmp_path)
    centre = Centre(tmp_path, authority).start()
    tls = ssl.create_default_context(cafile=str(authority.own.certificate))

    def user(name: str, password: str = "secret") -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", centre.tls_port, tls_context=tls, username=name, password=password)

    seen: list[str] = []
    try:
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed"):
            async with user("paris", "wrong"):
                pass
        async with (
            aiomqtt.Client("127.0.0.1", centre.port) as witness,
            user("paris") as paris,
            user("lyon") as lyon,
        ):
            await witness.subscribe("#")
            await paris.subscribe("#")
            for topic in ("lyon/web-1/status", "lyon/site", "web-1/info", "paris/web-1/info", "paris/site"):
                await paris.publish(f"fleet/{topic}", b"x", qos=1)
            await paris.publish("homeassistant/device/web-1/config", b"x", qos=1)
            await lyon.publish("fleet/lyon/site", b"last", qos=1)
            async with asyncio.timeout(PATIENCE_SECONDS):
                async for message in witness.messages:
                    seen.append(str(message.topic))
                    if message.payload == b"last":
                        break
            assert seen == ["fleet/paris/web-1/info", "fleet/paris/site", "fleet/lyon/site"]
            await witness.publish("fleet/lyon/web-1/demand", b"not his", qos=1)
            await witness.publish("fleet/paris/web-1/demand", b"his", qos=1)
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert (await anext(aiter(paris.messages))).payload == b"his"
    finally:
        centre.kill()


async def test_full_brings_every_group_and_takes_leases_down(tmp_path: Path) -> None:
    """With the two lines more, a viewer at the centre sees a host's groups, the costly ones every second."""
    async with (
        staged(tmp_path, full=True) as scene,
        scene.bridge.viewer(hosts={"paris-1": "*"}) as viewer,
    ):
        groups: set[str] = set()
        ticks = [-10, 0]
        while not {"cpu", "memory"} <= groups or ticks[-1] - ticks[-2] > 2:
            samples = (await viewer.next("live", host="paris-1"))["samples"]
            groups |= set(samples)
            if process := samples.get("process"):
                ticks.append(process["tick"])


@pytest.mark.home_assistant
@pytest.mark.slow  # Home Assistant takes 500 MB
async def test_what_home_assistant_at_the_centre_shows(own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    """By the README's lines a host is available only while both it and its site say so."""
    text = (RECIPE / "README.md").read_text()
    configuration = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])["mqtt"]
    kept = {
        "fleet/paris/site": "1",
        "fleet/paris/web-1/status": '{"state":"online","session":"a","time":1}',
        "fleet/paris/web-1/summary": '{"time":1,"tick":1,"cpu_percent":12.3}',
    }
    for platform, entities in configuration.items():
        for one in entities:
            kept[f"homeassistant/{platform}/{one['unique_id']}/config"] = json.dumps(one)
    async with publisher(own_mosquitto) as client:
        for topic, payload in kept.items():
            await client.publish(topic, payload, qos=1, retain=True)
        with running_home_assistant(own_mosquitto.port, tmp_path) as core:

            async def shows(site: str, cpu: str) -> None:
                def is_so() -> bool:
                    entities = core.look()["entities"]
                    found = [entities.get(name, {}).get("state") for name in _UNIQUE_IDS]
                    return found == [site, cpu]

                await wait_until(is_so, f"the site is {site} and the CPU {cpu}")

            await shows("on", "12")
            await client.publish("fleet/paris/site", "0", qos=1, retain=True)
            await shows("off", "unavailable")
            await client.publish("fleet/paris/site", "1", qos=1, retain=True)
            await shows("on", "12")
            assert core.look()["warnings"] == []


_UNIQUE_IDS = ("fleetglass_site_paris", "fleetglass_paris_web-1_cpu")
