import assert from "node:assert/strict"
import { test } from "node:test"

import {
  rangeOf,
  rowFrom,
  rowNear,
  secondsAtLeast,
  timeOf,
} from "../../../../dashboard/src/data/column-queries.js"
import { Columns } from "../../../../dashboard/src/data/store.js"

/** Rows at these seconds, each with its second as value; the host's clock is an hour behind. */
function source(...seconds) {
  const columns = new Columns(64)
  for (const second of seconds) columns.append(second, second % 10 === 0 ? [] : [["x", second]])
  return { columns, gap: () => 2_500, offset: () => 3_600_000, interval: () => 1 }
}

const ALL = { from: 0, to: 10_000_000 }
const at = (second) => 3_600_000 + second * 1000

function secondNear(given, moment, stretch = ALL) {
  const row = rowNear(given, moment, stretch)
  return row === undefined ? undefined : given.columns.time(row)
}

test("the row nearest to a moment is found, on either side of it", () => {
  const given = source(1, 2, 3, 4)
  assert.equal(secondNear(given, at(2.4)), 2)
  assert.equal(secondNear(given, at(2.6)), 3)
  assert.equal(secondNear(given, at(4.9)), 4)
  assert.equal(secondNear(given, at(0.2)), 1)
})

test("within a silence nothing is near", () => {
  const given = source(1, 2, 3, 31, 32)
  assert.equal(secondNear(given, at(15)), undefined)
  assert.equal(secondNear(given, at(4)), 3)
  assert.equal(secondNear(given, at(30)), 31)
})

test("rows out of sight are not near", () => {
  const given = source(1, 2, 3)
  assert.equal(secondNear(given, at(2.6), { from: at(0), to: at(2.5) }), 2)
  assert.equal(secondNear(given, at(2.6), { from: at(3.5), to: at(9) }), undefined)
})

test("of no rows none is near, first or in range", () => {
  const given = source()
  assert.equal(rowNear(given, at(1), ALL), undefined)
  assert.equal(rowFrom(given, at(1)), given.columns.end)
  assert.deepEqual(rangeOf(given, ["x"], ALL), { min: Number.NaN, max: Number.NaN })
})

test("the first row from a moment on is found", () => {
  const given = source(1, 2, 3, 31)
  const secondFrom = (moment) => given.columns.time(rowFrom(given, moment))
  assert.equal(secondFrom(at(0)), 1)
  assert.equal(secondFrom(at(2)), 2)
  assert.equal(secondFrom(at(2.1)), 3)
  assert.equal(secondFrom(at(4)), 31)
  assert.equal(rowFrom(given, at(32)), given.columns.end)
})

test("least and most are those in sight, missing values left out", () => {
  const given = source(8, 9, 10, 11, 12)
  assert.deepEqual(rangeOf(given, ["x"], ALL), { min: 8, max: 12 })
  assert.deepEqual(rangeOf(given, ["x"], { from: at(9), to: at(11) }), { min: 9, max: 11 })
  assert.deepEqual(rangeOf(given, ["x"], { from: at(10), to: at(10) }), { min: Number.NaN, max: Number.NaN })
})

test("times are those of the browser", () => {
  const given = source(7)
  assert.equal(timeOf(given, given.columns.first), at(7))
})

test("how long a value is high counts back from its last to the first lower, missing or silent one", () => {
  const lasted = (columns, time) => secondsAtLeast(columns, "x", 3, time, 2_500)
  const { columns } = source(1, 2, 3, 4, 5, 6)
  assert.deepEqual(
    [6, 4, 2, 8.4, 8.6].map((time) => lasted(columns, time)),
    [3, 1, 0, 3, 0],
  )
  assert.equal(lasted(source(7, 8, 9, 10, 11, 12).columns, 12), 1)
  assert.equal(lasted(source(4, 5, 8, 9).columns, 9), 1)
  assert.equal(lasted(new Columns(4), 9), 0)
})
