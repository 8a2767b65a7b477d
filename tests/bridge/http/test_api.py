"""HTTP as browsers, scrapers and scanners meet it."""

import json
import ssl
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from fleetglass.bridge.http import api as web
from fleetglass.bridge.viewers import viewer as viewer_module
from fleetglass.bridge.viewers import wrong_tokens as wrong_tokens_module
from fleetglass.fleet.expected_hosts import ExpectedHost
from support.bridge import publisher, pulse, running_bridge
from support.certificates import Authority
from support.mosquitto import Mosquitto

pytestmark = pytest.mark.broker

SECRET = "a secret of some length"
PROVED = {"X_Fleetglass_Proxy_Secret": SECRET}


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text("secret\n")
    return str(path)


@pytest.fixture
def behind_proxy(token_file: str) -> dict[str, Any]:
    """Give what a bridge is told whose proxy names users."""
    return {
        "trusted_proxy": True,
        "proxy_user_header": "X-Forwarded-User",
        "proxy_secret": SECRET,
        "token_file": token_file,
    }


@pytest.mark.parametrize("path", ["/", "/metrics"])
async def test_an_answer_has_the_coding_that_is_asked_for(
    mosquitto: Mosquitto, prefix: str, path: str
) -> None:
    """A weight of nothing is a no, of a page as of metrics."""
    async with running_bridge(mosquitto, prefix) as bridge:
        for asked, coding in {
            "gzip": "gzip",
            "br;q=1.0, GZIP;q=0.5": "gzip",
            "deflate,gzip": "gzip",
            "gzip;q=0": None,
            "gzip; q=0.000": None,
            "gzip ; Q=0": None,
            "x-gzip": None,
            "gzipped": None,
            "": None,
            "identity": None,
        }.items():
            _, body, headers = await bridge.get(path, Accept_Encoding=asked)
            assert headers.get("Content-Encoding") == coding, asked
            assert (body[:2] == b"\x1f\x8b") is (coding == "gzip")
            assert "Accept-Encoding" in headers["Vary"]


async def test_expected_hosts_are_listed(mosquitto: Mosquitto, prefix: str) -> None:
    """One that was not heard waits; one that was lost before the bridge came is lost."""
    hosts = (ExpectedHost("db-2", "Orders", ("db",), "Rack 3."), ExpectedHost("nas"))
    async with publisher(mosquitto) as agent:
        lost = '{"state":"lost","session":"a","time":1700000000}'
        await agent.publish(f"{prefix}/nas/status", lost, qos=1, retain=True)
        async with running_bridge(mosquitto, prefix, hosts=hosts) as bridge:
            await bridge.until_state("nas", "lost")
            expected = {"name": "Orders", "tags": ["db"], "notes": "Rack 3."}
            waiting = await bridge.host("db-2")
            assert waiting == {
                "id": "db-2", "state": "waiting", "since": waiting["since"], "expected": expected
            }  # fmt: skip
            assert waiting["since"] == pytest.approx(time.time(), abs=60)
            alone = json.loads((await bridge.get("/api/hosts/db-2"))[1])
            assert (alone["host"], alone["live"]) == (waiting, {})
            assert (await bridge.host("nas"))["expected"] == {}
            assert (await bridge.health())["hosts"] == {"lost": 1, "waiting": 1}
            await agent.publish(f"{prefix}/db-2/pulse", pulse(1))
            await bridge.until_state("db-2", "live")
            assert (await bridge.host("db-2"))["expected"] == expected


async def test_each_kind_of_file_is_kept_as_long_as_it_may(mosquitto: Mosquitto, prefix: str) -> None:
    """Modules are asked for anew, fonts kept a day, versioned folders for ever, data not at all."""
    async with running_bridge(mosquitto, prefix) as bridge:
        for path, rule in {
            "/": "no-cache",
            "/src/main.js": "no-cache",
            "/icon.svg": "public, max-age=86400",
            "/fonts/ibm-plex-sans-latin-400-normal.woff2": "public, max-age=86400",
            "/vendor/smoothie-1.36.1/smoothie.js": "public, max-age=31536000, immutable",
            "/api/hosts": "no-store",
            "/healthz": "no-store",
        }.items():
            status, _, headers = await bridge.get(path)
            assert (status, headers["Cache-Control"]) == (200, rule), path


