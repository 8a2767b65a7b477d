"""Secrets in files that others may read."""

import functools
import stat
import sys
from pathlib import Path


@functools.cache
def warn_if_exposed(path: Path, name: str) -> None:
    """Say in one line, once, that a secret can be read by every user."""
    if path.stat().st_mode & stat.S_IROTH:
        text = f"{name}: {path} can be read by every user; make it private: chmod 600 {path}"
        print(f"fleetglass: warning: {text}", file=sys.stderr)
