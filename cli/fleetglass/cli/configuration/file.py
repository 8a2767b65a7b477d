"""Where settings come from: defaults < YAML file < environment < arguments, each read and checked once."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetglass.cli.configuration.keys import (
    ENVIRONMENT_PREFIX,
    KEYS,
    OTHER_VARIABLES,
    SECTIONS,
    Key,
    Part,
    keys_of,
    section_of,
)
from fleetglass.cli.configuration.reachable import warn_if_exposed
from fleetglass.wire import ContractError
from fleetglass.wire.errors import UsageError


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that was said by a user, checked. `get` gives what one part was told."""

    path: Path | None
    """The file that was read."""
    file: Mapping[str, Mapping[str, object]]
    """Values of the file by section, the top level under the empty name."""
    environment: Mapping[str, object]
    arguments: Mapping[str, object]

    def get(self, name: str, part: Part) -> Any:
        """Return the value of a key for a part, or None where nobody said anything."""
        return next((values[name] for values in self._sources(part) if name in values), None)

    def said_last(self, part: Part, *names: str) -> str | None:
        """Return which of these keys, of which only one can be, was said for a part.

        Raises:
            UsageError: two of them were said in one place.
        """
        for values in self._sources(part):
            said = [name for name in names if name in values]
            if len(said) > 1:
                raise UsageError(f"{said[0]}: got {said[1]} as well, expected one of them")
            if said:
                return said[0]
        return None

    def _sources(self, part: Part) -> tuple[Mapping[str, object], ...]:
        """Return where a part's keys are looked up, in this order."""
        return (
            self.arguments,
            self.environment,
            self.file.get(section_of(part), {}),
            self.file.get("", {}),
        )


def read_configuration(
    arguments: Mapping[str, object], environment: Mapping[str, str] = os.environ
) -> Configuration:
    """Read every source; `arguments` holds texts by key as the parser left them, and `config`.

    Raises:
        UsageError: something named is missing, unknown, or not what it should be.
    """
    path = _find_file(arguments.get("config"), environment)
    return Configuration(
        path=path,
        file=_read_file(path) if path else {},
        environment=_read_environment(environment),
        arguments=_read_arguments(arguments),
    )


def _find_file(named: object, environment: Mapping[str, str]) -> Path | None:
    if isinstance(named, str):
        return _existing(named, "--config")
    if named := environment.get(ENVIRONMENT_PREFIX + "CONFIG"):
        return _existing(named, ENVIRONMENT_PREFIX + "CONFIG")
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")  # noqa: PTH118 - HOME may be empty
    for folder in (Path(home), Path("/etc")):
        candidate = folder / "fleetglass" / "fleetglass.yaml"
        if not candidate.is_absolute() or not os.access(candidate, os.F_OK):
            continue
        if os.access(candidate, os.R_OK):
            return candidate
        # It may hold the host's credential, which is not for every user of the host.
        text = f"configuration file: {candidate} may not be read by this user, and is left out"
        print(f"fleetglass: warning: {text}", file=sys.stderr)
    return None


def _existing(named: str, where: str) -> Path:
    path = Path(named).expanduser()
    if not os.path.isfile(path):  # noqa: PTH113 - a folder that may not be entered is an error of its own in Path
        raise UsageError(f"configuration file: got {named!r}, expected a file that exists ({where})")
    return path


def _read_file(path: Path) -> dict[str, dict[str, object]]:
    content = _load_yaml(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(f"configuration: got {_kind_of(content)}, expected keys and values ({path})")
    top = {name: value for name, value in content.items() if name not in SECTIONS}
    values = {"": dict(_read_section(top, "", path))}
    for section in SECTIONS:
        inner = content.get(section)
        if inner is None:
            continue
        if not isinstance(inner, dict):
            raise UsageError(f"{section}: got {_kind_of(inner)}, expected keys and values ({path})")
        values[section] = dict(_read_section(inner, section, path))
    return values


def _load_yaml(path: Path) -> Any:
    from fleetglass.fleet.yaml_file import read_yaml  # an agent without a file never loads it

    try:
        return read_yaml(path, "configuration")
    except ContractError as error:
        raise UsageError(*error.args) from error


def _read_section(content: Mapping[Any, object], section: str, path: Path) -> Iterator[tuple[str, object]]:
    known = {key.name: key for key in _file_keys(section)}
    for name, value in content.items():
        full_name = f"{section}.{name}" if section else str(name)
        if name not in known:
            raise UsageError(f"{full_name}: got an unknown key, expected {_suggest(name, section)} ({path})")
        if value is not None:
            if known[name].secret:
                warn_if_exposed(path, full_name)
            yield name, _read_value(known[name], value, f"{full_name} in {path}")


def _file_keys(section: str) -> Iterable[Key]:
    return keys_of(SECTIONS[section]) if section else [key for key in KEYS if key.is_shared]


def _suggest(name: object, section: str) -> str:
    import difflib  # only an error needs it

    here = [key.name for key in _file_keys(section)]
    if not section:
        here += SECTIONS
    if near := difflib.get_close_matches(str(name), here, n=1):
        return f"perhaps {near[0]!r}"
    elsewhere = {key.name: other for other in SECTIONS for key in _file_keys(other)}
    if other := elsewhere.get(str(name)):
        return f"it under {other}:"
    return "one of " + ", ".join(sorted(here))


def _read_environment(environment: Mapping[str, str]) -> dict[str, object]:
    keys = {key.variable: key for key in KEYS}
    values = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _OTHER:
            continue
        if variable not in keys:
            import difflib  # only an error needs it

            near = difflib.get_close_matches(variable, [*keys, *_OTHER], n=1)
            hint = f"perhaps {near[0]}" if near else "a variable that fleetglass reads"
            raise UsageError(f"{variable}: got an unknown variable, expected {hint} (environment)")
        if text:
            values[keys[variable].name] = _read_value(keys[variable], text, variable)
    return values


_OTHER = frozenset(ENVIRONMENT_PREFIX + name for name in OTHER_VARIABLES)


def _read_arguments(arguments: Mapping[str, object]) -> dict[str, object]:
    keys = {key.name: key for key in KEYS}
    return {
        name: _read_value(keys[name], value, keys[name].option)
        for name, value in arguments.items()
        if name in keys and keys[name].is_argument and value is not None
    }


def _read_value(key: Key, value: object, where: str) -> object:
    try:
        return key.kind.read(value)
    except ContractError as error:
        raise UsageError(*(f"{line} ({where})" for line in error.args)) from error
    except ValueError as error:
        got = "a secret" if key.secret else ascii(value)[:120]
        raise UsageError(f"{key.name}: got {got}, expected {key.kind.expected} ({where})") from error


def _kind_of(value: object) -> str:
    return "a list" if isinstance(value, list) else ascii(value)[:40]