async def test_a_file_that_is_known_is_not_sent_again(mosquitto: Mosquitto, prefix: str) -> None:
    """Whichever form of the tag comes back, also among others; another tag gets the file."""
    async with running_bridge(mosquitto, prefix) as bridge:
        etag = (await bridge.get("/src/main.js"))[2]["ETag"]
        for known in (etag, etag.removeprefix("W/"), f'"x", {etag}', "*"):
            status, body, headers = await bridge.get("/src/main.js", If_None_Match=known)
            assert (status, body, headers["ETag"]) == (304, b"", etag)
        for other in ('"x"', etag[:-2] + '"', ""):
            assert (await bridge.get("/src/main.js", If_None_Match=other))[0] == 200


async def test_every_answer_has_its_rules(mosquitto: Mosquitto, prefix: str) -> None:
    """Page, data and refusals alike; in clear there is no rule about TLS."""
    async with running_bridge(mosquitto, prefix) as bridge:
        for path in ("/", "/api/hosts", "/nothing", "/healthz"):
            headers = (await bridge.get(path))[2]
            assert "default-src 'self'" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "Strict-Transport-Security" not in headers
            assert "Server" not in headers
            head = await bridge.get(path, method="HEAD")
            assert (head[1], head[2].keys()) == (b"", headers.keys())


