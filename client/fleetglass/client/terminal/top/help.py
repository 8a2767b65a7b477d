"""What `?` shows."""

from typing import Final

from fleetglass.client.terminal.top.drawing import GLYPHS, Line

_KEYS: Final = (
    ("The fleet", ""),
    ("j k ↓ ↑", "next host, previous host; also Space, PgUp, PgDn, Home, End"),
    ("Enter", "open the host"),
    ("/", "filter by name, system, tag, state or “attention”; Esc ends it"),
    ("a", "what needs attention first"),
    ("n c m d l", "sort by name, CPU, memory, fullest disk, load; again: reverse"),
    ("i o t u", "sort by network in and out, hottest sensor, time up"),
    ("A host", ""),
    ("j k ↓ ↑", "scroll"),
    ("[ ]", "previous host, next host"),
    ("c m", "its largest processes by CPU, by memory"),
    ("Esc", "back to the fleet"),
    ("Everywhere", ""),
    ("p", "pause, or go on"),
    ("q Ctrl-C", "quit"),
    ("", ""),
)


def help_lines() -> list[Line]:
    """Return the keys and the marks, in at most 22 lines of 80 cells."""
    lines: list[Line] = [[("Fleetglass: keys", "strong"), ("    any key goes back", "dim")]]
    for keys, words in _KEYS:
        lines.append([("  " + f"{keys:<12}", "strong"), (words, "")] if words else [(keys, "title")])
    marks: Line = []
    for name, (glyph, role) in GLYPHS.items():
        marks += [(f"  {glyph} ", role), (name, "")]
    lines += [marks, [("  live without trouble; late: no sample in time; lost: nothing for 30 s", "dim")]]
    return lines
