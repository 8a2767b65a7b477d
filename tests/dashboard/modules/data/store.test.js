import assert from "node:assert/strict"
import { test } from "node:test"

import { Columns, columnKey, numbersOf, SEPARATOR } from "../../../../dashboard/src/data/store.js"

function filled(capacity, count, first = 1) {
  const columns = new Columns(capacity)
  for (let tick = first; tick < first + count; tick += 1) columns.append(100 + tick, [["x", tick]])
  return columns
}

function times(columns) {
  return Array.from({ length: columns.end - columns.first }, (_, index) =>
    columns.time(columns.first + index),
  )
}

function values(columns, key) {
  return Array.from({ length: columns.end - columns.first }, (_, index) =>
    columns.value(key, columns.first + index),
  )
}

test("rows are numbered in the order of their times, and the oldest are overwritten", () => {
  const columns = filled(4, 10)
  assert.equal(columns.end - columns.first, 4)
  assert.deepEqual(times(columns), [107, 108, 109, 110])
  assert.deepEqual(values(columns, "x"), [7, 8, 9, 10])
})

test("a value that a row lacks is NaN, and no value of the row that it overwrote", () => {
  const columns = new Columns(2)
  columns.append(1, [
    ["x", 5],
    ["y", 6],
  ])
  columns.append(2, [["x", 7]])
  columns.append(3, [["x", 8]])
  assert.deepEqual(values(columns, "x"), [7, 8])
  assert.deepEqual(values(columns, "y"), [Number.NaN, Number.NaN])
  assert.deepEqual(values(columns, "never"), [Number.NaN, Number.NaN])
})

test("a column that comes later is NaN in the rows before", () => {
  const columns = filled(8, 3)
  columns.append(104, [["new", 1]])
  assert.deepEqual(values(columns, "new"), [Number.NaN, Number.NaN, Number.NaN, 1])
})

test("a sum leaves out what is missing, and is NaN only where all is", () => {
  const columns = new Columns(4)
  columns.append(1, [
    ["a", 1],
    ["b", 2],
  ])
  columns.append(2, [["b", 2]])
  columns.append(3, [["c", 9]])
  const sums = [0, 1, 2].map((index) => columns.sum(["a", "b"], columns.first + index))
  assert.deepEqual(sums, [3, 2, Number.NaN])
  assert.ok(Number.isNaN(columns.sum([], columns.first)))
})

test("the past is put before what is here, sorted, each moment once, and what is here stays", () => {
  const columns = filled(16, 3, 10)
  const past = [8, 11, 9, 7].map((tick) => ({ time: 100 + tick, entries: [["x", tick * 100]] }))
  columns.merge(past)
  assert.deepEqual(times(columns), [107, 108, 109, 110, 111, 112])
  assert.deepEqual(values(columns, "x"), [700, 800, 900, 10, 11, 12])
})

test("of a past that does not fit, the newest is kept", () => {
  const columns = filled(4, 2, 10)
  columns.merge(Array.from({ length: 9 }, (_, index) => ({ time: 101 + index, entries: [["x", index]] })))
  assert.deepEqual(times(columns), [108, 109, 110, 111])
})

test("an empty past changes no value", () => {
  const columns = filled(4, 6)
  columns.merge([])
  assert.deepEqual(values(columns, "x"), [3, 4, 5, 6])
})

test("whoever has read rows is told when they change, and not when rows are added", () => {
  const columns = filled(4, 2)
  const { generation } = columns
  columns.append(200, [["x", 1]])
  assert.equal(columns.generation, generation)
  columns.merge([{ time: 50, entries: [] }])
  assert.notEqual(columns.generation, generation)
})

test("rows never go down in number, so a reader that fell behind starts at the first", () => {
  const columns = filled(4, 3)
  columns.merge([{ time: 50, entries: [["x", 1]] }])
  assert.equal(columns.end - columns.first, 4)
  assert.ok(columns.first >= 0)
  columns.clear()
  assert.equal(columns.end, columns.first)
})

