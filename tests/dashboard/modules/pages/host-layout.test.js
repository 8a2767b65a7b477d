import assert from "node:assert/strict"
import { test } from "node:test"

import { arrange, LAST_ROW, paired, ROWS } from "../../../../dashboard/src/pages/host-layout.js"

const WIDTHS = (/** @type {{cells: {columns: number}[]}} */ { cells }) => cells.map(({ columns }) => columns)

test("every row fills the twelve columns, whichever panels are missing", () => {
  const keys = [...ROWS, LAST_ROW].flat().flatMap(({ panels }) => panels)
  for (const gone of keys) {
    for (const also of keys) {
      const lines = arrange([...ROWS, LAST_ROW], (key) => (key === gone || key === also ? "absent" : "open"))
      for (const line of lines)
        if (line.kind === "open")
          assert.equal(
            WIDTHS(line).reduce((sum, one) => sum + one, 0),
            12,
          )
    }
  }
})

test("folded panels stand below their row, absent ones at the end", () => {
  const rows = [
    [
      { columns: 8, panels: ["a"] },
      { columns: 4, panels: ["b", "c"] },
    ],
    [{ columns: 12, panels: ["d"] }],
  ]
  const lines = arrange(rows, (key) => (key === "b" ? "folded" : key === "a" ? "absent" : "open"))
  assert.deepEqual(
    lines.map(({ kind, cells }) => [kind, ...cells.flatMap(({ panels }) => panels)]),
    [
      ["open", "c"],
      ["folded", "b"],
      ["open", "d"],
      ["absent", "a"],
    ],
  )
})

test("panels without a place come two in a row", () => {
  assert.deepEqual(
    paired(["x", "y", "z"]).map((row) => row.flatMap(({ panels }) => panels)),
    [["x", "y"], ["z"]],
  )
})
