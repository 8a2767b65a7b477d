"""A machine on which nothing was ever installed, for the commands of a page."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

REPOSITORY = Path(__file__).resolve().parents[2]

_NETWORK_FILES = ("resolv.conf", "hosts", "pip.conf")
_TESTED = re.compile(
    r"^<!-- tested: (?P<where>\w+) -->\n```\n(?P<commands>.*?)^```", re.DOTALL | re.MULTILINE
)


@cache
def missing_programs() -> str | None:
    """Return what to install where there can be no such machine."""
    if shutil.which("bwrap") is None:
        return "bubblewrap: apt-get install bubblewrap"
    attempt = subprocess.run(
        ["bwrap", "--unshare-user", "--ro-bind", "/", "/", "true"], capture_output=True, check=False
    )
    return None if attempt.returncode == 0 else "a machine where users may make namespaces"


def commands_of(page: str, where: str) -> list[str]:
    """Return the blocks of a page that are to be run at a place, such as `checkout`."""
    text = (REPOSITORY / "docs" / "install" / page).read_text("utf-8")
    return [found["commands"] for found in _TESTED.finditer(text) if found["where"] == where]


class Machine:
    """Runs commands as root of a machine whose system is this one's, read-only.

    Only the folders into which the pages write can be written, and they are empty at first; `home` is where
    commands run.
    """

    def __init__(self, folder: Path) -> None:
        self._places = {
            place: folder / name
            for place, name in {
                "/opt": "opt",
                "/usr/local/bin": "bin",
                "/etc": "etc",
                "/var/lib": "lib",
                "/home": "home",
                "/tmp": "tmp",
            }.items()
        }
        for own in self._places.values():
            own.mkdir()
        folder.joinpath("etc", "ssl").mkdir()
        for name in _NETWORK_FILES:
            folder.joinpath("etc", name).touch()
        self.home = folder / "home"
        self._shims = folder / "shims"
        self._shims.mkdir()
        self._shims.joinpath("sudo").write_text('#!/bin/sh\nexec "$@"\n')
        self._shims.joinpath("sudo").chmod(0o755)
        self._shims.joinpath("python3").symlink_to(Path(sys.base_prefix, "bin", "python3"))

    def left(self) -> dict[str, list[str]]:
        """Return what was written and is still there, by place."""
        found = {place: sorted(entry.name for entry in own.iterdir()) for place, own in self._places.items()}
        found["/etc"] = sorted(set(found["/etc"]) - {"ssl", *_NETWORK_FILES})
        return {place: names for place, names in found.items() if names}

    def run(
        self,
        script: str,
        *,
        user_id: int = 0,
        online: bool = False,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        """Run commands one after another until one fails."""
        return subprocess.run(
            [*self._sandbox(user_id, variables, online=online), "sh", "-euc", script],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def _sandbox(self, user_id: int, variables: Mapping[str, str], *, online: bool) -> list[str]:
        command = ["bwrap", "--unshare-user", "--uid", str(user_id), "--unshare-pid", "--die-with-parent"]
        if not online:
            command.append("--unshare-net")
        for folder in ("/usr", sys.base_prefix):
            command += ["--ro-bind", folder, folder]
        for name in ("bin", "sbin", "lib", "lib64"):
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        for place, own in self._places.items():
            command += ["--bind", str(own), place]
        for name in ("ssl", *_NETWORK_FILES):
            command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_") and online}
        known = {
            **pip,
            "HOME": "/home",
            "PATH": "/shims:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
        command += ["--ro-bind", str(self._shims), "/shims", "--proc", "/proc", "--dev", "/dev", "--clearenv"]
        for name, value in {**known, **variables}.items():
            command += ["--setenv", name, value]
        return [*command, "--chdir", "/home"]
