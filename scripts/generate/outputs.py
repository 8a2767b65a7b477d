"""Every generated file, and how it is made."""

from pathlib import Path
from typing import Final

from generate import licences, page_types, reference

REPOSITORY: Final = Path(__file__).resolve().parents[2]
PAGE_TYPES: Final = REPOSITORY / "dashboard" / "src" / "data" / "contract.js"


def outputs() -> dict[Path, str]:
    """Return the text of each generated file by its path."""
    docs = REPOSITORY / "docs"
    return {
        **reference.pages(docs),
        docs / "licences.md": licences.page(),
        PAGE_TYPES: page_types.module(),
    }
