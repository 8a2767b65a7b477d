"""What is configured, where it was read, and who else can read the secrets in it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fleetglass.cli.configuration.file import Configuration
from fleetglass.cli.configuration.keys import KEYS, Part
from fleetglass.cli.doctor.finding import Finding

_SECRET_FILES: Final = ("password_file", "key_file", "key", "token_file", "proxy_secret_file")
_PARTS: Final[tuple[Part, ...]] = ("agent", "bridge")


def check_secrets(configuration: Configuration) -> Iterator[Finding]:
    """Look at the mode of each file that holds a secret."""
    files = {
        str(path): name
        for name in _SECRET_FILES
        for part in _PARTS
        if isinstance(path := configuration.get(name, part), str)
    }
    if configuration.path is not None and _holds_secret(configuration):
        files[str(configuration.path)] = "configuration file"
    for file, name in files.items():
        path = Path(file).expanduser()
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # which is told where it is needed
        if os.name == "posix" and mode & (stat.S_IROTH | stat.S_IWOTH):
            text = f"{name} {path}: every user of this machine can read it"
            yield Finding("secrets", "wrong", text, f"chmod 600 {path}")


def _holds_secret(configuration: Configuration) -> bool:
    secrets = {key.name for key in KEYS if key.secret}
    return any(secrets & set(section) for section in configuration.file.values())
