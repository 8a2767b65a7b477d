from pathlib import Path

import pytest

from fleetglass.fleet import yaml_file
from fleetglass.fleet.yaml_file import read_yaml
from fleetglass.wire.errors import ContractError


def refusal(path: Path) -> str:
    with pytest.raises(ContractError) as refused:
        read_yaml(path, "list")
    (line,) = refused.value.args
    assert "\n" not in line
    assert str(path) in line
    return str(line).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", None),
        ("# nothing\n", None),
        ("[a, 1]\n", ["a", 1]),
        ("a: &x [b]\nc: *x\n", {"a": ["b"], "c": ["b"]}),
    ],
)
def test_what_is_read(tmp_path: Path, text: str, content: object) -> None:
    """An empty file, or one of comments alone, has no content."""
    path = tmp_path / "f.yaml"
    path.write_text(text)
    assert read_yaml(path, "list") == content


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"- a\n- {b\n", "did not find expected ',' or '}', expected YAML (FILE, line 3)"),
        (b"\xff\xfe", "got bytes that are not UTF-8 (FILE)"),
        (b"\x00" * 99, "not readable, expected YAML (FILE)"),
        (b"[" * 50_000, "too many levels, expected YAML (FILE)"),
        (b"- !!python/object:os.system x\n", "could not determine a constructor"),
        (b"- 2026-02-30\n", "got a value that YAML does not allow"),
        (b"a\n--- b\n", "found another document, expected YAML (FILE, line 2)"),
        (b"*nothing\n", "found undefined alias"),
    ],
)
def test_a_file_that_is_no_yaml(tmp_path: Path, data: bytes, said: str) -> None:
    """Each is refused in one line that names the file, and where it can the line in it."""
    path = tmp_path / "f.yaml"
    path.write_bytes(data)
    assert said in refusal(path)


def test_a_key_is_there_once_at_every_level(tmp_path: Path) -> None:
    """YAML would take the last without a word; a node that contains itself is looked at once."""
    path = tmp_path / "f.yaml"
    path.write_text("- {id: a}\n- id: b\n  name: x\n  name: y\n")
    assert refusal(path) == "name: named twice (FILE, line 4)"
    path.write_text("&top\n- *top\n")
    (inner,) = top = read_yaml(path, "list")
    assert inner is top


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absent, a folder, or too long to be a list: the line says which."""
    assert refusal(tmp_path / "none") == "list: No such file or directory (FILE)"
    assert refusal(tmp_path) == "list: Is a directory (FILE)"
    monkeypatch.setattr(yaml_file, "MAX_FILE_BYTES", 2 << 20)
    path = tmp_path / "f.yaml"
    path.write_bytes(b"#" * ((2 << 20) + 1))
    assert refusal(path) == "list: got more than 2 MiB, expected less (FILE)"


def test_both_parsers_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That in C, and that in Python where PyYAML comes without it."""
    path = tmp_path / "f.yaml"
    path.write_text("- id: a\n  tags: [b, 1]\n  notes: |\n    c\n    d\n")
    found = read_yaml(path, "list")
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    assert read_yaml(path, "list") == found == [{"id": "a", "tags": ["b", 1], "notes": "c\nd\n"}]
