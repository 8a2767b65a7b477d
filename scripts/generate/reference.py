"""The parts of the reference pages that derive from the code.

A page keeps them between `<!-- begin NAME -->` and `<!-- end NAME -->`; the rest of it is written by hand.
"""

import re
from pathlib import Path
from typing import Final

from generate import command_tables, key_tables, message_tables, schemas

BLOCKS: Final = {
    "topics.md": {
        "topics": message_tables.topics,
        "units": message_tables.units,
        "payloads": message_tables.payloads,
        "groups": message_tables.groups,
    },
    "protocol.md": {
        "limits": message_tables.limits,
        "viewer": message_tables.viewer,
        "bridge": message_tables.bridge,
        "codes": message_tables.codes,
    },
    "configuration.md": {"keys": key_tables.tables, "commands": command_tables.sections},
}


def pages(docs: Path) -> dict[Path, str]:
    """Return the text of each page of the reference, and of each schema, by path.

    Raises:
        LookupError: a page has no place for a part, or one for a part that is not made.
    """
    files = {docs / "schema" / name: text for name, text in schemas.files().items()}
    for name, blocks in BLOCKS.items():
        path = docs / name
        text = path.read_text("utf-8")
        marks = re.findall(r"<!-- begin (\S+) -->", text)
        if marks != list(blocks):
            raise LookupError(f"{path}: got places for {marks}, expected {list(blocks)}")
        for block, make in blocks.items():
            begin, end = f"<!-- begin {block} -->\n", f"<!-- end {block} -->"
            before, _, rest = text.partition(begin)
            text = f"{before}{begin}\n{make().strip()}\n\n{end}{rest.partition(end)[2]}"
        files[path] = text
    return files
