"""The dashboard's files as they are sent."""

import re
from pathlib import Path

from fleetglass.bridge.page import read_page, without_comments

DASHBOARD = Path(__file__).parents[2] / "dashboard"

MODULE = """\
/** What it is,
 * in words. */

import { a } from "./a.js"

/** @typedef {{a: number}} A */
// A reason.
export function f(x) {
  /** @type {A} */
  const y = /** @type {A} */ (x)
  return y.a / 2 // half
}
/** @type {A} */ (f(1)).a /* kept */
const address = "http://x/**"
"""
BARE = """\



import { a } from "./a.js"



export function f(x) {

  const y = /** @type {A} */ (x)
  return y.a / 2 // half
}
/** @type {A} */ (f(1)).a /* kept */
const address = "http://x/**"
"""


def test_comments_that_fill_lines_are_left_out_and_lines_keep_their_numbers() -> None:
    """What a browser names in an error is found in the source, and nothing but comments is gone."""
    assert without_comments(MODULE.encode()).decode() == BARE


def test_of_every_module_all_but_comments_is_sent() -> None:
    """A line that is not sent belongs to a comment, and what is vendored is sent as it is."""
    files = read_page()
    modules = [path for path in DASHBOARD.rglob("*.js") if "node_modules" not in path.parts]
    assert len(modules) > 50
    for path in modules:
        sent = files["/" + path.relative_to(DASHBOARD).as_posix()].body.decode().split("\n")
        lines = path.read_bytes().decode().split("\n")
        assert len(sent) == len(lines)
        if "vendor" in path.parts:
            assert sent == lines
        for line, kept in zip(lines, sent, strict=True):
            assert kept == line or (kept == "" and re.match(r"\s*(//|/\*\*|\*)", line)), f"{path}: {line}"
