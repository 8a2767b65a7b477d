import assert from "node:assert/strict"
import { test } from "node:test"

import "../browser.js"
import { statisticsOf } from "../../../../dashboard/src/data/statistics.js"
import { Columns } from "../../../../dashboard/src/data/store.js"

const KEY = "cpu_percent"

/** A source of one value per second; NaN is none. */
function sourceOf(values, { offset = 0 } = {}) {
  const columns = new Columns(1024)
  for (const [second, value] of values.entries())
    columns.append(second, Number.isNaN(value) ? [] : [[KEY, value]])
  return { columns, gap: () => 2500, offset: () => offset, interval: () => 1 }
}

const ALL = { from: 0, to: 1_000_000 }

test("a stretch is its last value, its mean, its most, and what 95 of 100 values do not pass", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.deepEqual(statisticsOf(sourceOf(hundred), KEY, { from: 0, to: 99_000 }), {
    now: 1,
    mean: 50.5,
    max: 100,
    high: 95,
  })
})

test("one value is all four", () => {
  assert.deepEqual(statisticsOf(sourceOf([7]), KEY, { from: 0, to: 1000 }), {
    now: 7,
    mean: 7,
    max: 7,
    high: 7,
  })
})

test("only what is within the stretch counts, by the browser's clock", () => {
  const source = sourceOf([90, 10, 20, 30, 99], { offset: 3_600_000 })
  assert.deepEqual(statisticsOf(source, KEY, { from: 3_601_000, to: 3_603_000 }), {
    now: 30,
    mean: 20,
    max: 30,
    high: 30,
  })
})

test("what is older than a gap is not now, and still counts", () => {
  const { now, mean, max } = statisticsOf(sourceOf([10, 20]), KEY, { from: 0, to: 3501 })
  assert.ok(Number.isNaN(now))
  assert.equal(mean, 15)
  assert.equal(max, 20)
  assert.equal(statisticsOf(sourceOf([10, 20]), KEY, { from: 0, to: 3500 }).now, 20)
})

test("missing values are passed over, and a newest sample without the value has no now", () => {
  const { now, mean } = statisticsOf(sourceOf([10, Number.NaN, 20, Number.NaN]), KEY, { from: 0, to: 3000 })
  assert.ok(Number.isNaN(now))
  assert.equal(mean, 15)
})

test("where there is nothing, nothing is said", () => {
  for (const source of [sourceOf([]), sourceOf([Number.NaN])]) {
    assert.ok(Object.values(statisticsOf(source, KEY, ALL)).every(Number.isNaN))
  }
})

test("negative values have a most, too", () => {
  assert.deepEqual(statisticsOf(sourceOf([-5, -3]), KEY, { from: 0, to: 1000 }), {
    now: -3,
    mean: -4,
    max: -3,
    high: -3,
  })
})