test("a clock that was set back takes the rows with it that would lie in the future", () => {
  const columns = filled(8, 5)
  const { generation } = columns
  columns.append(103, [["x", 60]])
  assert.deepEqual(times(columns), [101, 102, 103])
  assert.deepEqual(values(columns, "x"), [1, 2, 60])
  assert.notEqual(columns.generation, generation)
  columns.append(20, [["x", 70]])
  assert.deepEqual(times(columns), [20])
})

test("a host cannot make it keep columns without end", () => {
  const columns = new Columns(2)
  columns.append(
    1,
    Array.from({ length: 5000 }, (_, index) => [`k${index}`, index]),
  )
  assert.equal([...columns.keys].length, 1024)
})

test("times keep their milliseconds, and values about seven digits", () => {
  const columns = new Columns(2)
  columns.append(1_795_288_931.123, [["bytes", 123_456_789_012]])
  assert.equal(columns.time(columns.first), 1_795_288_931.123)
  assert.ok(Math.abs(columns.value("bytes", columns.first) / 123_456_789_012 - 1) < 1e-6)
})

test("every number of a payload is found under the names that lead to it, stamps and texts are not", () => {
  const payload = {
    time: 5,
    tick: 6,
    total_percent: 12.5,
    up: true,
    name: "eth0",
    nothing: null,
    wrong: Number.NaN,
    core_percents: [1, 2],
    devices: { "a/b": { read_bytes_per_second: 7, time: 8 } },
  }
  assert.deepEqual(
    [...numbersOf(payload)],
    [
      ["total_percent", 12.5],
      [columnKey("core_percents", "0"), 1],
      [columnKey("core_percents", "1"), 2],
      [columnKey("devices", "a/b", "read_bytes_per_second"), 7],
      [columnKey("devices", "a/b", "time"), 8],
    ],
  )
})

test("names that JavaScript knows are only names", () => {
  const payload = JSON.parse('{"__proto__": {"constructor": 4}, "toString": 5}')
  const columns = new Columns(2)
  columns.append(1, numbersOf(payload))
  assert.equal(columns.value(columnKey("__proto__", "constructor"), columns.first), 4)
  assert.equal(columns.value("toString", columns.first), 5)
  assert.ok(Number.isNaN(columns.value("valueOf", columns.first)))
})

test("a payload that is nested too deep, or is none, gives what can be read and ends", () => {
  const deep = { a: { b: { c: { d: { e: 1 } } } }, x: 2 }
  assert.deepEqual([...numbersOf(deep)], [["x", 2]])
  for (const nothing of [null, undefined, 7, "text"]) assert.deepEqual([...numbersOf(nothing)], [])
})

test("names are joined by what no name of a device contains", () => {
  assert.equal(columnKey("mounts", "/", "used_percent"), ["mounts", "/", "used_percent"].join(SEPARATOR))
})

test("whatever comes in whatever order, it holds the newest rows in the order of their times", () => {
  // A small generator of numbers, so that each run is the same.
  let seed = 7
  const upTo = (end) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % end
  }
  for (let run = 0; run < 200; run += 1) {
    const capacity = 1 + upTo(12)
    const columns = new Columns(capacity)
    let expected = []
    let now = 100
    for (let step = 0; step < 30; step += 1) {
      if (upTo(3) > 0) {
        now += 1 + upTo(3)
        columns.append(now, [["x", now]])
        expected.push(now)
      } else {
        const past = Array.from({ length: upTo(8) }, () => Math.max(1, now - upTo(30)))
        columns.merge(past.map((time) => ({ time, entries: [["x", time]] })))
        expected = [...new Set([...expected, ...past])].sort((a, b) => a - b)
        now = Math.max(now, ...past)
      }
      expected = expected.slice(-capacity)
      assert.deepEqual(times(columns), expected)
      assert.deepEqual(values(columns, "x"), expected)
    }
  }
})
