"""The bridge as a whole: wires its parts together and runs them until told to stop."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from fleetglass.bridge.health import Health
from fleetglass.bridge.http.api import Web
from fleetglass.bridge.http.certificate import Certificate
from fleetglass.bridge.http.connections import Connections
from fleetglass.bridge.http.listener import listening
from fleetglass.bridge.loop_lag import LoopLag
from fleetglass.bridge.page.files import read_page
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewers.access import Access, needs_token
from fleetglass.bridge.viewers.token import (
    note_address,
    page_address,
    read_or_make_token,
    token_path,
)
from fleetglass.bridge.viewers.viewer import Viewers
from fleetglass.bridge.viewers.wrong_tokens import WrongTokens
from fleetglass.fleet.expected_host_list import ExpectedHostList
from fleetglass.fleet.periodic_tasks import every, run_relay
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.mqtt.daemon_executor import DaemonExecutor
from fleetglass.mqtt.feed import Feed
from fleetglass.wire import Topics
from fleetglass.wire.errors import BridgeError, CertificateError, ContractError
from fleetglass.wire.unexpected_errors import UnexpectedErrors
from fleetglass.wire.version import VERSION

PROGRESS_SECONDS = 1.0
REFRESH_SECONDS = 1.0
FEED_AGAIN_SECONDS = 1.0

Progress = Callable[[str | None], None]

_log = logging.getLogger(__name__)


def run(settings: BridgeSettings, *, progress: Progress = lambda _: None) -> None:
    """Run a bridge until SIGINT or SIGTERM.

    `progress` gets one line that says what the bridge is doing, once per second while it is not degraded,
    from the event loop that serves the viewers; and None when the bridge begins to end.

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
        history=HistoryStore(settings.history_bytes),
        history_all_hosts=settings.history_all_hosts,
    )
    expected = _expected_hosts(settings)
    relay.expect(expected.hosts)
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
    token = read_or_make_token(settings)[0] if needs_token(settings) else None
    access = Access(settings, token, token_path(settings) if token else None)
    certificate = Certificate(settings.cert, settings.key) if settings.cert else None
    connections, wrong_tokens = Connections(), WrongTokens()
    viewers = Viewers(relay, access, connections, wrong_tokens, VERSION)
    lag = LoopLag()
    health = Health(relay)
    web = Web(
        settings,
        relay,
        access=access,
        assets=read_page(),
        connections=connections,
        wrong_tokens=wrong_tokens,
        counts=viewers.counts,
        lag=lag,
        health=health,
        version=VERSION,
    )
    async with (
        _unhandled_counted(relay.errors),
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

        def report() -> None:
            health.look()
            if health.reason is None:
                progress(_doing(settings, relay, feed))

        progress(_doing(settings, relay, feed))
        running: list[asyncio.Task[None]] = [
            tasks.create_task(_run_again("broker feed", feed.run, relay.errors), name="broker feed"),
            tasks.create_task(run_relay(relay, expected, feed.want, feed.say), name="relay"),
            tasks.create_task(lag.watch(), name="event loop lag"),
            tasks.create_task(every(PROGRESS_SECONDS, "progress", report, relay.errors), name="progress"),
            tasks.create_task(
                every(REFRESH_SECONDS, "token and certificate", refresh, relay.errors),
                name="token and certificate",
            ),
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


def _expected_hosts(settings: BridgeSettings) -> ExpectedHostList:
    try:
        return ExpectedHostList(settings.hosts, Path(settings.hosts_file) if settings.hosts_file else None)
    except ContractError as error:
        raise BridgeError(*error.args) from error


def _doing(settings: BridgeSettings, relay: Relay, feed: Feed) -> str:
    state = "connected to" if relay.broker == "connected" else "waiting for broker"
    where = settings.socket or f"port {settings.port}"
    return f"serving {where}, {state} {feed.url}"


async def _run_again(task: str, run: Callable[[], Awaitable[NoReturn]], errors: UnexpectedErrors) -> NoReturn:
    while True:
        with errors.caught(f"running the task {task}"):
            await run()
        await asyncio.sleep(FEED_AGAIN_SECONDS)


@asynccontextmanager
async def _unhandled_counted(errors: UnexpectedErrors) -> AsyncIterator[None]:
    """Count what callbacks of the event loop raise, as asyncio would only log it, each time."""

    def count(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, OSError):
            loop.default_exception_handler(context)  # of one connection, or not of ours
        else:
            errors.count("running the event loop", error)

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(count)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
