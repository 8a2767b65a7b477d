"""What can be checked on Linux of systems that are not Linux: that nothing asks them for what they lack."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = sorted(path.parent for path in REPOSITORY.glob("*/fleetglass"))

UNIX_MODULES = {"fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog", "readline", "curses"}
UNIX_NAMES = {
    "os": {
        *("chown", "fchmod", "fchown", "fork", "getegid", "geteuid", "getgid", "getgroups", "getloadavg"),
        *("getpgid", "getuid", "killpg", "lchown", "memfd_create", "mkfifo", "nice", "pidfd_open", "pread"),
        *("preadv", "pwrite", "sched_getaffinity", "setsid", "statvfs", "statvfs_result", "sysconf", "uname"),
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "WNOHANG", "major", "minor", "makedev"),
        *("getxattr", "listxattr", "posix_fadvise", "wait3", "wait4", "setpriority", "getpriority"),
    },
    "signal": {
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP"),
        *(
            "SIGUSR1",
            "SIGUSR2",
            "SIGWINCH",
            "ITIMER_REAL",
            "alarm",
            "pthread_sigmask",
            "setitimer",
            "sigwait",
        ),
    },
    "socket": {
        "AF_NETLINK",
        "AF_PACKET",
        "AF_UNIX",
        "CMSG_SPACE",
        "SCM_RIGHTS",
        "SO_PEERCRED",
        "SO_REUSEPORT",
    },
    "time": {"CLOCK_BOOTTIME", "CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "clock_gettime"},
    "loop": {"add_signal_handler", "remove_signal_handler"},
}
"""What Windows lacks, or every system but Linux, by the module that has it elsewhere."""
GUARDS = ("sys.platform", "os.name", "hasattr(", "AttributeError", "NotImplementedError", "ImportError")
"""One of these in the function says that somebody thought of other systems."""
ONE_SYSTEM = {
    "agent/fleetglass/agent/readings/linux": "used by `host_readings` on Linux only",
    "agent/fleetglass/agent/readings/container_engine.py": "finds no engine where there is no AF_UNIX",
    "agent/fleetglass/agent/readings/open_files.py": "used by the readings of Linux only",
    "cli/fleetglass/cli/commands/service.py": "checks first that systemd runs",
    "cli/fleetglass/cli/doctor/service_check.py": "looks first whether systemd runs",
    "cli/fleetglass/cli/enrollment/folder.py": "changes owners where it runs as root",
}
"""Beginnings of paths whose functions are called on one system only, and why."""

IMPORT_ALL = """
import importlib, sys
platform, names, modules, missing = sys.argv[1], *map(str.split, sys.argv[2:4]), eval(sys.argv[4])
for name in names:
    importlib.import_module(name)
for name in [one for one in sys.modules if one.startswith("fleetglass")]:
    del sys.modules[name]
sys.platform = platform
for name in modules:
    sys.modules[name] = None
for module, attributes in missing.items():
    for attribute in attributes:
        if hasattr(sys.modules[module], attribute):
            delattr(sys.modules[module], attribute)
for name in names:
    importlib.import_module(name)
