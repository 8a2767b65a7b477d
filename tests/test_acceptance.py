import ast
import re
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "acceptance.md"
ROW = re.compile(r"^\| (S\d-(?:c|s)?\d+|D-[a-z]+) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)

# How many promises each program made, and (`-c`) what its code did; `S4-s` is the server of the fourth.
PROMISES = {"S0": (18, 12), "S1": (37, 6), "S2": (28, 4), "S3": (14, 4), "S4": (85, 11)}
DECISIONS = ("interval", "port", "encoding", "units", "colours", "alerts", "collection")
PROMISED = {
    *(f"{name}-{number + 1}" for name, (told, _) in PROMISES.items() for number in range(told)),
    *(f"{name}-c{number + 1}" for name, (_, done) in PROMISES.items() for number in range(done)),
    *(f"S4-s{number + 1}" for number in range(6)),
    *(f"D-{decision}" for decision in DECISIONS),
}


def cited(text: str) -> set[str]:
    """Return the ids in a text, those of "S4-25 to S4-28" all."""
    found = set(re.findall(r"S\d-(?:c|s)?\d+", text))
    for name, first, last in re.findall(r"(S\d)-(\d+) to (?:S\d-)?(\d+)", text):
        found |= {f"{name}-{number}" for number in range(int(first), int(last) + 1)}
    return found


@cache
def functions_of(path: Path) -> set[str]:
    """Return the names of the functions in a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_is_proved_or_has_a_reason() -> None:
    """Each id has one row, with tests and pages that are there, ids that it is part of, or a reason."""
    assert len(PROMISED) == 232
    rows = ROW.findall(PAGE.read_text("utf-8"))
    assert sorted(name for name, _ in rows) == sorted(PROMISED)
    for name, proof in rows:
        tests = re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", proof)
        pages = re.findall(r"\]\(([^)]+)\)", proof)
        for path, test in tests:
            assert (REPOSITORY / path).exists(), f"{name}: {path}"
            assert not test or test in functions_of(REPOSITORY / path), f"{name}: {path}::{test}"
        assert all((PAGE.parent / page).exists() for page in pages), f"{name}: {proof}"
        proved = tests or pages or cited(proof) or "reason: " in proof or "own row" in proof
        assert proved, f"{name}: {proof}"


def test_what_must_not_come_back_has_a_test() -> None:
    """A row that names a defect to avoid is proved by a test of its own, and not by words."""
    avoided = re.findall(
        r"^\| (\S+) \| [^|]*avoid: [^|]+ \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert len(avoided) >= 10
    for name, proof in avoided:
        assert re.search(r"`tests/[^`]+::test_\w+`", proof), name


def test_what_a_test_cites_is_promised() -> None:
    """No test cites an id that does not exist, and each test file that cites one is named in its row."""
    rows = dict(ROW.findall(PAGE.read_text("utf-8")))
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        if path == Path(__file__):
            continue
        for name in cited(path.read_text("utf-8")):
            proof = rows.get(name, "")
            named = path.relative_to(REPOSITORY).as_posix() in proof
            assert named or cited(proof) or "reason: " in proof, f"{name} in {path}"
