"""The commands and their arguments, in tables, from the parsers themselves."""

import argparse
import importlib

from documentation.messages import table
from fleetglass.cli.configuration.arguments import Parser
from fleetglass.cli.configuration.keys import KEYS
from fleetglass.cli.main import COMMANDS


def sections() -> str:
    """Return a section for each command."""
    return "\n\n".join(_section(name, text) for name, text in COMMANDS.items())


def _section(name: str, text: str) -> str:
    parser = Parser(prog=f"fleetglass {name}", allow_abbrev=False)
    importlib.import_module(f"fleetglass.cli.commands.{name}").add_arguments(parser)
    parts = [f"### fleetglass {name}", f"{text[0].upper()}{text[1:]}.", *_arguments(parser)]
    for verb, (inner, about) in _verbs(parser).items():
        parts += [f"**`fleetglass {name} {verb}`**: {about}", *_arguments(inner)]
    return "\n\n".join(parts)


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    named = {key.name for key in KEYS} | {"config"}
    own = [action for action in parser._actions if _is_argument(action) and action.dest not in named]  # noqa: SLF001 - argparse tells its arguments nowhere else
    keys = [action for action in parser._actions if action.option_strings and action.dest in named]  # noqa: SLF001
    rows = [(_usage(action), " ".join((action.help or "").replace("%%", "%").split())) for action in own]
    parts = [table(("argument", "what"), rows)] if rows else []
    if keys:
        options = ", ".join(f"`{action.option_strings[0]}`" for action in keys)
        parts.append(f"Of the keys: {options}.")
    return parts


def _is_argument(action: argparse.Action) -> bool:
    return not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001


def _usage(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest)
    if not action.option_strings:
        return f"`{name}`"
    value = "" if action.nargs == 0 else f" {name}"
    return ", ".join(f"`{option}{value}`" for option in action.option_strings)


def _verbs(parser: argparse.ArgumentParser) -> dict[str, tuple[argparse.ArgumentParser, str]]:
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
            return {name: (inner, about.get(name, "")) for name, inner in action.choices.items()}
    return {}
