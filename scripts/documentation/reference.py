"""Writes the parts of the reference that derive from the code: `scripts/write-reference`.

A page keeps them between `<!-- begin NAME -->` and `<!-- end NAME -->`; all else in it is written by hand.
"""

import re
from pathlib import Path
from typing import Final

from documentation import commands, keys, messages, schemas

REPOSITORY: Final = Path(__file__).resolve().parents[2]
DOCS: Final = REPOSITORY / "docs"

BLOCKS: Final = {
    "topics.md": {
        "topics": messages.topics,
        "units": messages.units,
        "payloads": messages.payloads,
        "groups": messages.groups,
    },
    "protocol.md": {
        "limits": messages.limits,
        "viewer": messages.viewer,
        "bridge": messages.bridge,
        "codes": messages.codes,
    },
    "configuration.md": {"keys": keys.tables, "commands": commands.sections},
}


def written() -> dict[Path, str]:
    """Return what each file of the reference has to say.

    Raises:
        LookupError: a page has no place for a part, or one for a part that is not made.
    """
    files = {DOCS / "schema" / name: text for name, text in schemas.files().items()}
    for name, blocks in BLOCKS.items():
        path = DOCS / name
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


def main() -> None:
    """Write every file that is not as it should be, and say which."""
    for path, text in written().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            print(path.relative_to(REPOSITORY))


if __name__ == "__main__":
    main()
