import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
ROW = re.compile(r"^\| S4-(c?\d+) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
PROMISED = {str(number) for number in range(1, 86)} | {f"c{number}" for number in range(1, 12)}


def cited(text: str) -> set[str]:
    """Return the ids in a text, those of "S4-25 to S4-28" all."""
    found = set(re.findall(r"S4-(c?\d+)", text))
    for first, last in re.findall(r"S4-(\d+) to (?:S4-)?(\d+)", text):
        found |= {str(number) for number in range(int(first), int(last) + 1)}
    return found


def test_every_promise_is_proved_or_has_a_reason() -> None:
    """Each id stands there once, with a test that is there, with ids that it is part of, or with a reason."""
    rows = ROW.findall((REPOSITORY / "docs" / "acceptance.md").read_text("utf-8"))
    assert sorted(name for name, _ in rows) == sorted(PROMISED)
    for name, proof in rows:
        paths = [REPOSITORY / path for path in re.findall(r"`(tests/[^`]+)`", proof)]
        assert all(path.exists() for path in paths), f"S4-{name}: {proof}"
        assert paths or cited(proof) or "reason: " in proof or "own row" in proof, f"S4-{name}: {proof}"


def test_what_a_test_cites_is_promised() -> None:
    """No test cites an id that does not exist, and each test file that cites one is named in its row."""
    rows = dict(ROW.findall((REPOSITORY / "docs" / "acceptance.md").read_text("utf-8")))
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        if path == Path(__file__):
            continue
        for name in cited(path.read_text("utf-8")):
            proof = rows.get(name, "")
            named = path.relative_to(REPOSITORY).as_posix() in proof
            assert named or cited(proof) or "reason: " in proof, f"S4-{name} in {path}"
