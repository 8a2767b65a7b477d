"""The folder: locked while it changes, each file replaced whole, readable for its owner and the broker."""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from fleetglass.cli.enrollment.ownership import changeable_folder
from fleetglass.cli.enrollment.registry import Registry, decode_registry, encode_registry
from fleetglass.wire.errors import CommandError

SYSTEM_FOLDER: Final = Path("/etc/fleetglass/broker")
BROKER_USER: Final = "mosquitto"
"""Whom mosquitto becomes when root starts it."""

_SYSTEM_STATE: Final = Path("/var/lib/mosquitto")
_OF_THE_BROKER: Final = (
    "mosquitto.conf",
    "service.conf",
    "ca.crt",
    "broker.pem",
    "users",
    "rules",
    "revoked.pem",
)


_HANDED_OVER: Final = ("hosts", "readers")
_TEMPORARY: Final = re.compile(
    rf"\.({'|'.join(map(re.escape, (*_OF_THE_BROKER, 'ca.key', 'fleet.json', 'broker.crt', 'broker.key')))}"
    r"|[a-z0-9_-]+\.yaml)\.[a-z0-9_]{8}"
)
"""What a file is called until it is whole."""


class Folder:
    """Paths and files of a secured broker.

    Every method that touches files raises CommandError with one line when it may not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def configuration(self) -> Path:
        """What mosquitto is started with."""
        return self.path / "mosquitto.conf"

    @property
    def state(self) -> Path:
        """Where the broker keeps what it retains: with its package's, where it is the machine's broker."""
        if self.path == SYSTEM_FOLDER and _SYSTEM_STATE.is_dir():
            return _SYSTEM_STATE
        return self.path / "state"

    @property
    def broker_users(self) -> set[int]:
        """The users that the broker may run as: the caller, and the broker's own user."""
        user, ids = _user_id(), _broker_ids()
        return {one for one in (user, ids and ids[0]) if one is not None}

    @property
    def is_made(self) -> bool:
        """Whether a fleet was made here."""
        with self._told():
            return (self.path / "fleet.json").exists()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, where it is missing, and let nobody else change it meanwhile.

        What a call that was killed left half written is removed.
        """
        with self._told():
            self._check_path()
            for parent in reversed(self.path.parents):
                _make(parent, 0o755)
            _make(self.path, 0o700)
            self._check_private()
            descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with self._told():
                _allow(descriptor, 0o600)
                _lock(descriptor)
                for file in self._files():
                    if _TEMPORARY.fullmatch(file.name):
                        file.unlink()
            yield
        finally:
            os.close(descriptor)

    def read(self, name: str) -> str:
        """Return the text of a file."""
        with self._told():
            return (self.path / name).read_text("utf-8")

    def read_registry(self) -> Registry:
        """Return who is enrolled."""
        text = self.read("fleet.json")
        try:
            return decode_registry(text.encode())
        except ValueError as error:
            raise CommandError(f"{self.path / 'fleet.json'}: {error}, expected what enroll wrote") from error

    def write_registry(self, registry: Registry) -> None:
        """Keep who is enrolled."""
        self.write("fleet.json", encode_registry(registry).decode())

    def write(self, name: str, text: str) -> Path:
        """Replace a file, whole or not at all; its owner may read it, and the broker what is for it."""
        path = self.path / name
        with self._told():
            _make(path.parent, 0o700)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                _allow(descriptor, 0o600)
                with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - it is open already
                    file.write(text)
                    file.flush()
                    if path.parent == self.path:
                        # Not of a credential, which can be made again: a thousand would take ten seconds.
                        os.fsync(descriptor)
                if name in _OF_THE_BROKER:
                    _hand_to_broker(Path(temporary))
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        return path

    def remove(self, name: str) -> None:
        """Remove a file, where it is there."""
        with self._told():
            (self.path / name).unlink(missing_ok=True)

    def hand_to_broker(self) -> None:
        """Let the broker's user read what is for it, also where it was installed later."""
        with self._told():
            _hand_to_broker(self.path)
            for name in _OF_THE_BROKER:
                _hand_to_broker(self.path / name)
            if self.state.parent == self.path:
                _make(self.state, 0o700)
                if ids := _broker_ids():
                    os.chown(self.state, *ids)

    def credentials(self) -> list[Path]:
        """Return the files to hand over that are here, each of which begins with the name of its user."""
        with self._told():
            return [file for file in self._files() if file.parent != self.path and file.suffix == ".yaml"]

    def holds(self, name: str) -> bool:
        """Whether a file is here, and not only a link to one."""
        path = self.path / name
        return path.is_file() and not path.is_symlink()

    def link(self, name: str, target: str) -> None:
        """Put a link to another file of the folder in place of a file."""
        path = self.path / name
        with self._told():
            temporary = path.with_name(f".{name}.{os.urandom(4).hex()}")
            temporary.symlink_to(target)
            temporary.replace(path)

    def _files(self) -> list[Path]:
        """Return every file in the folder and in those to hand over from."""
        folders = [self.path, *(self.path / name for name in _HANDED_OVER)]
        return [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())]

    def _check_path(self) -> None:
        """Whoever may change a folder on the way could put one of their own in place of this."""
        if _user_id() is not None and (folder := changeable_folder(self.path)) is not None:
            raise CommandError(
                f"folder: got {folder} on the path, which another user may change, expected folders of root "
                "or the user who calls, with mode 755; --folder names another"
            )

    def _check_private(self) -> None:
        """Whoever may write here could put a key or a rule of their own in place of each file."""
        found = self.path.stat()
        if _user_id() is None:
            return
        if found.st_uid != _user_id() or found.st_mode & 0o022:
            raise CommandError(
                f"folder: got {self.path}, which another user may change; expected a folder of your own with "
                "mode 700 (chown, chmod 700), or name another one with --folder"
            )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename if isinstance(error.filename, str) else self.path
            raise CommandError(
                f"folder: {(error.strerror or str(error)).lower()} ({where}), expected a folder that this "
                "user may write to; use sudo, or name another one with --folder"
            ) from error


def default_folder() -> Path:
    """Return the machine's folder for root, else the user's own."""
    if _user_id() == 0:
        return SYSTEM_FOLDER
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "fleetglass" / "broker"


def _make(path: Path, mode: int) -> None:
    """Make a folder, where it is missing, whatever the umask adds or takes."""
    try:
        path.mkdir(mode=mode & 0o700)
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        path.chmod(mode)


def _allow(descriptor: int, mode: int) -> None:
    """Set the mode of an open file, whatever the umask took from it."""
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def _hand_to_broker(path: Path) -> None:
    bits = 0o750 if path.is_dir() else 0o640
    if ids := _broker_ids():
        os.chown(path, 0, ids[1])
        path.chmod(bits)
    else:
        path.chmod(bits & 0o700)


def _broker_ids() -> tuple[int, int] | None:
    """Return user and group of a broker that root starts; None where it is started by whoever calls."""
    if _user_id() != 0:
        return None
    import pwd  # noqa: PLC0415 - only POSIX has it, and only there is a user 0

    try:
        entry = pwd.getpwnam(BROKER_USER)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def _user_id() -> int | None:
    get: Callable[[], int] | None = getattr(os, "geteuid", None)
    return get() if get is not None else None


def _lock(descriptor: int) -> None:
    try:
        import fcntl  # noqa: PLC0415 - only POSIX has it
    except ImportError:
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
