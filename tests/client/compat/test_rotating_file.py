import json
import os
from pathlib import Path

import pytest

from fleetglass.client.compat.rotating_file import RotatingFile


def test_lines_of_json(tmp_path: Path) -> None:
    """Each message is one line, there when `write` returns."""
    path = tmp_path / "data.jsonl"
    with RotatingFile(path) as file:
        file.write_json({"host": "a", "text": "two\nlines"})
        file.write_json({"host": "b"})
        hosts = [json.loads(line)["host"] for line in path.read_text().splitlines()]
    assert hosts == ["a", "b"]


def test_bounded(tmp_path: Path) -> None:
    """A full file is renamed, older ones move on, and no more than `files` of them stay."""
    path = tmp_path / "data.jsonl"
    with RotatingFile(path, size_bytes=10, files=2) as file:
        for number in range(10):
            file.write(b"line%d" % number)
    names = ["data.jsonl", "data.jsonl.1", "data.jsonl.2"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == names
    assert [(tmp_path / name).read_text().split() for name in names] == [["line9"], ["line8"], ["line7"]]


def test_goes_on_where_it_was(tmp_path: Path) -> None:
    """What a file holds already counts, and a line that was cut off there is ended first."""
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"cut")
    with RotatingFile(path, size_bytes=10) as file:
        file.write(b"next")
        file.write(b"last")
    assert (tmp_path / "data.jsonl.1").read_bytes() == b"cut\nnext\n"
    assert path.read_bytes() == b"last\n"


def test_line_larger_than_the_file(tmp_path: Path) -> None:
    """A line that is too long is kept whole, in a file of its own."""
    path = tmp_path / "data.jsonl"
    with RotatingFile(path, size_bytes=4) as file:
        file.write(b"longer")
        file.write(b"b")
    assert (tmp_path / "data.jsonl.1").read_bytes() == b"longer\n"
    assert path.read_bytes() == b"b\n"


def test_what_is_no_plain_file_is_not_renamed(tmp_path: Path) -> None:
    """A pipe gets every line and stays where it is."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with RotatingFile(path, size_bytes=4) as file:
        file.write(b"first")
        file.write(b"second")
    assert os.read(reading, 100) == b"first\nsecond\n"
    os.close(reading)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


def test_not_writable(tmp_path: Path) -> None:
    """A file that cannot be written is told at once."""
    with pytest.raises(FileNotFoundError):
        RotatingFile(tmp_path / "missing" / "data.jsonl")
