"""The bridge as a whole: wires its parts together and runs them until told to stop."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fleetglass.bridge.http.api import Web
from fleetglass.bridge.http.certificate import Certificate
from fleetglass.bridge.http.connections import Connections
from fleetglass.bridge.http.listener import listening
from fleetglass.bridge.loop_lag import LoopLag
from fleetglass.bridge.page.files import read_page
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewers.access import Access, needs_token
from fleetglass.bridge.viewers.token import page_address, read_or_make_token, token_path, viewer_link
from fleetglass.bridge.viewers.viewer import Viewers
from fleetglass.bridge.viewers.wrong_tokens import WrongTokens
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import History
from fleetglass.mqtt.daemon_executor import DaemonExecutor
from fleetglass.mqtt.feed import Feed
from fleetglass.wire import Topics
from fleetglass.wire.errors import BridgeError, CertificateError
from fleetglass.wire.version import VERSION

ADVANCE_SECONDS = 0.25
PULSE_SECONDS = 1.0
DELIVERY_SECONDS = 5.0
PROGRESS_SECONDS = 1.0
REFRESH_SECONDS = 1.0

Progress = Callable[[str | None], None]

_log = logging.getLogger(__name__)


def run(settings: BridgeSettings, *, progress: Progress = lambda _: None) -> None:
    """Run a bridge until SIGINT or SIGTERM.

    `progress` is told once per second, by the event loop that serves the viewers, in one line what the
    bridge is doing, and None when it begins to end.

    Raises:
        BridgeError: it cannot run.
    """
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_run_until_signal(settings, progress))


async def serve_until(
    settings: BridgeSettings, stop: asyncio.Event, *, progress: Progress = lambda _: None
) -> None:
    """Run a bridge until `stop` is set; `progress` is as for `run`.

    Raises:
        BridgeError: it cannot run.
    """
    relay = Relay(
        tuple(Topics(prefix) for prefix in settings.prefixes),
        history=History(settings.history_bytes),
        history_all_hosts=settings.history_all_hosts,
    )
    try:
        feed = Feed(
            settings.broker,
            relay.fleet_filters(),
            relay.inbox,
            relay.on_connected,
            name="fleetglass-bridge",
        )
    except CertificateError as error:
        raise BridgeError(str(error)) from error
    relay.on_wanted = feed.want
    relay.on_say = feed.say
    token, is_new = read_or_make_token(settings) if needs_token(settings) else (None, False)
    access = Access(settings, token, token_path(settings) if token else None)
    certificate = Certificate(settings.cert, settings.key) if settings.cert else None
    connections, wrong_tokens = Connections(), WrongTokens()
    viewers = Viewers(relay, access, connections, wrong_tokens, VERSION)
    lag = LoopLag()
    web = Web(
        settings,
        relay,
        access=access,
        assets=read_page(),
        connections=connections,
        wrong_tokens=wrong_tokens,
        counts=viewers.counts,
        lag=lag,
        version=VERSION,
    )
    async with (
        listening(
            settings, connections, certificate, handler=viewers.serve, process_request=web.process_request
        ),
        asyncio.TaskGroup() as tasks,
    ):
        _log.info("serving %s", page_address(settings))
        if is_new and token is not None:
            _log.warning("viewer link, shown once: %s", viewer_link(settings, token))

        async def refresh() -> None:
            if certificate is not None:
                certificate.refresh()
            if access.refresh():
                await viewers.expel()

        progress(_doing(settings, relay, feed))
        running = [
            tasks.create_task(feed.run(), name="broker feed"),
            tasks.create_task(_every(ADVANCE_SECONDS, relay.advance), name="advance"),
            tasks.create_task(_every(PULSE_SECONDS, relay.send_pulses), name="fleet frames"),
            tasks.create_task(lag.watch(), name="event loop lag"),
            tasks.create_task(_every(DELIVERY_SECONDS, relay.send_deliveries), name="delivery"),
            tasks.create_task(
                _every(PROGRESS_SECONDS, lambda: progress(_doing(settings, relay, feed))), name="progress"
            ),
            tasks.create_task(_every(REFRESH_SECONDS, refresh), name="token and certificate"),
        ]
        await stop.wait()
        progress(None)
        for task in running:
            task.cancel()


async def _run_until_signal(settings: BridgeSettings, progress: Progress) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonExecutor())  # the end does not wait for a name server
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows, where Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop.set)
    await serve_until(settings, stop, progress=progress)


def _doing(settings: BridgeSettings, relay: Relay, feed: Feed) -> str:
    state = "connected to" if relay.broker == "connected" else "waiting for broker"
    where = settings.socket or f"port {settings.port}"
    return f"serving {where}, {state} {feed.url}"


async def _every(seconds: float, action: Callable[[], Awaitable[None] | None]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + seconds, loop.time())
        await asyncio.sleep(due - loop.time())
        waiting = action()
        if waiting is not None:
            await waiting
