from collections.abc import Callable
from pathlib import Path

import pytest

from fleetglass.fleet.file_change import FileChange


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("b"),
        lambda path: path.unlink(),
        lambda path: path.with_name("new").rename(path),
        lambda path: path.chmod(0o640),
    ],
    ids=["written", "removed", "replaced", "permitted"],
)
def test_a_change_is_told_once(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Whatever it is: a file that may be read now can be taken, though it is no newer."""
    path = tmp_path / "file"
    for one in (path, path.with_name("new")):
        one.write_text("a")
        one.chmod(0o600)
    seen = FileChange(path)
    assert not seen.happened()
    change(path)
    assert seen.happened()
    assert not seen.happened()


def test_a_file_that_comes_later_is_a_change(tmp_path: Path) -> None:
    """A file that is not there yet is no error."""
    seen = FileChange(tmp_path / "file")
    assert not seen.happened()
    (tmp_path / "file").touch()
    assert seen.happened()
