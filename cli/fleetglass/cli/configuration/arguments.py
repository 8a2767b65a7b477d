"""Arguments, derived from the table of keys. A wrong one ends in one line, like every other error."""

import argparse
from collections.abc import Mapping
from typing import NoReturn, TypeVar

from fleetglass.cli.configuration.keys import Key, Part, keys_of
from fleetglass.cli.configuration.values import Flag, Kind
from fleetglass.wire.errors import UsageError

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of printing its usage and ending the program."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong as one line."""
        raise UsageError(f"arguments: {message} ({self.prog} --help lists what is expected)")


def add_keys(parser: argparse.ArgumentParser, *parts: Part, without: tuple[str, ...] = ()) -> None:
    """Add `--config` and the argument of every key of these parts; texts are kept as they are."""
    parser.add_argument("--config", metavar="FILE", help="YAML file with any of these settings")
    for key in keys_of(*parts):
        if key.is_argument and key.name not in without:
            _add(parser, key)


def key_arguments(values: Mapping[str, object], *parts: Part) -> list[str]:
    """Return those of the values, given as arguments, that belong to these parts: for a child process."""
    given: list[str] = []
    if isinstance(path := values.get("config"), str):
        given += ["--config", path]
    for key in keys_of(*parts):
        value = values.get(key.name)
        if isinstance(value, bool):
            given.append(key.option)
        elif value is not None:
            for text in value if isinstance(value, list | tuple) else [value]:
                given.append(f"{key.option}={text}")
    return given


def read_option(kind: Kind[T], text: str, option: str) -> T:
    """Return the value of an argument that is no key.

    Raises:
        UsageError: it is not of the kind.
    """
    try:
        return kind.read(text)
    except ValueError as error:
        raise UsageError(f"{option}: got {ascii(text)[:80]}, expected {kind.expected}") from error


def _add(parser: argparse.ArgumentParser, key: Key) -> None:
    text = (key.doc + (f" (default: {key.default})" if key.default else "")).replace("%", "%%")
    if isinstance(key.kind, Flag):
        action = "store_false" if key.option.startswith("--no-") else "store_true"
        parser.add_argument(key.option, dest=key.name, action=action, default=None, help=text)
    else:
        action = "append" if key.repeated else "store"
        parser.add_argument(
            key.option, *key.aliases, dest=key.name, action=action, metavar=key.metavar, help=text
        )
