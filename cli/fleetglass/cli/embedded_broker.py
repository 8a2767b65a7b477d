"""The embedded broker: amqtt on loopback, a program of its own so that it never slows the bridge.

`python -m fleetglass.cli.embedded_broker PORT`; `fleetglass up` starts it where mosquitto is missing.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import warnings
from typing import Any, Final

STOP_SECONDS: Final = 0.3


def main() -> int:
    """Serve until a signal ends it."""
    port = int(sys.argv[1])
    # amqtt tells of each client that leaves without a goodbye; that is what wills are for.
    logging.basicConfig(level=logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        asyncio.run(serve(port))
    except KeyboardInterrupt:
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it is, one line says it
        print(f"fleetglass: embedded broker: {error} (127.0.0.1:{port})", file=sys.stderr)
        return 1
    return 0


async def serve(port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    from amqtt.broker import Broker  # noqa: PLC0415 - an extra, and slow to load

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows, where Ctrl-C raises instead
            loop.add_signal_handler(number, stop.set)
    broker = Broker(configuration(port))
    await broker.start()
    await stop.wait()
    # What it keeps is lost anyway, so that a slow end is worth nothing.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), STOP_SECONDS)


def configuration(port: int) -> dict[str, Any]:
    """Return what amqtt is told: loopback only, no user names, and no plugin that logs each packet."""
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }


if __name__ == "__main__":
    sys.exit(main())
