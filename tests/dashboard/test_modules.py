import re
from pathlib import Path

import pytest

from support.node import NO_PACKAGES, PACKAGES, has_packages, run_node
from support.page import DASHBOARD

HERE = Path(__file__).parent
MODULES = HERE / "modules"
TESTS = sorted(MODULES.rglob("*.test.js"))


@pytest.mark.skipif(not has_packages(), reason=NO_PACKAGES)
def test_the_types_of_the_page_fit() -> None:
    """TypeScript finds in the page's JavaScript nothing that cannot be, by the types in its comments."""
    checked = run_node(PACKAGES / "typescript" / "bin" / "tsc", "--project", HERE, "--pretty", "false")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("tests", TESTS, ids=lambda path: path.relative_to(MODULES).as_posix())
def test_a_module_does_what_its_own_tests_say(tests: Path) -> None:
    """A module without DOM works in Node.js as its tests beside this one say, each of them."""
    ran = run_node("--test", "--test-reporter=tap", tests)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^# pass [1-9]", ran.stdout, re.MULTILINE), ran.stdout


def test_every_module_without_dom_has_tests_of_its_own() -> None:
    """A module that says of itself that it has no DOM is tested in Node.js, in the folder of the same name."""
    source = DASHBOARD / "src"
    without = {path.relative_to(source) for path in source.rglob("*.js") if "No DOM." in path.read_text()}
    assert without, "no module says so"
    assert {path.with_suffix(".test.js") for path in without} <= {path.relative_to(MODULES) for path in TESTS}


def test_the_modules_do_not_depend_on_where_they_run() -> None:
    """In another language, with a comma in its numbers, and in another time zone every module does the same."""
    ran = run_node("--test", "--test-reporter=tap", *TESTS, LANG="de_DE.UTF-8", TZ="Asia/Kathmandu")
    assert ran.returncode == 0, ran.stdout
