"""The services of compose.yaml as processes, shut in by bubblewrap as a container engine would."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import yaml

from support.dockerfile import environment_of_image

REPOSITORY = Path(__file__).resolve().parents[2]

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<kind>:[?-])(?P<word>[^}]*))?\})")


@cache
def missing_programs() -> str | None:
    """Return what to install where services cannot be shut in."""
    needed = {
        "bwrap": "bubblewrap",
        "mosquitto_sub": "mosquitto-clients",
        "ip": "iproute2",
        "nsenter": "util-linux",
    }
    if missing := [package for program, package in needed.items() if shutil.which(program) is None]:
        return f"apt-get install {' '.join(missing)}"
    attempt = subprocess.run(
        ["unshare", "--map-root-user", "--net", "bwrap", "--unshare-user", "--ro-bind", "/", "/", "true"],
        capture_output=True,
        check=False,
    )
    return None if attempt.returncode == 0 else "a machine where users may make namespaces"


def read_compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return compose.yaml with its variables filled in, as `docker compose config` would."""
    return _filled(yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8")), variables)  # type: ignore[no-any-return]


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, variables) for inner in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, variables), value)
    return value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name = found["name"]
    if name is None:
        return "$"
    if variables.get(name):
        return variables[name]
    if found["kind"] == ":?":
        raise LookupError(f"{name}: {found['word']}")
    return found["word"] or ""


class Composition:
    """The services, each in a root of its own that is read-only, on one network that has no way out.

    The programs and libraries are those of this machine; user, folders, files, secrets, environment and
    command are those of compose.yaml. What a service prints goes to a file beside the project.
    """

    def __init__(self, project: Path, variables: Mapping[str, str]) -> None:
        self.project = project
        self.services: dict[str, dict[str, Any]] = read_compose(variables)["services"]
        self._secrets = {name: one["file"] for name, one in read_compose(variables)["secrets"].items()}
        self._name = variables["BROKER_NAME"]
        self._network: subprocess.Popen[str] | None = None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @contextmanager
    def network(self) -> Iterator[None]:
        """Give the services a network while the block lasts."""
        script = "ip link set lo up && echo ready && exec sleep infinity"
        with subprocess.Popen(
            ["unshare", "--map-root-user", "--net", "sh", "-c", script], stdout=subprocess.PIPE, text=True
        ) as self._network:
            try:
                assert self._network.stdout is not None
                assert self._network.stdout.readline() == "ready\n"
                yield
            finally:
                self._network.kill()

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Run a service while the block lasts, or until it is stopped."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                self.sandboxed(name, *_command(self.services[name])), stdout=log, stderr=log
            )
        self._processes[name] = process
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def stop(self, name: str) -> int:
        """Do what `docker compose stop NAME` does, and return the exit code; fail when it takes over 3 s."""
        self.kill(name, signal.SIGTERM)
        return self._processes[name].wait(3)

    def kill(self, name: str, number: signal.Signals) -> None:
        """Do what `docker compose kill --signal NUMBER NAME` does."""
        # bwrap waits for its second self, which takes the place of an init, and that for the service.
        psutil.Process(self._processes[name].pid).children(recursive=True)[-1].send_signal(number)

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Do what `docker compose run --rm NAME WORDS` does."""
        return self._finish(name, [*self.services[name]["entrypoint"], *words])

    def execute(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Do what `docker compose exec NAME COMMAND` does."""
        return self._finish(name, list(command))

    def is_healthy(self, name: str) -> bool:
        """Whether the health check of a service passes."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        return self._finish(name, ["sh", "-c", *words] if kind == "CMD-SHELL" else words).returncode == 0

    def log(self, name: str) -> Path:
        """Return the file with all that a service printed."""
        return self.project / f"{name}.log"

    def sandboxed(self, name: str, *command: str) -> list[str]:
        """Return what runs a command as a service runs."""
        service = self.services[name]
        assert self._network is not None
        uid, gid = service["user"].split(":")
        return [
            *("nsenter", "--target", str(self._network.pid), "--user", "--net", "--preserve-credentials"),
            *("bwrap", "--unshare-user", "--uid", uid, "--gid", gid, "--unshare-pid", "--unshare-ipc"),
            *("--unshare-uts", "--hostname", name, "--die-with-parent", "--cap-drop", "ALL"),
            *self._mounts(name, service),
            *self._root(),
            *("--remount-ro", "/", "--clearenv"),
            *self._environment(service),
            *command,
        ]

    def _finish(self, name: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.sandboxed(name, *command), capture_output=True, text=True, timeout=30, check=False
        )

    def _root(self) -> Iterator[str]:
        for folder in {"/usr", str(REPOSITORY), sys.prefix, sys.base_prefix}:
            yield from ("--ro-bind", folder, folder)
        for name in ("bin", "sbin", "lib", "lib64"):
            if (link := Path("/", name)).is_symlink():
                yield from ("--symlink", str(link.readlink()), str(link))
            elif link.is_dir():
                yield from ("--ro-bind", str(link), str(link))
        # Where the image has its own environment.
        yield from ("--symlink", sys.prefix, "/opt/fleetglass", "--proc", "/proc", "--dev", "/dev")
        hosts = self.project / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {self._name}\n")
        for file in (hosts, Path("/etc/ld.so.cache"), Path("/etc/passwd"), Path("/etc/group")):
            yield from ("--ro-bind-try", str(file), f"/etc/{file.name}")

    def _mounts(self, name: str, service: dict[str, Any]) -> Iterator[str]:
        # A folder takes the place of a tmpfs, so that a health check finds what the service wrote there.
        for index, text in enumerate(service.get("tmpfs", [])):
            yield from ("--bind", str(self._made(f"tmpfs-{name}-{index}")), text.partition(":")[0])
        for volume in service.get("volumes", []):
            source, target, read_only = _volume(volume)
            if source.startswith("."):
                source = str(self.project / source)
            elif not source.startswith("/"):
                source = str(self._made(f"volume-{source}"))
            yield from ("--ro-bind" if read_only else "--bind", source, target)
        for secret in service.get("secrets", []):
            yield from ("--ro-bind", str(self.project / self._secrets[secret]), f"/run/secrets/{secret}")

    def _environment(self, service: dict[str, Any]) -> Iterator[str]:
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        image = environment_of_image(path) if "build" in service else path
        for name, value in {**image, **service.get("environment", {})}.items():
            yield from ("--setenv", name, value)

    def _made(self, name: str) -> Path:
        folder = self.project / name
        folder.mkdir(exist_ok=True)
        return folder


def _command(service: dict[str, Any]) -> list[str]:
    return [*service["entrypoint"], *service.get("command", [])]


def _volume(volume: str | dict[str, Any]) -> tuple[str, str, bool]:
    if isinstance(volume, dict):
        return volume["source"], volume["target"], bool(volume.get("read_only"))
    source, target, *options = volume.split(":")
    return source, target, options == ["ro"]
