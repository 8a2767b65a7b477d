import re
from pathlib import Path

from support.user_messages import messages, notices

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `([^`]+)` \| (.+?) \|$", PAGE, re.MULTILINE))


def test_every_message_has_its_remedy() -> None:
    """Each error, warning and notice in the source stands on the page with what to do."""
    said = messages(REPOSITORY) | notices(REPOSITORY)
    assert len(said) > 150
    missing = [f"| `{text}` | |   <- {where}" for text, where in said.items() if plain(text) not in ROWS]
    assert not missing, "docs/troubleshooting.md lacks:\n" + "\n".join(missing)


def test_every_remedy_has_its_message() -> None:
    """The page tells of no message that nobody says any more."""
    said = {plain(text) for text in messages(REPOSITORY) | notices(REPOSITORY)}
    assert not [text for text in ROWS if text not in said]


def plain(text: str) -> str:
    return text.replace("`", "")
