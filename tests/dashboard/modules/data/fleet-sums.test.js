import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { pulseAt, receivedAt, START_SECONDS } from "../messages-of-tests.js"
import { contributions, FleetSums } from "../../../../dashboard/src/data/fleet-sums.js"
import { Host } from "../../../../dashboard/src/data/fleet.js"

let sums

beforeEach(() => {
  sums = new FleetSums()
})

function host(id, { interval_seconds = 1, ahead = 0 } = {}) {
  const made = new Host(id)
  made.info = { logical_cores: 8, interval_seconds }
  made.clock.observe(START_SECONDS + ahead, START_SECONDS * 1000)
  return made
}

function rows(key) {
  const { columns } = sums
  return Array.from({ length: columns.end - columns.first }, (_, index) => {
    const row = columns.first + index
    return [columns.time(row) - START_SECONDS, columns.value(key, row)]
  })
}

test("a host adds what it gives, and nothing for what it does not", () => {
  const info = { logical_cores: 8, memory_total_bytes: 1000 }
  const pulse = {
    cpu_percent: 50,
    memory_percent: 20,
    network_receive_bytes_per_second: 7,
    disk_write_bytes_per_second: 9,
  }
  assert.deepEqual(contributions(info, pulse), [
    ["cores", 4],
    ["memory", 200],
    ["received", 7],
    ["written", 9],
  ])
  assert.deepEqual(contributions({}, pulse), [
    ["received", 7],
    ["written", 9],
  ])
  assert.deepEqual(contributions(info, {}), [])
  assert.deepEqual(contributions(info, { cpu_percent: "50", network_receive_bytes_per_second: null }), [])
})

test("the past of all hosts is added up second by second, once it is complete", () => {
  const [a, b] = [host("a"), host("b")]
  const pulses = [-3, -2, -1, 0].map((after) => pulseAt(after, { cpu_percent: 50 }))
  sums.takePast(a, pulses, true, receivedAt(0))
  sums.fill(["a", "b"])
  assert.deepEqual(rows("cores"), [])
  sums.takePast(b, pulses.slice(2), true, receivedAt(0))
  sums.fill(["a", "b"])
  assert.deepEqual(rows("cores"), [
    [-3, 4],
    [-2, 4],
    [-1, 8],
    [0, 8],
  ])
})

test("the past of a host counts once, however often it is told", () => {
  const a = host("a")
  const pulses = [-1, 0].map((after) => pulseAt(after, { cpu_percent: 50 }))
  sums.takePast(a, pulses, true, receivedAt(0))
  sums.takePast(a, pulses, true, receivedAt(0))
  sums.fill(["a"])
  assert.deepEqual(rows("cores"), [
    [-1, 4],
    [0, 4],
  ])
})

test("a past in parts, the newest first, counts every second once", () => {
  const a = host("a")
  const part = (...seconds) => seconds.map((after) => pulseAt(after, { cpu_percent: 50 }))
  sums.takePast(a, part(-1, 0), false, receivedAt(0))
  sums.takePast(a, part(-3, -2), true, receivedAt(0))
  sums.fill(["a"])
  assert.deepEqual(
    rows("cores"),
    [-3, -2, -1, 0].map((second) => [second, 4]),
  )
})

test("a part that was asked for before and comes late counts no second twice", () => {
  const a = host("a")
  const part = (...seconds) => seconds.map((after) => pulseAt(after, { cpu_percent: 50 }))
  sums.forgetPast()
  sums.takePast(a, part(-3, -2), false, receivedAt(0))
  sums.takePast(a, part(-4, -3, -2, -1, 0), true, receivedAt(0))
  sums.fill(["a"])
  assert.deepEqual(
    rows("cores"),
    [-4, -3, -2, -1, 0].map((second) => [second, 4]),
  )
})

test("a value holds until the next one of a slow host, and not over a silence", () => {
  const a = host("a", { interval_seconds: 5 })
  sums.takePast(
    a,
    [-30, -25, -4].map((after) => pulseAt(after, { cpu_percent: 50 })),
    true,
    receivedAt(0),
  )
  sums.fill(["a"])
  const seconds = rows("cores").map(([second]) => second)
  assert.deepEqual(
    seconds.filter((second) => second < -20),
    [-30, -29, -28, -27, -26, -25, -24, -23, -22, -21],
  )
  assert.ok(!seconds.includes(-8))
  assert.deepEqual(seconds.slice(-5), [-4, -3, -2, -1, 0])
})

test("seconds that the past of one host does not reach have no sum", () => {
  const [early, late] = [host("early"), host("late")]
  const pulses = (from, to) =>
    Array.from({ length: to - from + 1 }, (_, index) => pulseAt(from + index, { cpu_percent: 50 }))
  sums.takePast(early, pulses(-5, 0), true, receivedAt(0))
  sums.takePast(late, pulses(-5, 3), true, receivedAt(3))
  sums.fill(["early", "late"])
  assert.deepEqual(
    rows("cores"),
    [-5, -4, -3, -2, -1, 0].map((second) => [second, 8]),
  )
})

test("hosts whose clocks differ by an hour are added up at the same moment", () => {
  const [early, late] = [host("early", { ahead: -3600 }), host("late", { ahead: 3600 })]
  sums.takePast(early, [pulseAt(-3600, { cpu_percent: 50 })], true, receivedAt(0))
  sums.takePast(late, [pulseAt(3600, { cpu_percent: 50 })], true, receivedAt(0))
  sums.fill(["early", "late"])
  assert.deepEqual(rows("cores"), [[0, 8]])
})

test("what was summed as it came stays as it is", () => {
  sums.append([["cores", 1]], receivedAt(0, 0))
  sums.takePast(
    host("a"),
    [-1, 0].map((after) => pulseAt(after, { cpu_percent: 50 })),
    true,
    receivedAt(0),
  )
  sums.fill(["a"])
  assert.deepEqual(rows("cores"), [
    [-1, 4],
    [0, 1],
  ])
})

test("after an outage the past counts anew", () => {
  const a = host("a")
  sums.takePast(a, [pulseAt(-1, { cpu_percent: 50 })], true, receivedAt(0))
  sums.forgetPast()
  sums.fill(["a"])
  assert.deepEqual(rows("cores"), [])
  sums.takePast(a, [pulseAt(0, { cpu_percent: 100 })], true, receivedAt(0))
  sums.fill(["a"])
  assert.deepEqual(rows("cores"), [[0, 8]])
})
