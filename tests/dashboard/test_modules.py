import re
from pathlib import Path

import pytest

from support.node import NO_PACKAGES, PACKAGES, has_packages, run_node
from support.page import DASHBOARD

HERE = Path(__file__).parent
MODULES = HERE / "modules"
TESTS = sorted(MODULES.rglob("*.test.js"))
SOURCE = DASHBOARD / "src"
LINE_LENGTH = 110
FOLDERS = ["data", "widgets", "charts", "frame", "panels", "pages"]
"""Of the page's modules; one imports from its own folder and from those before it. `main.js` imports from all."""
IMPORTED = re.compile(r'(?:\bfrom |\bimport\()"(\.[^"]+)"')
"""In code and in the types of comments."""


@pytest.mark.skipif(not has_packages(), reason=NO_PACKAGES)
def test_the_types_of_the_page_fit() -> None:
    """TypeScript finds in the page's JavaScript nothing that cannot be, by the types in its comments."""
    checked = run_node(PACKAGES / "typescript" / "bin" / "tsc", "--project", HERE, "--pretty", "false")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.skipif(not has_packages(), reason=NO_PACKAGES)
def test_the_javascript_is_formatted_and_linted() -> None:
    """Biome would change nothing in the page's JavaScript and its tests, and finds no fault; make format applies it."""
    checked = run_node(PACKAGES / "@biomejs" / "biome" / "bin" / "biome", "check", "--colors=off")
    assert checked.returncode == 0, checked.stdout


def test_no_line_of_the_javascript_is_too_long() -> None:
    """No line is longer than 110 characters, comments included, which the formatter leaves as they are."""
    generated = SOURCE / "data" / "contract.js"
    assert not [
        f"{path}:{number}: {len(line)} characters"
        for path in sorted([*SOURCE.rglob("*.js"), *MODULES.rglob("*.js")])
        if path != generated
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LINE_LENGTH
    ]


@pytest.mark.parametrize("tests", TESTS, ids=lambda path: path.relative_to(MODULES).as_posix())
def test_a_module_does_what_its_own_tests_say(tests: Path) -> None:
    """A module without DOM works in Node.js as its tests beside this one say, wherever that is.

    The place is one with a comma in its numbers and an odd time zone; browsers show the usual one.
    """
    ran = run_node("--test", "--test-reporter=tap", tests, LANG="de_DE.UTF-8", TZ="Asia/Kathmandu")
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^# pass [1-9]", ran.stdout, re.MULTILINE), ran.stdout


def test_every_module_without_dom_has_tests_of_its_own() -> None:
    """A module that says of itself that it has no DOM is tested in Node.js, in the folder of the same name."""
    without = {path.relative_to(SOURCE) for path in SOURCE.rglob("*.js") if "No DOM." in path.read_text()}
    assert without, "no module says so"
    assert {path.with_suffix(".test.js") for path in without} <= {path.relative_to(MODULES) for path in TESTS}


def test_the_modules_import_in_one_direction() -> None:
    """No module imports from a folder that comes after its own, neither code nor a type."""
    assert sorted(path.name for path in SOURCE.iterdir()) == sorted([*FOLDERS, "main.js"])
    imports = [
        (path.relative_to(SOURCE), (path.parent / name).resolve().relative_to(SOURCE))
        for path in SOURCE.rglob("*.js")
        for name in IMPORTED.findall(path.read_text())
    ]
    assert len(imports) > len(FOLDERS)
    rank = {name: place for place, name in enumerate([*FOLDERS, "main.js"])}
    assert not [
        f"{module} imports {imported}"
        for module, imported in imports
        if rank[imported.parts[0]] > rank[module.parts[0]]
    ]
