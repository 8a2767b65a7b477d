"""All modules of the page as one: a browser far away then waits for one answer and not for a hundred.

Each module becomes a function that gives what it exports, after those that it imports:

    const $src_clock = (() => { …; return { Clock } })()

For this the modules keep to a few forms of import and export; every other one is refused. What the browser's
tools show are still the modules, by a source map (https://tc39.es/ecma426/) of which each line tells its own.
"""

import json
import posixpath
import re
from collections.abc import Mapping
from typing import NamedTuple

from fleetglass.wire.errors import BridgeError

_COMMENT = re.compile(r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/[ \t]*|//[^\n]*)$", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'^(import|export) \{([^}]*)\} from "([^"]+)"$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:class|function\*?|const) (?:(\w+)|\{ ([\w, ]+) \} =)", re.MULTILINE)
_EMPTY = re.compile(r"^export \{\}$", re.MULTILINE)
_UNKNOWN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class Bundle(NamedTuple):
    """Modules in one."""

    code: str
    source_map: str
    """JSON; the code does not name it."""


def bundle(modules: Mapping[str, str], main: str) -> Bundle:
    """Join a module and all that it imports, directly or not.

    Args:
        modules: their code by path, as "/src/main.js". Comments that fill lines are left out.
        main: the path of the one that runs last.

    Raises:
        BridgeError: a module imports in a circle or in a form that is not known here, or one is missing.
    """
    bare = {path: _without_comments(code) for path, code in modules.items()}
    parts = []
    sections = []
    line = 0
    for path in _in_order(bare, main):
        part = f"const {_name(path)} = (() => {{\n{_as_function(path, bare[path])}\n}})()\n"
        each_its_own = ";".join(["AAAA", *["AACA"] * modules[path].count("\n")])
        shown = {
            "version": 3,
            "sources": [posixpath.relpath(path, posixpath.dirname(main))],
            "sourcesContent": [modules[path]],
            "names": [],
            "mappings": each_its_own,
        }
        sections.append({"offset": {"line": line + 1, "column": 0}, "map": shown})
        parts.append(part)
        line += part.count("\n")
    return Bundle("".join(parts), json.dumps({"version": 3, "sections": sections}))


def _without_comments(code: str) -> str:
    """Leave out types and reasons where they fill lines, a third of the whole; lines keep their numbers."""
    return _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), code)


def _in_order(modules: Mapping[str, str], main: str) -> dict[str, None]:
    """Return what a module imports, then itself; each but once."""
    order: dict[str, None] = {}

    def walk(path: str, above: tuple[str, ...]) -> None:
        if path in above:
            raise BridgeError(f"dashboard: {' imports '.join([*above, path])}: expected no circle")
        if path not in modules:
            raise BridgeError(
                f"dashboard: {' imports '.join([*above, path])}: expected a module of that name"
            )
        for found in _IMPORT.finditer(modules[path]):
            imported = _resolve(path, found[3])
            if imported not in order:
                walk(imported, (*above, path))
        order[path] = None

    walk(main, ())
    return order


def _as_function(path: str, code: str) -> str:
    exported: dict[str, str] = {}
    """The name outside, and what gives it here."""

    def take(found: re.Match[str]) -> str:
        source = _name(_resolve(path, found[3]))
        names = [name.strip().split(" as ") for name in found[2].split(",") if name.strip()]
        lines = "\n" * found[0].count("\n")
        if found[1] == "export":
            exported.update({name[-1]: f"{source}.{name[0]}" for name in names})
            return lines
        return f"const {{ {', '.join(': '.join(name) for name in names)} }} = {source}{lines}"

    code = _EMPTY.sub("", _IMPORT.sub(take, code))
    for found in _EXPORT.finditer(code):
        exported.update({name: name for name in (found[1] or found[2]).split(", ")})
    code = _EXPORT.sub(lambda found: found[0].removeprefix("export "), code)
    if unknown := _UNKNOWN.search(code):
        raise BridgeError(
            f'dashboard: {path}: got "{unknown[0]}", '
            'expected import { … } from "…", or export class, function or const'
        )
    return f"{code}\nreturn {{ {', '.join(f'{name}: {value}' for name, value in exported.items())} }}"


def _resolve(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _name(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path.strip("/").removesuffix(".js"))
