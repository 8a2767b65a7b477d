import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { receivedAt, START_SECONDS } from "../messages-of-tests.js"
import { Host } from "../../../../dashboard/src/data/fleet.js"
import { Samples } from "../../../../dashboard/src/data/samples.js"

let host
let samples
let time

beforeEach(() => {
  host = new Host("a")
  host.state = "live"
  host.info = {
    interval_seconds: 1,
    groups: { cpu: { interval_seconds: 1 }, process: { interval_seconds: 5 } },
  }
  time = { pausedAt: undefined }
  samples = new Samples(host, time)
})

function at(after, fields = {}) {
  return { time: START_SECONDS + after, tick: 100_000 + after, ...fields }
}

function live(after, groups, received = receivedAt(after)) {
  const stamped = Object.entries(groups).map(([name, fields]) => [name, at(after, fields)])
  samples.take(Object.fromEntries(stamped), received)
}

function times(name) {
  const { columns } = samples.group(name)
  return Array.from(
    { length: columns.end - columns.first },
    (_, index) => columns.time(columns.first + index) - START_SECONDS,
  )
}

test("each group keeps its newest payload and a row for each of its numbers", () => {
  live(1, { cpu: { total_percent: 10 }, memory: { used_percent: 40 } })
  live(2, { cpu: { total_percent: 20 } })
  assert.equal(samples.group("cpu").latest.total_percent, 20)
  assert.equal(samples.group("memory").latest.used_percent, 40)
  assert.deepEqual(times("cpu"), [1, 2])
  assert.deepEqual(times("memory"), [1])
  assert.deepEqual(samples.names, ["cpu", "memory"])
  assert.equal(host.newest, START_SECONDS + 2)
})

test("one that is late or comes twice is left out", () => {
  live(5, { cpu: { total_percent: 50 } })
  live(3, { cpu: { total_percent: 30 } }, receivedAt(5.2))
  live(5, { cpu: { total_percent: 51 } }, receivedAt(5.4))
  assert.deepEqual(times("cpu"), [5])
  assert.equal(samples.group("cpu").latest.total_percent, 50)
  assert.equal(host.newest, START_SECONDS + 5)
})

test("an agent that started again, with ticks from the start, is followed", () => {
  live(5, { cpu: {} })
  live(9, { cpu: { tick: 1 } })
  live(10, { cpu: { tick: 2 } })
  assert.deepEqual(times("cpu"), [5, 9, 10])
})

test("what is no payload is passed over, and the group beside it is taken", () => {
  samples.take(
    { cpu: 7, memory: null, disk: [], network: { time: "x", tick: 1 }, sensor: at(1) },
    receivedAt(1),
  )
  assert.deepEqual(samples.names, ["sensor"])
})

test("the past goes before what is here and replaces none of it", () => {
  live(10, { cpu: { total_percent: 10 } })
  samples.takePast({ cpu: [at(8), at(9), at(10, { total_percent: 99 })] }, receivedAt(10))
  assert.deepEqual(times("cpu"), [8, 9, 10])
  assert.equal(samples.group("cpu").latest.total_percent, 10)
  const { columns } = samples.group("cpu")
  assert.equal(columns.value("total_percent", columns.end - 1), 10)
})

test("an older part of the past that comes later is never the latest, even with higher ticks", () => {
  samples.takePast({ cpu: [at(8, { total_percent: 8 }), at(9, { total_percent: 9 })] }, receivedAt(10))
  samples.takePast(
    { cpu: [at(3, { tick: 90_000, total_percent: 3 }), at(4, { tick: 90_001, total_percent: 4 })] },
    receivedAt(10),
  )
  assert.deepEqual(times("cpu"), [3, 4, 8, 9])
  assert.equal(samples.group("cpu").latest.total_percent, 9)
  live(10, { cpu: { total_percent: 10 } })
  assert.equal(samples.group("cpu").latest.total_percent, 10)
})

test("a part of the past does not make the host's clock look set back", () => {
  live(600, { cpu: {} })
  const before = host.offsetMilliseconds
  samples.takePast({ cpu: [at(1), at(2)] }, receivedAt(600))
  assert.equal(host.offsetMilliseconds, before)
})

test("pulses are no group of their own, and what is no list is no past", () => {
  samples.takePast({ pulse: [at(1)], cpu: null, memory: 7, disk: [null, 7] }, receivedAt(1))
  assert.deepEqual(samples.names, [])
})

