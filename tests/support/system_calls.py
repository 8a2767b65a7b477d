"""Runs a program with the system calls that a unit allows: `system_calls.py UNIT PROGRAM [ARGUMENT …]`.

Only what systemd does by seccomp: SystemCallFilter and MemoryDenyWriteExecute. libseccomp, by which systemd
does it too, makes the filter of the unit's own lines.
"""

import ctypes
import ctypes.util
import errno
import os
import subprocess
import sys
from pathlib import Path

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_MASKED_EQUAL = 7
_WRITE, _EXECUTE, _SHM_EXECUTE = 0x2, 0x4, 0o100000


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def allowed(unit: str) -> set[str]:
    """Return the names of the system calls that the text of a unit leaves to its program."""
    sets = _sets()
    names: set[str] = set()
    for line in unit.splitlines():
        if line.startswith("SystemCallFilter="):
            words = line.partition("=")[2].removeprefix("~").split()
            listed = {name for word in words for name in _members(word, sets)}
            names = names - listed if "=~" in line else names | listed
    return names


def _sets() -> dict[str, list[str]]:
    """Return systemd's own sets, each with system calls and with other sets."""
    words = ["systemd-analyze", "syscall-filter", "--no-pager"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    sets: dict[str, list[str]] = {}
    members: list[str] = []
    for line in shown.splitlines():
        word = line.strip()
        if line.startswith("@"):
            members = sets.setdefault(word, [])
        elif word and not word.startswith("#"):
            members.append(word)
    return sets


def _members(name: str, sets: dict[str, list[str]]) -> set[str]:
    if not name.startswith("@"):
        return {name}
    return {one for member in sets[name] for one in _members(member, sets)}


def confine(unit: str) -> None:
    """Allow this process, and all that it starts, only what a unit allows. There is no way back."""
    library = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_REFUSE)))

    def allow(name: str, *comparison: int) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # of another architecture
            return
        rules = (
            (_Comparison * 1)(_Comparison(comparison[0], _MASKED_EQUAL, *comparison[1:]))
            if comparison
            else None
        )
        added = library.seccomp_rule_add_array(
            context, ctypes.c_uint32(_ALLOW), number, ctypes.c_uint(len(comparison) // 3), rules
        )
        assert added == 0, f"{name}: {os.strerror(-added)}"

    # Number of the argument, and each value that is allowed below a mask.
    guarded = {
        "mmap": [(2, _WRITE | _EXECUTE, bits) for bits in (0, _WRITE, _EXECUTE)],
        "mprotect": [(2, _EXECUTE, 0)],
        "pkey_mprotect": [(2, _EXECUTE, 0)],
        "shmat": [(2, _SHM_EXECUTE, 0)],
    }
    if "MemoryDenyWriteExecute=yes" not in unit.splitlines():
        guarded = {}
    for name in allowed(unit) | {"execve"}:  # systemd starts the program itself
        for comparison in guarded.get(name, [()]):
            allow(name, *comparison)
    loaded = library.seccomp_load(context)
    assert loaded == 0, os.strerror(-loaded)


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text("utf-8"))
    os.execv(sys.argv[2], sys.argv[2:])
