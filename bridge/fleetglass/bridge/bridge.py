"""The bridge as a whole: wires its parts together and runs them until told to stop."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from fleetglass.bridge.access import Access, needs_token, read_or_make_token
from fleetglass.bridge.errors import BridgeError
from fleetglass.bridge.feed import Feed
from fleetglass.bridge.history import History
from fleetglass.bridge.lag import LoopLag
from fleetglass.bridge.page import read_page
from fleetglass.bridge.relay import Relay
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewer import Viewers
from fleetglass.bridge.web import Web
from fleetglass.wire import Topics
from fleetglass.wire.protocol import MAX_VIEWER_MESSAGE_BYTES, SUBPROTOCOL
from fleetglass.wire.version import VERSION

ADVANCE_SECONDS = 0.25
PULSE_SECONDS = 1.0
DELIVERY_SECONDS = 5.0
PROGRESS_SECONDS = 1.0
SHUTDOWN_SECONDS = 1.5

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
    feed = Feed(settings.broker, relay.fleet_filters(), relay.on_message, relay.on_connected)
    relay.on_wanted = feed.want
    relay.on_say = feed.say
    token, is_new = read_or_make_token(settings) if needs_token(settings) else (None, False)
    access = Access(settings, token)
    programs = VERSION
    viewers = Viewers(relay, access, programs)
    lag = LoopLag()
    web = Web(relay, access, read_page(), counts=viewers.counts, lag=lag, version=programs)
    try:
        server = await serve(
            viewers.serve,
            settings.host,
            settings.port,
            process_request=web.process_request,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            select_subprotocol=lambda _, offered: SUBPROTOCOL if SUBPROTOCOL in offered else None,  # type: ignore[arg-type, return-value]
            compression=None,
            max_size=4 * MAX_VIEWER_MESSAGE_BYTES,
            max_queue=4,
            close_timeout=SHUTDOWN_SECONDS,
            server_header=None,
            logger=_websockets_logger(),
        )
    except OSError as error:
        raise BridgeError(
            f"port {settings.port} on {settings.host}: {error.strerror or error}; "
            "expected a free port, choose another with --port"
        ) from error
    async with server, asyncio.TaskGroup() as tasks:
        _log.info("serving http://%s:%d/", settings.host, settings.port)
        if is_new:
            _log.warning(
                "viewer link, shown once: http://%s:%d/#token=%s", settings.host, settings.port, token
            )
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
    return f"serving port {settings.port}, {state} {feed.url}"


async def _every(seconds: float, action: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + seconds, loop.time())
        await asyncio.sleep(due - loop.time())
        action()


def _websockets_logger() -> logging.Logger:
    # Browsers drop connections and scanners send rubbish all the time: that is no news for the user.
    logger = logging.getLogger("fleetglass.bridge.websockets")
    logger.setLevel(logging.ERROR)
    logger.addFilter(lambda record: record.msg != "opening handshake failed")
    return logger
