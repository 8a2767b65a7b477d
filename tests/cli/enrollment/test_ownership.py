import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetglass.cli.enrollment.ownership import changeable_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another user")


def test_the_folders_of_a_test_may_be_trusted(tmp_path: Path) -> None:
    """Everybody may write into /tmp, but nobody may rename there what is another user's: it is sticky."""
    assert changeable_folder(tmp_path / "not" / "there" / "yet") is None


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_on_the_path_that_others_may_write(tmp_path: Path, mode: int) -> None:
    """Group and others may write: they could put another folder in place of the next one."""
    open_to_all = tmp_path / "open"
    (open_to_all / "a").mkdir(parents=True)
    open_to_all.chmod(mode)
    assert changeable_folder(open_to_all / "a" / "b") == open_to_all
    open_to_all.chmod(mode | 0o1000)
    assert changeable_folder(open_to_all / "a" / "b") is None


@as_root
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o1777])
def test_a_folder_on_the_path_of_another_user(tmp_path: Path, mode: int) -> None:
    """Whoever owns a folder may rename what is in it, whatever its mode."""
    home = tmp_path / "alice"
    home.mkdir()
    home.chmod(mode)
    os.chown(home, 12345, 12345)
    assert changeable_folder(home / "broker") == home


def through_a_folder(home: Path, place: Path) -> Path:
    (home / "link").symlink_to(place)
    return home / "link"


def through_two_links(home: Path, place: Path) -> Path:
    (home / "second").symlink_to(place)
    first = home.parent / "first"
    first.symlink_to("alice/second")
    return first


def through_dots(home: Path, place: Path) -> Path:
    return home / ".." / place.name


@pytest.mark.parametrize("path_through", [through_a_folder, through_two_links, through_dots])
def test_a_link_is_followed(tmp_path: Path, path_through: Callable[[Path, Path], Path]) -> None:
    """Whoever may change a link on the path decides where it leads."""
    home, place = tmp_path / "alice", tmp_path / "place"
    home.mkdir()
    place.mkdir()
    path = path_through(home, place)
    assert changeable_folder(path / "broker") is None
    home.chmod(0o777)
    assert changeable_folder(path / "broker") == home


def test_links_in_a_circle_have_an_end(tmp_path: Path) -> None:
    """A link that leads to itself is an error as it is for the system."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        changeable_folder(tmp_path / "loop" / "broker")
