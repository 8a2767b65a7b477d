"""The configuration keys, in tables, from `fleetglass.cli.keys`."""

from typing import Final

from documentation.messages import table
from fleetglass.cli.keys import KEYS, Key

SECTIONS: Final = {
    "Agent and bridge": ("at the top of the file, or under a part for that part alone", lambda key: key.is_shared),
    "Agent": ("under `agent:`", lambda key: not key.is_shared and "agent" in key.parts),
    "Bridge": ("under `bridge:`", lambda key: not key.is_shared and "bridge" in key.parts),
    "Watch": (
        "under `watch:`",
        lambda key: not key.is_shared and not {"agent", "bridge"} & key.parts,
    ),
}


def tables() -> str:
    """Return a table of keys for each section of the file."""
    parts = []
    for title, (where, belongs) in SECTIONS.items():
        rows = [_row(key) for key in KEYS if belongs(key)]
        heads = ("in YAML, environment, argument", "what it says", "read by")
        parts += [f"### {title}", f"In YAML {where}.", table(heads, rows)]
    return "\n\n".join(parts)


def _row(key: Key) -> tuple[str, ...]:
    names = [f"`{key.variable}`"]
    if not key.secret:
        options = ", ".join(f"`{option}`" for option in (key.option, *key.aliases))
        names = [f"`{key.name}`", *names, options]
    more = "; may be given several times" if key.repeated else ""
    lines = [key.doc + more, f"expected: {_code(key.kind.expected)}"]
    if key.default:
        lines.append(f"default: {_code(key.default)}")
    return ("<br>".join(names), "<br>".join(lines), ", ".join(sorted(key.parts)))


def _code(text: str) -> str:
    return f"`{text}`" if " " not in text or "://" in text else text
