import assert from "node:assert/strict"
import { test } from "node:test"

import { roundUp, Scale } from "../../../../dashboard/src/charts/scale.js"

test("an axis ends at the next of 1, 2, 5 times a power of ten", () => {
  const ends = [
    [0.03, 0.05],
    [0.2, 0.2],
    [0.7, 1],
    [1, 1],
    [1.01, 2],
    [3.1, 5],
    [5.01, 10],
    [70, 100],
    [100, 100],
    [101, 200],
    [999_999, 1_000_000],
  ]
  for (const [value, end] of ends)
    assert.ok(Math.abs(roundUp(value, false) / end - 1) < 1e-9, `${value}: ${roundUp(value, false)}`)
})

test("an axis of sizes ends at 1, 2, 5, … 500 of its unit, and then at 1 of the next", () => {
  const KIB = 1024
  const ends = [
    [3, 5],
    [400, 500],
    [501, KIB],
    [1010, KIB],
    [3 * KIB, 5 * KIB],
    [500 * KIB, 500 * KIB],
    [700 * KIB, KIB ** 2],
    [1.5 * KIB ** 3, 2 * KIB ** 3],
  ]
  for (const [value, end] of ends) assert.equal(roundUp(value, true), end, String(value))
})

test("no end is below its value, and none more than three times as high", () => {
  for (const binary of [false, true]) {
    for (let power = -9; power < 45; power += 0.37) {
      const value = 2 ** power
      const end = roundUp(value, binary)
      assert.ok(end >= value * (1 - 1e-9) && end <= value * 3, `${value}, ${binary}: ${end}`)
    }
  }
})

test("it grows at once, with a tenth to spare", () => {
  const scale = new Scale({ least: 1 })
  scale.report("a", 3, 1_000)
  assert.equal(scale.max, 5)
  scale.report("a", 4.6, 1_100)
  assert.equal(scale.max, 10)
})

test("it shrinks only after 10 s in which less was enough", () => {
  const scale = new Scale()
  scale.report("a", 80, 0)
  assert.equal(scale.max, 100)
  for (let now = 1_000; now <= 10_000; now += 1_000) scale.report("a", 3, now)
  assert.equal(scale.max, 100)
  scale.report("a", 3, 10_001)
  assert.equal(scale.max, 5)
})

test("a peak within the 10 s keeps it where it is", () => {
  const scale = new Scale()
  scale.report("a", 80, 0)
  scale.report("a", 3, 9_000)
  scale.report("a", 85, 9_500)
  scale.report("a", 3, 12_000)
  assert.equal(scale.max, 100)
})

test("charts that share it are all seen whole", () => {
  const scale = new Scale()
  scale.report("in", 3, 0)
  scale.report("out", 40, 0)
  scale.report("in", 3, 100_000)
  assert.equal(scale.max, 50)
})

test("without any data it is not empty", () => {
  const scale = new Scale({ least: 1024, binary: true })
  assert.equal(scale.max, 1024)
  scale.report("a", 0, 60_000)
  assert.ok(scale.max >= 1024)
})

test("a fixed one stays as it is", () => {
  const scale = new Scale({ max: 100 })
  scale.report("a", 4_000, 0)
  assert.equal(scale.max, 100)
  const later = new Scale()
  later.fix(8)
  later.report("a", 4_000, 0)
  later.reset()
  assert.equal(later.max, 8)
})

test("reset, it forgets what was drawn", () => {
  const scale = new Scale({ least: 1 })
  scale.report("a", 80, 0)
  scale.reset()
  assert.equal(scale.max, 1)
  scale.report("b", 3, 1)
  assert.equal(scale.max, 5)
})