test("a silence is a gap after 2.5 intervals of the group, and never before 2.5 s", () => {
  assert.equal(samples.gap("cpu"), 2_500)
  assert.equal(samples.gap("process"), 12_500)
  host.info = { interval_seconds: 0.2, groups: {} }
  assert.equal(samples.gap("cpu"), 2_500)
})

test("a group without a valid interval of its own has that of the host", () => {
  host.info = {
    interval_seconds: 2,
    groups: { cpu: { interval_seconds: -1 }, memory: null, disk: { interval_seconds: "5" } },
  }
  for (const name of ["cpu", "memory", "disk", "unknown", "constructor", "__proto__"])
    assert.equal(samples.interval(name), 2)
  host.info = {}
  assert.equal(samples.interval("cpu"), 1)
})

test("a host cannot make it keep groups without end", () => {
  for (let number = 0; number < 200; number += 1) live(1, { [`g${number}`]: {} })
  assert.equal(samples.names.length, 64)
})

test("groups with names that JavaScript knows are groups like any other", () => {
  samples.take(
    JSON.parse(`{"__proto__": ${JSON.stringify(at(1))}, "constructor": ${JSON.stringify(at(1, { x: 4 }))}}`),
    receivedAt(1),
  )
  assert.deepEqual(samples.names, ["__proto__", "constructor"])
  assert.equal(samples.group("constructor").latest.x, 4)
})

for (const hours of [1, -1]) {
  test(`samples of a clock that is ${hours} h ahead fall on now`, () => {
    for (let after = 0; after < 3; after += 1) live(after + hours * 3600, { cpu: {} }, receivedAt(after))
    const { columns } = samples.group("cpu")
    const newest = columns.time(columns.end - 1) * 1000 + host.offsetMilliseconds
    assert.ok(Math.abs(newest - receivedAt(2)) < 1)
  })
}

test("while time stands still samples are kept, and shown when it goes on", () => {
  live(1, { cpu: { total_percent: 10 } })
  time.pausedAt = receivedAt(1.5)
  live(2, { cpu: { total_percent: 20 }, memory: {} }, receivedAt(1.99))
  assert.equal(samples.group("cpu").latest.total_percent, 10)
  assert.equal(samples.group("memory").latest, undefined)
  assert.deepEqual(times("cpu"), [1, 2])
  assert.equal(host.newest, START_SECONDS + 1)
  assert.equal(host.offsetMilliseconds, 10)
  time.pausedAt = undefined
  samples.goOn()
  assert.equal(samples.group("cpu").latest.total_percent, 20)
  assert.equal(host.newest, START_SECONDS + 2)
})

test("of the past, what was the latest at the moment that is shown", () => {
  host.clock.observe(START_SECONDS, receivedAt(0))
  time.pausedAt = receivedAt(5.5)
  samples.takePast(
    { cpu: [at(8, { total_percent: 8 }), at(9, { total_percent: 9 })], disk: [at(9)] },
    receivedAt(10),
  )
  assert.equal(samples.group("cpu").latest, undefined)
  samples.takePast({ cpu: [at(5, { total_percent: 5 }), at(6, { total_percent: 6 })] }, receivedAt(10))
  samples.takePast({ cpu: [at(1, { total_percent: 1 })] }, receivedAt(10))
  assert.equal(samples.group("cpu").latest.total_percent, 5)
  assert.equal(samples.group("disk").latest, undefined)
  time.pausedAt = undefined
  samples.goOn()
  assert.equal(samples.group("cpu").latest.total_percent, 9)
})

test("a page that opens while time stands still learns the clock once", () => {
  host.clock.observe(START_SECONDS, receivedAt(0.9))
  time.pausedAt = receivedAt(-60)
  live(1, { cpu: {} })
  assert.equal(host.offsetMilliseconds, 10)
  live(2, { cpu: {} }, receivedAt(1.99))
  assert.equal(host.offsetMilliseconds, 10)
})

test("how long the processors are busy is told of the moment that is shown", () => {
  for (let after = 0; after <= 70; after += 1) live(after, { cpu: { total_percent: 99 } })
  assert.equal(samples.busySeconds(receivedAt(70)), 70)
  assert.equal(samples.busySeconds(receivedAt(40.5)), 40)
  live(71, { cpu: { total_percent: 9 } })
  assert.equal(samples.busySeconds(receivedAt(71)), 0)
})
