"""All modules of the page as one."""

import json
from pathlib import Path

import pytest

from fleetglass.bridge.page.bundle import bundle
from fleetglass.wire.errors import BridgeError
from support.node import run_node

COMMENTED = """\
/** What it is,
 * in words. */

/** @typedef {{a: number}} A */
// A reason.
const half = (x) => {
  /** @type {A} */
  const y = /** @type {A} */ (x)
  return y.a / 2 // half
}
/** @type {A} */ (half(1)).a /* kept */
const address = "http://x/**"
"""
BARE = """\





const half = (x) => {

  const y = /** @type {A} */ (x)
  return y.a / 2 // half
}
/** @type {A} */ (half(1)).a /* kept */
const address = "http://x/**"
"""
MODULES = {
    "/src/main.js": """\
import { describe as words, KIND } from "./parts/words.js"
import {
  Counter,
} from "./counter.js"

const counter = new Counter()
counter.add()
console.log(words(counter.value), KIND)
""",
    "/src/counter.js": """\
import { start } from "./start.js"

const hidden = 40
export class Counter {
  value = start + hidden
  add() { this.value += 1 }
}
""",
    "/src/start.js": """\
const hidden = 1
export const start = hidden
export {}
""",
    "/src/parts/words.js": """\
/** Words. */

import { start } from "../start.js"
export { start as KIND } from "../start.js"

const hidden = "is"
export function describe(value) { return `${value} ${hidden} ${start + 41}` }
export function* never() {}
""",
    "/src/unused.js": "throw 1",
}


def test_bundled_modules_do_what_they_did_apart(tmp_path: Path) -> None:
    """Names stay apart, what is imported under another name is found, and each module runs once."""
    for path, module in MODULES.items():
        apart = tmp_path / path.strip("/")
        apart.parent.mkdir(parents=True, exist_ok=True)
        apart.write_text(module)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    whole = tmp_path / "whole.js"
    whole.write_text(bundle(MODULES, "/src/main.js").code)
    assert run_node(whole).stdout == run_node(tmp_path / "src" / "main.js").stdout == "42 is 42 1\n"


def test_what_nobody_imports_is_left_out() -> None:
    """A module that is not reached from the main one does not run."""
    assert "throw" not in bundle(MODULES, "/src/main.js").code


def test_comments_that_fill_lines_are_left_out_and_lines_keep_their_numbers() -> None:
    """Nothing but comments is gone."""
    code = bundle({"/src/main.js": COMMENTED}, "/src/main.js").code
    assert code == f"const $src_main = (() => {{\n{BARE}\nreturn {{  }}\n}})()\n"


def test_a_line_of_the_whole_is_found_in_its_module() -> None:
    """The source map leads from every line of code to the same line of the module, with its comments."""
    code, source_map = bundle(MODULES, "/src/main.js")
    lines = code.split("\n")
    sections = json.loads(source_map)["sections"]
    assert [section["map"]["sources"][0] for section in sections] == [
        "start.js", "parts/words.js", "counter.js", "main.js",
    ]  # fmt: skip
    for section in sections:
        (content,) = section["map"]["sourcesContent"]
        begin = section["offset"]["line"]
        own = content.split("\n")
        assert len(section["map"]["mappings"].split(";")) == len(own)
        for number, line in enumerate(own):
            if line.startswith(("const", "  value", "counter", "console")):
                assert lines[begin + number] == line


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ('import "./a.js"', 'import "./a.js"'),
        ('import * as a from "./start.js"', "import * as a"),
        ("export default 1", "export default 1"),
        ("export let a = 1", "export let a = 1"),
        ('import { a } from "./gone.js"', "/src/main.js imports /src/gone.js"),
        ('import { a } from "./main.js"', "/src/main.js imports /src/main.js: expected no circle"),
    ],
)
def test_other_forms_are_refused(module: str, said: str) -> None:
    """What could not be joined as it is meant is said in one line."""
    with pytest.raises(BridgeError) as failed:
        bundle({**MODULES, "/src/main.js": module}, "/src/main.js")
    assert said in str(failed.value)
    assert "\n" not in str(failed.value)
