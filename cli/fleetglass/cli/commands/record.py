"""`fleetglass record`: keep what hosts publish in a file, to be played again."""

import argparse
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from fleetglass.cli.configuration.arguments import add_keys, read_option
from fleetglass.cli.configuration.broker_choice import check_given
from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import broker_access, single_prefix
from fleetglass.cli.configuration.values import Number, Texts
from fleetglass.cli.runtime.log import start_log
from fleetglass.wire import ContractError, Topics, check_host_id
from fleetglass.wire.errors import CommandError, UsageError
from fleetglass.wire.version import VERSION

if TYPE_CHECKING:
    from fleetglass.cli.runtime.stop_signals import StopSignals

FLUSH_SECONDS: Final = 0.5
"""What came in the last so many seconds is lost when the program is killed."""
MAX_UNWRITTEN_BYTES: Final = 64 * 1024 * 1024
"""While the disk does not take what comes, payloads beyond are dropped, and counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="new file; only its owner may read it")
    parser.add_argument("--hosts", metavar="A,B", help="hosts to record (default: the whole fleet)")
    parser.add_argument("--duration", metavar="SECONDS", help="stop after this time (default: never)")
    add_keys(parser, "record")


def run(arguments: argparse.Namespace) -> int:
    """Record until a signal, or for the duration."""
    duration = float("inf")
    if arguments.duration is not None:
        duration = read_option(Number(0.1, 1e8), arguments.duration, "--duration")
    hosts = _hosts(arguments.hosts)
    configuration = read_configuration(vars(arguments))
    access = broker_access(configuration, "record")
    topics = Topics(single_prefix(configuration, "record"))
    start_log("record", configuration.get("log_level", "record") or "info")
    check_given(access)

    from fleetglass.agent.identity import new_session
    from fleetglass.cli.runtime.stop_signals import StopSignals
    from fleetglass.mqtt.backoff import READER_CAP_SECONDS
    from fleetglass.mqtt.threaded_connection import ThreadedConnection

    filters = [f"{topics.prefix}/{host}/#" for host in hosts] or [f"{topics.prefix}/#"]
    path = Path(arguments.file)
    file = _new_file(path)
    try:
        with file, StopSignals() as stop:
            recorder = _Recorder(file, topics)
            connection = ThreadedConnection(
                access,
                client_id=f"fleetglass-record-{new_session()}",
                on_connected=lambda: connection.subscribe(filters),
                on_message=recorder.take,
                longest_wait_seconds=READER_CAP_SECONDS,
            )
            with connection:
                _keep_writing(recorder, stop, duration)
            recorder.end()
    except OSError as error:
        raise CommandError(f"file: {(error.strerror or str(error)).lower()} ({path})") from error
    print(recorder.summary(path))
    if not recorder.hosts:
        raise CommandError(
            f"no message came on {', '.join(filters)} of {access.url}; check prefix and rights"
        )
    return 0


class _Recorder:
    """Takes messages on the connection's thread, and writes them on the main one."""

    def __init__(self, file: BinaryIO, topics: Topics) -> None:
        from fleetglass.cli.recorder.recording import Header, RecordingWriter

        self.hosts: set[str] = set()
        self._file = file
        self._topics = topics
        self._started = time.monotonic()
        self._writer = RecordingWriter(Header(version=VERSION, prefix=topics.prefix, started=time.time()))
        self._lock = threading.Lock()
        self._unwritten = 0
        self._count = self._bytes = self._dropped = self._others = 0
        self._ended = False

    def take(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 - as the connection calls it
        from fleetglass.cli.recorder.recording import Recorded

        after = time.monotonic() - self._started
        address = self._topics.parse(topic)
        with self._lock:
            if self._ended:
                return
            if address is None:
                self._others += 1
            elif self._unwritten > MAX_UNWRITTEN_BYTES:
                self._dropped += 1
            else:
                self._unwritten += len(payload)
                self._count += 1
                self.hosts.add(address.host)
                self._writer.add(Recorded(after, topic[len(self._topics.prefix) + 1 :], payload, retained))

    def write(self) -> None:
        """Write what came, so that the system has it whatever happens to this program."""
        with self._lock:
            data = self._writer.flush()
            self._unwritten = 0
        self._write(data)

    def end(self) -> None:
        """Write the rest."""
        with self._lock:
            self._ended = True
            data = self._writer.end()
        self._write(data)

    def summary(self, path: Path) -> str:
        """Return in one line what was recorded."""
        seconds = time.monotonic() - self._started
        what = f"{self._count} messages of {len(self.hosts)} hosts in {seconds:.1f} s"
        parts = [f"recorded {what} to {path} ({self._bytes} bytes)"]
        if self._dropped:
            parts.append(f"{self._dropped} were dropped, as the disk was too slow")
        if self._others:
            parts.append(f"{self._others} on topics that are not of a host were left out")
        return "; ".join(parts)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        self._bytes += len(data)


def _hosts(said: str | None) -> tuple[str, ...]:
    if said is None:
        return ()
    hosts = read_option(Texts(), said, "--hosts")
    try:
        return tuple(check_host_id(host) for host in hosts)
    except ContractError as error:
        raise UsageError(f"{error} (--hosts)") from error


def _new_file(path: Path) -> BinaryIO:
    try:
        return open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))
    except FileExistsError as error:
        raise UsageError(f"file: got {str(path)!r}, which already exists; expected a new file") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"file: cannot create {str(path)!r}: {reason}") from error


def _keep_writing(recorder: _Recorder, stop: "StopSignals", duration: float) -> None:
    until = time.monotonic() + duration
    while not stop.requested and (left := until - time.monotonic()) > 0:
        recorder.write()
        stop.sleep(min(FLUSH_SECONDS, left))