async def test_tls_at_its_own_port_is_kept_to(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, and only there, browsers are told to come by TLS alone from now on."""
    made = Authority(tmp_path).issue("page")
    tls = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    told: dict[str, Any] = {"tls": tls, "cert": str(made.certificate), "key": str(made.key)}
    async with running_bridge(mosquitto, prefix, **told) as bridge:
        assert "Strict-Transport-Security" not in (await bridge.get("/"))[2]
        monkeypatch.setattr(web, "_HTTPS_PORT", bridge.port)
        assert (await bridge.get("/"))[2]["Strict-Transport-Security"] == "max-age=31536000"


async def test_without_the_token_only_the_status_is_told(
    mosquitto: Mosquitto, prefix: str, token_file: str
) -> None:
    """A load balancer may ask whether the bridge is well; numbers and names are for viewers."""
    async with running_bridge(mosquitto, prefix, host="0.0.0.0", token_file=token_file) as bridge:
        assert await bridge.health() == {"status": "ok"}
        assert (await bridge.health(Authorization="Bearer secret"))["viewers"] == 0
        for path in ("/api/hosts", "/api/hosts/web-1", "/api/nothing"):
            assert (await bridge.get(path))[0] == 401
            assert (await bridge.get(path + "?token=secret"))[0] == 401


async def test_wrong_tokens_are_slowed_down_and_counted_and_the_right_one_is_not(
    mosquitto: Mosquitto, prefix: str, token_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTP and WebSocket each answer to a guess comes later; the owner waits for nothing."""
    delays: list[float] = []
    count = wrong_tokens_module.WrongTokens.count

    def counted(self: wrong_tokens_module.WrongTokens, address: str, now: float) -> float:
        delays.append(count(self, address, now))
        return 0.0

    monkeypatch.setattr(wrong_tokens_module.WrongTokens, "count", counted)
    async with running_bridge(mosquitto, prefix, host="0.0.0.0", token_file=token_file) as bridge:
        for _ in range(3):
            assert (await bridge.get("/api/hosts", Authorization="Bearer guess"))[0] == 401
        async with bridge.viewer(token="guess") as guesser:
            assert (await guesser.next("error"))["code"] == "bad_token"
        assert delays == [0.125, 0.25, 0.5, 1.0]
        async with bridge.viewer(token="secret") as viewer:
            await viewer.next("welcome")
        health = await bridge.health(Authorization="Bearer secret")
        assert (health["wrong_tokens"], health["refused"]) == (4, {"bad_token": 1})
        assert len(delays) == 4


async def test_a_new_token_shuts_out_who_came_with_the_old_one(
    mosquitto: Mosquitto, prefix: str, token_file: str
) -> None:
    """The running bridge notices, ends those viewers, and lets in the new token alone."""
    async with running_bridge(mosquitto, prefix, host="0.0.0.0", token_file=token_file) as bridge:
        async with bridge.viewer(token="secret") as viewer:
            await viewer.next("welcome")
            Path(token_file).write_text("another\n")  # noqa: ASYNC240 - a few bytes
            await viewer.connection.wait_closed()
            assert viewer.connection.close_code == 1008
            assert viewer.connection.close_reason == "the viewer token was replaced"
        async with bridge.viewer(token="secret") as viewer:
            assert (await viewer.next("error"))["code"] == "bad_token"
        async with bridge.viewer(token="another") as viewer:
            await viewer.next("welcome")


async def test_a_proxy_that_proves_itself_lets_in_whom_it_names(
    mosquitto: Mosquitto, prefix: str, behind_proxy: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A user needs no token and is named in the log; without one the token is asked for, also here."""
    caplog.set_level("DEBUG")
    named = PROVED | {"X_Forwarded_User": "ada", "X_Forwarded_For": "203.0.113.5"}
    async with running_bridge(mosquitto, prefix, **behind_proxy) as bridge:
        async with bridge.viewer(headers=named) as viewer:
            await viewer.next("welcome")
        async with bridge.viewer(headers=PROVED) as viewer:
            assert (await viewer.next("error"))["code"] == "bad_token"
        assert (await bridge.get("/api/hosts", **named))[0] == 200
        assert (await bridge.get("/api/hosts", **PROVED))[0] == 401
        assert (await bridge.get("/", X_Forwarded_Host="evil.example"))[0] == 403
    assert "viewer 'ada' at 203.0.113.5 connected, 1 now" in caplog.text
    of_bridge = [one.getMessage() for one in caplog.records if one.name.startswith("fleetglass")]
    assert not any(SECRET in line for line in of_bridge)


async def test_a_user_without_the_secret_is_nobody(
    mosquitto: Mosquitto, prefix: str, behind_proxy: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The token is asked for, over HTTP and WebSocket, and the log says so once."""
    async with running_bridge(mosquitto, prefix, **behind_proxy) as bridge:
        for _ in range(3):
            assert (await bridge.get("/api/hosts", X_Forwarded_User="mallory"))[0] == 401
        async with bridge.viewer(headers={"X_Forwarded_User": "mallory"}) as viewer:
            assert (await viewer.next("error"))["code"] == "bad_token"
        async with bridge.viewer(token="secret", headers={"X_Forwarded_User": "mallory"}) as viewer:
            await viewer.next("welcome")
    (line,) = [one.getMessage() for one in caplog.records if "proxy" in one.getMessage()]
    assert line.startswith(
        "a request from 127.0.0.1 names a user in X-Forwarded-User without the proxy's secret"
    )


async def test_a_wrong_secret_is_refused_counted_and_slowed_down(
    mosquitto: Mosquitto, prefix: str, behind_proxy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guessing it is as hard as guessing the token, and a proxy with an old one is told why."""
    monkeypatch.setattr(wrong_tokens_module, "FIRST_DELAY_SECONDS", 0.0)
    guess = {"X_Forwarded_User": "mallory", "X_Fleetglass_Proxy_Secret": "a guess of that length"}
    async with running_bridge(mosquitto, prefix, **behind_proxy) as bridge:
        status, body, _ = await bridge.get("/api/hosts", **guess)
        assert (status, body) == (
            403,
            b"X-Fleetglass-Proxy-Secret: expected the secret that the bridge was given\n",
        )
        assert (await bridge.get("/", **guess))[0] == 403
        with pytest.raises(InvalidStatus) as caught:
            async with bridge.connect(**guess):
                pass
        assert caught.value.response.status_code == 403
        assert (await bridge.health(Authorization="Bearer secret"))["wrong_tokens"] == 3


@pytest.mark.parametrize("name", ["X-Forwarded-User", "X-Fleetglass-Proxy-Secret"])
async def test_a_header_that_stands_twice_is_refused(
    mosquitto: Mosquitto, prefix: str, behind_proxy: dict[str, Any], name: str
) -> None:
    """A proxy that adds its own to that of a browser could mean either."""
    values = {"X-Forwarded-User": "ada", "X-Fleetglass-Proxy-Secret": SECRET}
    lines = [f"{key}: {value}" for key, value in [*values.items(), (name, values[name])]]
    request = "\r\n".join(["GET /api/hosts HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""])
    async with running_bridge(mosquitto, prefix, **behind_proxy) as bridge:
        assert (await bridge.raw(request.encode())).startswith(b"HTTP/1.1 400 ")


async def test_over_the_unix_socket_the_proxy_names_users_without_a_secret(
    mosquitto: Mosquitto, prefix: str, token_file: str, tmp_path: Path
) -> None:
    """The program that may open the socket is the proxy; with a secret it must send that as well."""
    told: dict[str, Any] = {"socket": str(tmp_path / "s"), "token_file": token_file}
    told["proxy_user_header"] = "X-Forwarded-User"
    async with running_bridge(mosquitto, prefix, **told) as bridge:
        assert (await bridge.get("/api/hosts", X_Forwarded_User="ada"))[0] == 200
        assert (await bridge.get("/api/hosts"))[0] == 401
    async with running_bridge(mosquitto, prefix, **told, proxy_secret=SECRET) as bridge:
        assert (await bridge.get("/api/hosts", X_Forwarded_User="ada"))[0] == 401
        assert (await bridge.get("/api/hosts", X_Forwarded_User="ada", **PROVED))[0] == 200


@pytest.mark.parametrize("told", [{"host": "0.0.0.0"}, {"trusted_proxy": True}])
async def test_without_a_header_for_users_a_named_user_is_nobody(
    mosquitto: Mosquitto, prefix: str, token_file: str, told: dict[str, Any]
) -> None:
    """What anybody may send counts for nothing, also where a proxy is believed in other things."""
    named = {"X_Forwarded_User": "eve", "X_Forwarded_For": "203.0.113.7"}
    async with running_bridge(mosquitto, prefix, **told, token_file=token_file) as bridge:
        assert (await bridge.get("/api/hosts", **named))[0] == 401
        async with bridge.viewer(headers=named) as viewer:
            assert (await viewer.next("error"))["code"] == "bad_token"


async def test_a_proxy_that_nobody_announced_is_told_once(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind it the whole world looks like this machine, which needs no token."""
    async with running_bridge(mosquitto, prefix) as bridge:
        for _ in range(3):
            assert (await bridge.get("/", X_Forwarded_For="203.0.113.5"))[0] == 200
    assert len([one for one in caplog.records if "trusted_proxy" in one.getMessage()]) == 1


async def test_viewers_come_and_go_in_the_log_and_their_token_does_not(
    mosquitto: Mosquitto, prefix: str, token_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each with its address and how many there are now."""
    caplog.set_level("DEBUG")
    async with running_bridge(mosquitto, prefix, host="0.0.0.0", token_file=token_file) as bridge:
        async with bridge.viewer(token="secret") as viewer:
            await viewer.next("welcome")
            async with bridge.viewer(token="secret") as second:
                await second.next("welcome")
        await bridge.get("/api/hosts", Authorization="Bearer secret")
    said = [
        record.getMessage() for record in caplog.records if record.name == "fleetglass.bridge.viewers.viewer"
    ]
    assert said == [
        "viewer 127.0.0.1 connected, 1 now",
        "viewer 127.0.0.1 connected, 2 now",
        "viewer 127.0.0.1 left, 1 now",
        "viewer 127.0.0.1 left, 0 now",
    ]
    of_bridge = [one.getMessage() for one in caplog.records if one.name.startswith("fleetglass")]
    assert not any("secret" in line for line in of_bridge)


async def test_viewers_that_come_and_go_without_end_do_not_fill_the_log(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many lines are written, and later one says how many were left out."""
    caplog.set_level("INFO")
    now = 1000.0
    monkeypatch.setattr(viewer_module, "time", SimpleNamespace(time=time.time, monotonic=lambda: now))
    monkeypatch.setattr(viewer_module, "LOG_LINES_AT_ONCE", 4)
    async with running_bridge(mosquitto, prefix) as bridge:
        for _ in range(5):
            async with bridge.viewer() as viewer:
                await viewer.next("welcome")
            await bridge.until_health(lambda health: health["viewers"] == 0, "it left")
        now += 1.0
        async with bridge.viewer() as viewer:
            await viewer.next("welcome")
    said = [
        record.getMessage() for record in caplog.records if record.name == "fleetglass.bridge.viewers.viewer"
    ]
    assert said[4:] == [
        "viewers came and went: 6 more lines were left out",
        "viewer 127.0.0.1 connected, 1 now",
    ]


async def test_the_data_is_json(mosquitto: Mosquitto, prefix: str) -> None:
    """And says so."""
    async with running_bridge(mosquitto, prefix) as bridge:
        _, body, headers = await bridge.get("/api/hosts")
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body)["hosts"] == []


async def test_a_proxy_that_does_not_pass_on_the_host_is_named_in_the_log(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A browser hides from the page why it stays empty; the log says it once for each origin."""
    async with running_bridge(mosquitto, prefix) as bridge:
        origins = ["https://fleet.example", "https://fleet.example", "http://127.0.0.1:1", "http://localhost"]
        for origin in (*origins, *(f"https://{number}.example" for number in range(30))):
            with pytest.raises(InvalidStatus, match="403"):
                async with bridge.connect(Origin=origin):
                    pass
    lines = [line for line in caplog.messages if "Origin and Host differ" in line]
    assert len(lines) == 20
    assert lines[0].startswith(
        "refused the WebSocket to a page from 'https://fleet.example': Origin and Host differ, got Host '127"
    )
    assert "proxy_set_header Host $http_host" in lines[0]
    assert "--allowed-origin" in lines[0]
    assert "'http://127.0.0.1:1'" in lines[1]
