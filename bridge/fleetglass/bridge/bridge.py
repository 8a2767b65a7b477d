"""The bridge as a whole: wires its parts together and runs them until told to stop."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fleetglass.bridge.access import Access, needs_token
from fleetglass.bridge.certificate import Certificate
from fleetglass.bridge.connections import Connections
from fleetglass.bridge.feed import Feed
from fleetglass.bridge.history import History
from fleetglass.bridge.lag import LoopLag
from fleetglass.bridge.listener import listening
from fleetglass.bridge.page import read_page
from fleetglass.bridge.relay import Relay
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewer import Viewers
from fleetglass.bridge.viewer_token import note_address, page_address, read_or_make_token, token_path
from fleetglass.bridge.web import Web
from fleetglass.bridge.wrong_tokens import WrongTokens
from fleetglass.wire import Topics
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
    feed = Feed(
        settings.broker,
        relay.fleet_filters(),
        relay.inbox,
        relay.on_connected,
    )
    relay.on_wanted = feed.want
    relay.on_say = feed.say
    token = read_or_make_token(settings)[0] if needs_token(settings) else None
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
        if token is not None:
            try:
                note_address(settings)
            except OSError as error:
                _log.info("the address beside the token file cannot be written: %s", error.strerror)

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
