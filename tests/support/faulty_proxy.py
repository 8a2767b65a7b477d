"""A TCP proxy that does what networks do, and worse."""

import asyncio
import random
from contextlib import suppress
from typing import Literal, Self

from support.ports import free_port

Fault = Literal["none", "stall", "cut", "half-close", "corrupt", "delay"]

_CHUNK_BYTES = 4096
_DELAY_SECONDS = 0.3


class FaultyProxy:
    """Passes bytes on between whoever connects and a port of this machine, as long as no fault is set.

    `stall` holds everything back until the fault ends; `cut` resets every connection and takes no new one;
    `half-close` ends what the server says and goes on taking what it is told; `corrupt` changes one byte
    of each chunk that the server says; `delay` passes each chunk on late.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.fault: Fault = "none"
        self._target_port = target_port
        self._healed = asyncio.Event()
        self._healed.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._random = random.Random(self.port)

    @property
    def url(self) -> str:
        """The address as `--broker` takes it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def set(self, fault: Fault) -> None:
        """Begin a fault; `none` ends it."""
        self.fault = fault
        if fault == "stall":
            self._healed.clear()
        else:
            self._healed.set()
        for writer in [*self._writers] if fault == "cut" else ():
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.set("cut")
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault == "cut":
            writer.transport.abort()
            return
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, to_server}
        for source, sink, is_server in ((reader, to_server, False), (from_server, writer, True)):
            task = asyncio.create_task(self._pass_on(source, sink, is_server=is_server), name="proxy")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_server: bool
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
                await self._healed.wait()
                if is_server and self.fault == "half-close":
                    break
                if is_server and self.fault == "corrupt":
                    at = self._random.randrange(len(chunk))
                    chunk = chunk[:at] + bytes([chunk[at] ^ self._random.randrange(1, 256)]) + chunk[at + 1 :]
                if self.fault == "delay":
                    await asyncio.sleep(_DELAY_SECONDS)
                sink.write(chunk)
                await sink.drain()
        with suppress(OSError):
            if is_server and self.fault == "half-close" and sink.can_write_eof():
                sink.write_eof()
                return
        sink.close()
        self._writers.discard(sink)
