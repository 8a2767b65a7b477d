"""The dashboard's files as they are sent."""

import json
from pathlib import Path

from fleetglass.bridge.page.files import read_page
from support.node import run_node

DASHBOARD = Path(__file__).parents[3] / "dashboard"
TYPES = {"frame/page-context.js"}
"""Modules without code."""


def test_the_modules_are_sent_as_one() -> None:
    """Every module that has code is in the one that is sent, and its source in the map beside it."""
    files = read_page()
    assert [path for path in files if path.startswith("/src/")] == ["/src/main.js", "/src/main.js.map"]
    assert files["/src/main.js"].body.endswith(b"//# sourceMappingURL=main.js.map\n")
    sections = json.loads(files["/src/main.js.map"].body)["sections"]
    sent = {section["map"]["sources"][0]: section["map"]["sourcesContent"][0] for section in sections}
    modules = {
        path.relative_to(DASHBOARD / "src").as_posix(): path.read_text()
        for path in (DASHBOARD / "src").rglob("*.js")
    }
    assert sent == {path: code for path, code in modules.items() if path not in TYPES}


def test_the_modules_as_one_are_a_valid_module(tmp_path: Path) -> None:
    """Node.js parses what is sent as the module that it is."""
    module = tmp_path / "main.mjs"
    module.write_bytes(read_page()["/src/main.js"].body)
    checked = run_node("--check", module)
    assert checked.returncode == 0, checked.stdout


def test_what_is_vendored_is_sent_as_it_is() -> None:
    """No byte of foreign code is changed, and browsers keep it."""
    (path,) = (DASHBOARD / "vendor").rglob("smoothie.js")
    sent = read_page()["/" + path.relative_to(DASHBOARD).as_posix()]
    assert sent.body == path.read_bytes()
    assert "immutable" in sent.cache_control
