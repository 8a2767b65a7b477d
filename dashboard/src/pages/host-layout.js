/**
 * Where the panels of a host page stand: rows without holes, folded ones below their row, absent ones at the
 * end. No DOM.
 */

const COLUMNS = 12
const PAIRED = 2

/**
 * @typedef {{columns: number, panels: string[]}} Cell
 * @typedef {{kind: "open" | "folded" | "absent", cells: Cell[]}} Line one row of the page
 */

/** Panels of one cell stand one above the other. @type {Cell[][]} */
export const ROWS = [
  [
    { columns: 8, panels: ["cpu"] },
    { columns: 4, panels: ["cores"] },
  ],
  [
    { columns: 6, panels: ["mem"] },
    { columns: 3, panels: ["load"] },
    { columns: 3, panels: ["freq"] },
  ],
  [
    { columns: 6, panels: ["net"] },
    { columns: 6, panels: ["disk"] },
  ],
  [
    { columns: 6, panels: ["fs"] },
    { columns: 6, panels: ["temp"] },
  ],
  [
    { columns: 8, panels: ["proc"] },
    { columns: 4, panels: ["alerts", "delivery"] },
  ],
  [
    { columns: 4, panels: ["psi"] },
    { columns: 4, panels: ["kernel"] },
    { columns: 4, panels: ["agent"] },
  ],
  [{ columns: 12, panels: ["cont"] }],
  [{ columns: 12, panels: ["storage"] }],
  [
    { columns: 8, panels: ["gpu"] },
    { columns: 4, panels: ["power"] },
  ],
]

/** Those without a place come in pairs after these rows, then this one. @type {Cell[]} */
export const LAST_ROW = [{ columns: 12, panels: ["info"] }]

/**
 * @param {Cell[][]} rows as they would be with every panel open
 * @param {(key: string) => "open" | "folded" | "absent" | "none"} stateOf `none`: there is no such panel
 * @returns {Line[]}
 */
export function arrange(rows, stateOf) {
  /** @type {Line[]} */
  const lines = []
  for (const row of rows) {
    const open = row
      .map(({ columns, panels }) => ({ columns, panels: panels.filter((key) => stateOf(key) === "open") }))
      .filter(({ panels }) => panels.length > 0)
    if (open.length > 0) lines.push({ kind: "open", cells: stretched(open) })
    const folded = row.flatMap(({ panels }) => panels.filter((key) => stateOf(key) === "folded"))
    if (folded.length > 0) lines.push({ kind: "folded", cells: single(folded) })
  }
  const absent = rows.flat().flatMap(({ panels }) => panels.filter((key) => stateOf(key) === "absent"))
  if (absent.length > 0) lines.push({ kind: "absent", cells: single(absent) })
  return lines
}

/** Rows of two for panels that have no place of their own. @param {string[]} keys @returns {Cell[][]} */
export function paired(keys) {
  return Array.from({ length: Math.ceil(keys.length / PAIRED) }, (_, row) =>
    keys.slice(row * PAIRED, (row + 1) * PAIRED).map((key) => ({ columns: COLUMNS / PAIRED, panels: [key] })),
  )
}

/**
 * What is missing in a row is taken by the others, each by its size.
 * @param {Cell[]} cells
 * @returns {Cell[]}
 */
function stretched(cells) {
  const wanted = cells.reduce((sum, { columns }) => sum + columns, 0)
  let left = COLUMNS
  let wantedLeft = wanted
  return cells.map(({ columns, panels }) => {
    const given = Math.round((left * columns) / wantedLeft)
    left -= given
    wantedLeft -= columns
    return { columns: given, panels }
  })
}

/** @param {string[]} keys @returns {Cell[]} */
function single(keys) {
  return keys.map((key) => ({ columns: 1, panels: [key] }))
}
