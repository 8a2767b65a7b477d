import pytest

from support.licences import REPOSITORY, license_of, locked, page, shipped_files

PAGE = REPOSITORY / "docs" / "licences.md"
FREE = {"MIT", "MIT-0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "MPL-2.0", "PSF-2.0"}


def test_the_page_is_complete(request: pytest.FixtureRequest) -> None:
    """It lists everything that is locked or shipped, with the licences of now."""
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(), "utf-8")
    assert PAGE.read_text("utf-8") == page(), "see the second line of docs/licences.md"
    assert all(file.is_file() for file in shipped_files())


def test_nobody_is_bound_by_what_is_installed() -> None:
    """Each package that Fleetglass runs with may be used by anyone in any way, or at their choice."""
    alternatives = {name: license_of(name).split(" OR ") for name in locked("run")}
    assert [
        name
        for name, licences in alternatives.items()
        if not any(set(one.split(" AND ")) <= FREE for one in licences)
    ] == []
