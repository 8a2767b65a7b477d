"""The commands and their arguments, in tables, from the parsers themselves."""

import argparse
import importlib

from fleetglass.cli.configuration.arguments import Parser
from fleetglass.cli.configuration.keys import KEYS
from fleetglass.cli.main import COMMANDS
from generate.key_tables import arguments_by_section
from generate.message_tables import table


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
    actions = [action for action in parser._actions if _is_argument(action)]  # noqa: SLF001 - argparse tells its arguments nowhere else
    given = {action.dest for action in actions if action.option_strings}
    keys = {"config", *(key.name for key in KEYS if key.is_argument)} & given if "config" in given else set()
    own = [action for action in actions if not (action.option_strings and action.dest in keys)]
    rows = [(_usage(action), " ".join((action.help or "").replace("%%", "%").split())) for action in own]
    parts = [table(("argument", "meaning"), rows)] if rows else []
    return [*parts, _keys(keys)] if keys else parts


def _keys(names: set[str]) -> str:
    """Return a sentence that links the sections taken as a whole, and names the other keys."""
    links, options = [], ["`--config`"]
    for title, keys in arguments_by_section().items():
        if names.issuperset(key.name for key in keys):
            links.append(f"[{title}](#{title.lower().replace(' ', '-')})")
        else:
            options += [f"`{key.option}`" for key in keys if key.name in names]
    every = f", and all keys of {', '.join(links)}" if links else ""
    return f"Also takes {', '.join(options)}{every}."


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
