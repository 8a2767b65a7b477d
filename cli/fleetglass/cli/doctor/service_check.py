"""The services of systemd, where they are installed."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.service import systemctl
from fleetglass.cli.service.unit_file import ServicePart, unit_name

_ANSWER_SECONDS: Final = 3.0
_PROPERTIES: Final = "LoadState,ActiveState,SubState,UnitFileState,Result,StatusText,ExecStart"


def check_service(part: ServicePart, configuration: Path | None) -> Iterator[Finding]:
    """Look at the service of the machine, or else of this user; `configuration` is the file read here."""
    if not systemctl.BOOTED.is_dir():
        return
    for words in ([], ["--user"]):
        found = _show([*words, unit_name(part)])
        if found.get("LoadState") == "loaded":
            yield from _told(part, found, configuration)
            if not words and os.geteuid() != 0:
                text = "what it may read and run with its own rights was not checked"
                yield Finding(f"service {part}", "note", text, "sudo fleetglass doctor")
            return


def _told(part: ServicePart, found: Mapping[str, str], configuration: Path | None) -> Iterator[Finding]:
    what = f"service {part}"
    state = f"{found.get('ActiveState', 'unknown')} ({found.get('SubState', '')})"
    logs = f"fleetglass service logs {part}"
    if found.get("ActiveState") == "active":
        doing = f": {text}" if (text := found.get("StatusText")) else ""
        yield Finding(what, "ok", f"{state}{doing}")
    elif found.get("ActiveState") == "inactive":
        yield Finding(what, "note", state, f"fleetglass service start {part}")
    else:
        yield Finding(what, "wrong", f"{state}, {found.get('Result', '')}", logs)
    if found.get("UnitFileState") == "disabled":
        yield Finding(what, "note", "does not start at boot", f"systemctl enable {unit_name(part)}")
    named = re.search(r"--config[= ](\S+)", found.get("ExecStart", ""))
    if named is not None and (configuration is None or named[1] != str(configuration)):
        text = f"it reads {named[1]}, which is not what was checked here"
        again = f"{'sudo ' if os.geteuid() else ''}fleetglass doctor --config {named[1]}"
        yield Finding(what, "note", text, again)


def _show(words: list[str]) -> dict[str, str]:
    try:
        done = subprocess.run(
            ["systemctl", "show", f"--property={_PROPERTIES}", *words],
            check=False,
            text=True,
            errors="replace",
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
