import os
from pathlib import Path


def state_folder() -> Path:
    """Return the folder for what outlives a run; it is the user's own."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "fleetglass"
