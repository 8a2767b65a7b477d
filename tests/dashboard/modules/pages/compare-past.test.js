import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import "../browser.js"
import { hostEntry, pulseAt, receivedAt, START_SECONDS, welcomeAt } from "../messages-of-tests.js"
import { Fleet } from "../../../../dashboard/src/data/fleet.js"
import { ComparePast } from "../../../../dashboard/src/pages/compare-past.js"

const CPU = { id: "cpu_percent", group: "pulse", field: "cpu_percent", unit: "percent" }
const BUSY = { id: "disk.busy_percent", group: "disk", field: "busy_percent", unit: "percent" }

let fleet
let past

beforeEach(() => {
  fleet = new Fleet()
  fleet.take(welcomeAt(0), receivedAt(0))
  fleet.take(
    {
      type: "fleet",
      hosts: [
        hostEntry("a", {
          info: { host_name: "a", interval_seconds: 1, groups: { disk: { interval_seconds: 5 } } },
        }),
      ],
    },
    receivedAt(0),
  )
  past = new ComparePast("a", fleet, [CPU, BUSY])
})

function values(metric) {
  const { columns } = past.source(metric)
  return Array.from({ length: columns.end - columns.first }, (_, index) =>
    columns.value(metric.id, columns.first + index),
  )
}

test("what comes is kept under the metric, in order and once", () => {
  for (const after of [1, 2, 2, 1, 3])
    past.take("pulse", pulseAt(after, { cpu_percent: after }), receivedAt(after))
  assert.deepEqual(values(CPU), [1, 2, 3])
})

test("the past goes before it, in as many parts as it comes", () => {
  past.take("pulse", pulseAt(9, { cpu_percent: 9 }), receivedAt(9))
  past.takePast("pulse", [pulseAt(5, { cpu_percent: 5 }), pulseAt(6, { cpu_percent: 6 })])
  past.takePast("pulse", [pulseAt(3, { cpu_percent: 3 })])
  assert.deepEqual(values(CPU), [3, 5, 6, 9])
})

test("an older part of a past is never the present, though its agent has started again since", () => {
  const TOTAL = { id: "total", group: "pulse", field: "total", unit: undefined }
  past = new ComparePast("a", fleet, [TOTAL])
  past.takePast("pulse", [pulseAt(9, { session: "new" })])
  past.takePast("pulse", [pulseAt(3, { session: "old", total: 3 })])
  assert.equal(past.lacks(TOTAL), true)
})

test("devices are made one number", () => {
  past.take(
    "disk",
    { time: START_SECONDS, tick: 1, devices: { a: { busy_percent: 4 }, b: { busy_percent: 11 } } },
    receivedAt(0),
  )
  assert.deepEqual(values(BUSY), [11])
  assert.equal(past.combines(BUSY), true)
  assert.equal(past.combines(CPU), false)
})

test("groups and payloads that nobody asked for are passed over", () => {
  past.take("memory", { time: START_SECONDS, tick: 1, used_percent: 4 }, receivedAt(0))
  past.take("disk", null, receivedAt(0))
  past.take("disk", { busy_percent: 4 }, receivedAt(0))
  past.takePast("disk", "nonsense")
  past.takePast("disk", [null, 7])
  assert.deepEqual(values(BUSY), [])
})

test("each group has its own interval, and a gap is two and a half of it", () => {
  assert.equal(past.source(CPU).interval(), 1)
  assert.equal(past.source(CPU).gap(), 2500)
  assert.equal(past.source(BUSY).interval(), 5)
  assert.equal(past.source(BUSY).gap(), 12_500)
})

test("what a host lacks is known when it said so, and not before", () => {
  assert.equal(past.lacks(CPU), false)
  assert.equal(past.lacks(BUSY), false)
  assert.equal(past.lacks({ ...BUSY, group: "gpu", id: "gpu.busy_percent" }), true)
  const { cpu_percent: _, ...without } = pulseAt(1)
  past.take("pulse", without, receivedAt(1))
  assert.equal(past.lacks(CPU), true)
})

test("a host that the bridge does not know is waited for", () => {
  const unknown = new ComparePast("b", fleet, [CPU])
  assert.equal(unknown.host, undefined)
  assert.equal(unknown.lacks(CPU), false)
  assert.equal(unknown.source(CPU).offset(), 0)
  fleet.take({ type: "host", id: "b", state: "live", since: START_SECONDS }, receivedAt(1))
  unknown.take("pulse", pulseAt(1, { cpu_percent: 7 }), receivedAt(1))
  assert.equal(unknown.source(CPU).columns.value("cpu_percent", 0), 7)
})

test("its clock is set right", () => {
  past.take("pulse", pulseAt(3600), receivedAt(0))
  assert.equal(past.source(CPU).offset(), receivedAt(0) - (START_SECONDS + 3600) * 1000)
})
