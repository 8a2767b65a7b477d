"""The configuration keys, in tables, from `fleetglass.cli.configuration.keys`."""

from functools import cache
from typing import Final, get_args

from documentation.messages import table
from fleetglass.cli.configuration.arguments import Parser, add_keys
from fleetglass.cli.configuration.file import _file_keys
from fleetglass.cli.configuration.keys import KEYS, Key, Part
from fleetglass.cli.configuration.keys import SECTIONS as SECTIONS_OF_THE_FILE

SECTIONS: Final[dict[str, tuple[str, Part | None]]] = {
    "Agent and bridge": ("at the top of the file, or under a part for that part alone", None),
    "Agent": ("under `agent:`", "agent"),
    "Bridge": ("under `bridge:`", "bridge"),
    "Watch": ("under `watch:`", "watch"),
}


def tables() -> str:
    """Return a table of keys for each section of the file."""
    parts = []
    for title, (where, part) in SECTIONS.items():
        rows = [_row(key) for key in KEYS if _section(key) == part]
        heads = ("in YAML, environment, argument", "what it says", "read by")
        parts += [f"### {title}", f"In YAML {where}.", table(heads, rows)]
    return "\n\n".join(parts)


def _section(key: Key) -> Part | None:
    return (
        None if key.is_shared else next(part for part in SECTIONS_OF_THE_FILE.values() if part in key.parts)
    )


def _row(key: Key) -> tuple[str, ...]:
    negated = key.option.startswith("--no-")
    names = [f"`{key.variable}{'=false' * negated}`"]
    if key in _file_keys(_section(key) or ""):
        names.insert(0, f"`{key.name}{': false' * negated}`")
    if key.option in _options():
        names.append(", ".join(f"`{option}`" for option in (key.option, *key.aliases)))
    lines = [key.doc.replace("<", "&lt;") + ("; may be given several times" if key.repeated else "")]
    if not negated:
        lines.append(f"expected: {_code(key.kind.expected)}")
    if key.default:
        lines.append(f"default: {_code(key.default)}")
    return ("<br>".join(names), "<br>".join(lines), ", ".join(sorted(key.parts)))


@cache
def _options() -> frozenset[str]:
    parser = Parser()
    add_keys(parser, *get_args(Part))
    return frozenset(parser._option_string_actions)  # noqa: SLF001 - argparse tells its arguments nowhere else


def _code(text: str) -> str:
    return f"`{text}`" if " " not in text or "://" in text else text