"""


@pytest.mark.parametrize("platform", ["darwin", "freebsd14", "win32"])
def test_every_module_is_imported_on_every_system(platform: str) -> None:
    """Also without what the system lacks. The libraries are those of this system."""
    missing: dict[str, set[str]] = {"time": {"CLOCK_BOOTTIME"}, "os": {"memfd_create", "sched_getaffinity"}}
    modules: set[str] = set()
    if platform == "win32":
        modules = UNIX_MODULES
        missing = {name: UNIX_NAMES[name] for name in ("os", "signal", "socket", "time")}
    names = [_module_name(path) for path in _files() if path.name != "__main__.py"]
    assert len(names) > 150
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, platform, " ".join(names), " ".join(modules), repr(missing)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_only_unix_has_is_asked_for_with_a_guard() -> None:
    """Each use lies in a function that looks at the system, or in a part that one system alone has."""
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{line} {what}"
        for path in _files()
        for line, what, guarded in _unix_uses(path.read_text("utf-8"))
        if not guarded and not _is_of_one_system(path)
    ]
    assert wrong == []


def test_every_exception_is_needed() -> None:
    """A part that asks for nothing of Unix any more leaves the list."""
    used = {
        start
        for start in ONE_SYSTEM
        for path in _files()
        if str(path.relative_to(REPOSITORY)).startswith(start)
        and any(not guarded for _, _, guarded in _unix_uses(path.read_text("utf-8")))
    }
    assert used == ONE_SYSTEM.keys()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\ndef f():\n    return os.geteuid()\n", ["os.geteuid"]),
        ("import os\nx = os.uname().release\n", ["os.uname"]),
        ("import time as clocks\ndef f():\n    clocks.clock_gettime(clocks.CLOCK_BOOTTIME)\n", 2),
        ("from signal import SIGHUP\n", ["signal.SIGHUP"]),
        ("import fcntl\n", ["fcntl"]),
        ("from pwd import getpwuid\n", ["pwd"]),
        ("def f(loop):\n    loop.add_signal_handler(2, f)\n", ["add_signal_handler"]),
        ("import os\ndef f(get=os.getuid):\n    if sys.platform == 'linux':\n        get()\n", ["os.getuid"]),
        ("import os\ndef f():\n    if hasattr(os, 'getuid'):\n        os.getuid()\n", []),
        ("import os\nx = os.sysconf('A') if hasattr(os, 'sysconf') else 1\n", []),
        ("def f():\n    try:\n        import fcntl\n    except ImportError:\n        pass\n", []),
    ],
)
def test_the_check_finds_what_it_is_for(source: str, found: list[str] | int) -> None:
    """Under other names as well, and in defaults, which are made at import."""
    uses = [what for _, what, guarded in _unix_uses(source) if not guarded]
    assert (len(uses) if isinstance(found, int) else uses) == found


def _files() -> list[Path]:
    return [*(path for room in ROOMS for path in sorted((room / "fleetglass").rglob("*.py")))]


def _module_name(path: Path) -> str:
    relative = path.relative_to(path.parents[len(path.relative_to(REPOSITORY).parts) - 2])
    return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")


def _is_of_one_system(path: Path) -> bool:
    return any(str(path.relative_to(REPOSITORY)).startswith(start) for start in ONE_SYSTEM)


def _unix_uses(source: str) -> Iterator[tuple[int, str, bool]]:
    """Yield line and name of each use, and whether the function or statement around it has a guard."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    for node, scope in _scoped(tree, None):
        for what in _used(node, names):
            text = ast.unparse(scope) if scope is not None else ""
            guarded = any(guard in text for guard in GUARDS)
            is_lazy_import = what in UNIX_MODULES and isinstance(scope, ast.FunctionDef)
            yield node.lineno, what, guarded or is_lazy_import


def _scoped(node: ast.AST, scope: ast.AST | None) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST | None]]:
    """Yield every node with the body that it lies in; defaults and decorators lie where the function does."""
    for child in ast.iter_child_nodes(node):
        inner = scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and child in node.body:
            inner = node
        elif isinstance(node, ast.Module) and not isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = child
        if isinstance(child, ast.expr | ast.stmt):
            yield child, inner
        yield from _scoped(child, inner)


def _used(node: ast.AST, names: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases if alias.name in UNIX_MODULES)
        case ast.ImportFrom(module=str(module), names=aliases):
            if module in UNIX_MODULES:
                yield module
            for alias in aliases:
                if alias.name in UNIX_NAMES.get(module, ()):
                    yield f"{module}.{alias.name}"
        case ast.Attribute(attr=attribute) if attribute in UNIX_NAMES["loop"]:
            yield attribute
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            module = names.get(name, "")
            if attribute in UNIX_NAMES.get(module, ()):
                yield f"{module}.{attribute}"
