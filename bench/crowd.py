"""Idle processes, so that a host has as many as a real one."""

import contextlib
import subprocess
from collections.abc import Iterator

from cost import process_count


@contextlib.contextmanager
def crowd(wanted: int) -> Iterator[None]:
    """Start as many sleeping processes as the host lacks, and end them afterwards."""
    idle = [subprocess.Popen(["sleep", "86400"]) for _ in range(wanted - process_count())]
    try:
        yield
    finally:
        for process in idle:
            process.kill()
        for process in idle:
            process.wait()
