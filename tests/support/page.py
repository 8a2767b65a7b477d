"""The page alone: its folder behind a plain server, and a bridge that is only pretended."""

import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from fleetglass.bridge.http.api import CONTENT_SECURITY_POLICY
from fleetglass.bridge.page.files import Asset, read_page
from fleetglass.wire.protocol import INFO_OF_WATCHED
from support.samples import MadeUpHost, Payload
from support.waiting import wait_for

DASHBOARD = Path(__file__).parents[2] / "dashboard"


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Sends the files as the bridge does, and single modules to tests that import them."""

    protocol_version = "HTTP/1.1"  # one connection for many files

    def __init__(self, *given: Any, page: dict[str, Asset]) -> None:
        self._page = page
        super().__init__(*given, directory=str(DASHBOARD))

    def do_GET(self) -> None:
        asset = self._page.get(self.path)
        if asset is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", asset.content_type)
        self.send_header("Content-Length", str(len(asset.body)))
        self.end_headers()
        self.wfile.write(asset.body)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve_dashboard() -> Iterator[str]:
    """Serve the page on a free port of 127.0.0.1 and give its address."""
    handler = functools.partial(_Handler, page=read_page())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass  # no slots: Playwright keeps notes on the object whose method it calls
class FakeBridge:
    """Answers the page as a bridge would, and sends what a test tells it to."""

    now: float
    hosts: list[MadeUpHost] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    """Of hosts that are not live."""
    expected: dict[str, Payload] = field(default_factory=dict)
    """What the list of expected hosts says, by host id."""
    refuse: bool = False
    frozen: bool = False
    """Connected, and answering nothing."""
    history: bool = True
    version: str = "0.1.0"
    token: str | None = None
    """The one that it wants, where it wants one."""
    answers_pings: bool = True
    received: list[Payload] = field(default_factory=list)
    connections: int = 0
    pulses: dict[str, Payload] = field(default_factory=dict)
    """Instead of the usual ones."""
    _page: Page | None = None
    _date: float = 0.0
    """Of the page."""
    _route: WebSocketRoute | None = None
    _watch: Payload = field(default_factory=dict)

    def attach(self, page: Page) -> None:
        """Take the page's WebSocket, and its date, which `pass_time` and `tick` change; its timers run."""
        self._page = page
        self._date = self.now
        page.clock.set_fixed_time(self._date)
        page.route_web_socket("**/ws", self._connect)

    def send(self, kind: str, **fields: Any) -> None:
        """Send one message to the page."""
        self.send_text(json.dumps({"type": kind, **fields}))

    def send_text(self, text: str) -> None:
        """Send one frame, whatever it is."""
        assert self._route is not None
        self._route.send(text)

    def tick(self, seconds: float = 1) -> None:
        """Let a second pass: pulses and live samples, as far as they are watched."""
        self.pass_time(seconds)
        heard = [host for host in self.hosts if self._state(host) == "live"]
        if self._watch.get("fleet"):
            self.send("pulse", time=self.now, hosts={host.id: self._pulse(host) for host in heard})
        for host in heard:
            if samples := _chosen(host.live(self.now), self._watch.get("hosts", {}).get(host.id, [])):
                self.send("live", host=host.id, samples=samples)

    def pass_time(self, seconds: float) -> None:
        """Let time pass here and in the page, in which nothing is sent."""
        self.now += seconds
        self._date += seconds
        if self._page is not None:
            self._page.clock.set_fixed_time(self._date)

    def stop_time(self) -> None:
        """Let two seconds pass in the page, and then only what a test runs of its clock, timers included."""
        assert self._page is not None
        self._page.clock.set_system_time(self._date)
        self._page.clock.pause_at(self._date + 2)
        self.now += 2
        self._page = None

    def set_state(self, host_id: str, state: str) -> None:
        """Change a host's state and say so."""
        self.states[host_id] = state
        self.send("host", id=host_id, state=state, since=self.now, **self._expectation(host_id))

    def cut(self, code: int = 1001) -> None:
        """Close the connection."""
        assert self._route is not None
        self._route.close(code=code)
        self._route = None

    def messages(self, kind: str) -> list[Payload]:
        """Return what the page sent of this type."""
        return [message for message in self.received if message["type"] == kind]

    def _connect(self, route: WebSocketRoute) -> None:
        self.connections += 1
        if self.refuse:
            route.close(code=1013)
            return
        self._route = route
        self._watch = {}
        route.on_message(self._receive)

    def _receive(self, text: str | bytes) -> None:
        message = json.loads(text)
        self.received.append(message)
        if self.frozen:
            return
        if message["type"] == "hello" and self.token not in (None, message.get("token")):
            self.send("error", code="bad_token", text="expected the viewer token")
            self.cut(1008)
        elif message["type"] == "hello":
            self._welcome()
        elif message["type"] == "ping" and self.answers_pings:
            self.send("pong", id=message["id"], time=self.now)
        elif message["type"] == "watch":
            self._answer_watch(message)

    def _welcome(self) -> None:
        limits = {"message_bytes": 16384, "hosts": 64, "history_seconds": 900}
        self.send(
            "welcome",
            protocol=1,
            version=self.version,
            time=self.now,
            broker="connected",
            broker_since=self.now - 60,
            viewers=1,
            limits=limits,
        )
        self.send("fleet", time=self.now, hosts=[self._entry(host) for host in self.hosts])

    def _answer_watch(self, message: Payload) -> None:
        before, self._watch = self._watch, message
        for host in self.hosts:
            if host.id not in message["hosts"] or self._state(host) == "waiting":
                continue
            groups, groups_before = message["hosts"][host.id], before.get("hosts", {}).get(host.id)
            if groups and not groups_before:
                self.send(
                    "host",
                    id=host.id,
                    state=self._state(host),
                    since=self.now - 30,
                    info=host.info(self.now),
                    **self._expectation(host.id),
                )
            if not self.history or groups == groups_before:
                continue
            seconds = int(message["history"])
            if groups:
                past = host.history(self.now, seconds)
                wanted = _chosen(past, groups) | {"pulse": past["pulse"]}
            else:
                wanted = {"pulse": host.past_pulses(self.now, seconds)}
            self.send("history", host=host.id, samples=wanted)

    def _entry(self, host: MadeUpHost) -> Payload:
        state = self._state(host)
        entry: Payload = {"id": host.id, "state": state, "since": self.now - 30, **self._expectation(host.id)}
        if state != "waiting":
            info = {name: value for name, value in host.info(self.now).items() if name not in INFO_OF_WATCHED}
            entry |= {"info": info, "pulse": self._pulse(host)}
        return entry

    def _expectation(self, host_id: str) -> Payload:
        return {"expected": self.expected[host_id]} if host_id in self.expected else {}

    def _state(self, host: MadeUpHost) -> str:
        return self.states.get(host.id, "live")

    def _pulse(self, host: MadeUpHost) -> Payload:
        return self.pulses.get(host.id) or host.pulse(self.now)


def run_until(page: Page, condition: Callable[[], bool], what: str, *, milliseconds: int = 100) -> None:
    """Let time pass in a page whose time is stopped, so much at once, until something is so."""

    def is_so() -> bool:
        page.clock.run_for(milliseconds)
        return condition()

    wait_for(is_so, what)


def change_host(page: Page, host: str) -> None:
    """Go to a host in a page whose clock is in the test's hands, and wait until its figures are there."""
    page.evaluate("(host) => { location.hash = `#/host/${host}` }", host)
    shows = f"""document.querySelector("h1")?.textContent === {host!r}
        && document.querySelector('[data-panel="cpu"] dd')?.textContent.includes("%")"""

    run_until(page, lambda: bool(page.evaluate(shows)), f"{host} is shown")
    page.clock.run_for(200)


def _chosen(samples: Payload, groups: list[str] | str) -> Payload:
    return samples if groups == "*" else {name: one for name, one in samples.items() if name in groups}
