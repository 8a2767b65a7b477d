from generate.licences import license_of, locked, shipped_files

FREE = {"MIT", "MIT-0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "MPL-2.0", "PSF-2.0"}


def test_the_text_of_each_licence_is_there() -> None:
    """Each licence text that the page of licences links is in the repository."""
    assert all(file.is_file() for file in shipped_files())


def test_nobody_is_bound_by_what_is_installed() -> None:
    """Each package that Fleetglass runs with may be used by anyone in any way, or at their choice."""
    alternatives = {name: license_of(name).split(" OR ") for name in locked("run")}
    assert [
        name
        for name, licences in alternatives.items()
        if not any(set(one.split(" AND ")) <= FREE for one in licences)
    ] == []
