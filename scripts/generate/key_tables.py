"""The configuration keys, in tables, from `fleetglass.cli.configuration.keys`."""

from typing import Final, Literal

from fleetglass.cli.configuration.file import _file_keys
from fleetglass.cli.configuration.keys import KEYS, Key, Part
from fleetglass.cli.configuration.keys import SECTIONS as SECTIONS_OF_THE_FILE
from generate.message_tables import table

Section = Part | Literal["fleet"]
_SHARED: Final = "at the top of the file, or under a part for that part alone"
SECTIONS: Final[dict[str, tuple[str, Section | None]]] = {
    "Agent and bridge": (_SHARED, None),
    "Fleet": (_SHARED, "fleet"),
    "Agent": ("under `agent:`", "agent"),
    "Bridge": ("under `bridge:`", "bridge"),
    "Watch": ("under `watch:`", "watch"),
}


def tables() -> str:
    """Return a table of keys for each section of the file."""
    parts = []
    for title, (where, part) in SECTIONS.items():
        rows = [_row(key) for key in KEYS if _section(key) == part]
        heads = ("in YAML, environment, argument", "meaning", "read by")
        parts += [f"### {title}", f"In YAML {where}.", table(heads, rows)]
    return "\n\n".join(parts)


def arguments_by_section() -> dict[str, list[Key]]:
    """Return the keys of each section that are arguments as well."""
    return {
        title: [key for key in KEYS if _section(key) == part and key.is_argument]
        for title, (_, part) in SECTIONS.items()
    }


def _section(key: Key) -> Section | None:
    if key.is_shared:
        return "fleet" if key.of_fleet else None
    return next(part for part in SECTIONS_OF_THE_FILE.values() if part in key.parts)


def _row(key: Key) -> tuple[str, ...]:
    negated = key.option.startswith("--no-")
    names = [f"`{key.variable}{'=false' * negated}`"]
    if key in _file_keys("" if key.is_shared else _section(key) or ""):
        names.insert(0, f"`{key.name}{': false' * negated}`")
    if key.is_argument:
        names.append(", ".join(f"`{option}`" for option in (key.option, *key.aliases)))
    lines = [key.doc.replace("<", "&lt;") + ("; may be given several times" if key.repeated else "")]
    if not negated:
        lines.append(f"expected: {_code(key.kind.expected)}")
    if key.default:
        lines.append(f"default: {_code(key.default)}")
    return ("<br>".join(names), "<br>".join(lines), ", ".join(sorted(key.parts)))


def _code(text: str) -> str:
    return f"`{text}`" if " " not in text or "://" in text else text
