import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { pulseAt, receivedAt, START_SECONDS } from "../messages-of-tests.js"
import { alertsOf } from "../../../../dashboard/src/data/host-alerts.js"
import { ClockOffset } from "../../../../dashboard/src/data/clock.js"
import { Host } from "../../../../dashboard/src/data/fleet.js"

let host
let bridgeClock

beforeEach(() => {
  bridgeClock = new ClockOffset()
  bridgeClock.observe(START_SECONDS, receivedAt(0))
  host = new Host("a", bridgeClock)
  host.state = "live"
  host.info = { host_name: "a", interval_seconds: 1, groups: {} }
})

function pulse(after, fields, received = receivedAt(after)) {
  host.take(pulseAt(after, fields), received, true)
}

function alerts(detail = {}, after = 0) {
  return alertsOf(host, receivedAt(after), (group) => detail[group])
}

function levels(detail) {
  return alerts(detail).map(({ level, metric }) => `${level} ${metric}`)
}

test("a host that is well needs no attention", () => {
  pulse(0, {
    memory_percent: 60,
    swap_percent: 10,
    filesystem_percent: 70,
    battery_percent: 80,
    temperature_celsius: 50,
  })
  assert.deepEqual(alerts(), [])
})

test("numbers over their limits are told with their value, the worst first", () => {
  pulse(0, { memory_percent: 91, filesystem_percent: 96.4, swap_percent: 85, battery_percent: 4 })
  assert.deepEqual(
    alerts().map(({ words }) => words),
    ["disk 96 %", "battery 4.0 %", "memory 91 %", "swap 85 %"],
  )
  assert.deepEqual(levels(), ["critical filesystem", "critical power", "warn memory", "warn memory"])
})

test("units that failed are told, by their own group where it is known", () => {
  for (const [failed, words] of [
    [0, []],
    [1, ["1 failed unit"]],
    [2, ["2 failed units"]],
  ]) {
    pulse(0, { failed_units: failed })
    host.noteSlow({ failed_units: failed })
    assert.deepEqual(
      alerts().map((one) => one.words),
      words,
    )
  }
  assert.deepEqual(levels({ unit: { failed_count: 0 } }), [])
  assert.deepEqual(levels(), ["warn unit"])
  host.noteSlow({})
  assert.deepEqual(levels(), [])
})

test("numbers that are missing, or are none, are no trouble", () => {
  pulse(0, { memory_percent: "99", filesystem_percent: null, swap_percent: Number.NaN })
  assert.deepEqual(alerts(), [])
})

test("of a host that is not heard only that is said, since its numbers are old", () => {
  pulse(0, { memory_percent: 99 })
  host.since = START_SECONDS
  host.state = "lost"
  assert.match(alerts()[0].words, /^lost since \d\d:\d\d:\d\d$/)
  assert.deepEqual(levels(), ["critical state"])
  host.state = "late"
  assert.deepEqual(levels(), ["warn state"])
  for (const state of ["suspended", "stopped", "waiting"]) {
    host.state = state
    assert.deepEqual(alerts(), [])
  }
})

test("two machines under one id are always told", () => {
  host.info = { ...host.info, conflict: "other" }
  host.state = "lost"
  assert.deepEqual(levels(), ["critical conflict", "critical state"])
})

test("a processor is in trouble only when it has been busy for a minute without a break", () => {
  for (let after = 0; after < 60; after += 1) pulse(after, { cpu_percent: 99 })
  assert.deepEqual(levels(), [])
  pulse(60, { cpu_percent: 99 })
  assert.deepEqual(levels(), ["warn cpu"])
  pulse(61, { cpu_percent: 50 })
  assert.deepEqual(levels(), [])
  pulse(62, { cpu_percent: 99 })
  assert.deepEqual(levels(), [])
})

test("a silence breaks the minute", () => {
  for (let after = 0; after <= 30; after += 1) pulse(after, { cpu_percent: 99 })
  for (let after = 40; after <= 70; after += 1) pulse(after, { cpu_percent: 99 })
  assert.deepEqual(levels(), [])
})

for (const seconds of [3_600, -3_600]) {
  test(`a clock that is off by ${seconds} s is told, and which way`, () => {
    pulse(seconds, {}, receivedAt(0))
    const [{ metric, words }] = alerts()
    assert.equal(metric, "clock")
    assert.equal(words, `clock 60 min ${seconds > 0 ? "ahead" : "behind"}`)
  })
}

test("a clock that is off by a second is not worth a word", () => {
  pulse(1, {}, receivedAt(0))
  assert.deepEqual(alerts(), [])
})

test("where the detail is known, each mount and battery speaks for itself", () => {
  pulse(0, { filesystem_percent: 99, battery_percent: 3 })
  const detail = {
    filesystem: { mounts: { "/": { used_percent: 50 }, "/srv": { used_percent: 97 }, odd: null } },
    power: { batteries: { BAT0: { charge_percent: 60 } } },
  }
  assert.deepEqual(
    alerts(detail).map(({ words }) => words),
    ["/srv 97 %"],
  )
})

test("a temperature is judged by the limits of its own sensor, and not without", () => {
  pulse(0)
  const temperatures = {
    hot: { current_celsius: 96, high_celsius: 85, critical_celsius: 95 },
    warm: { current_celsius: 86, high_celsius: 85, critical_celsius: 95 },
    unlimited: { current_celsius: 120 },
    unread: { high_celsius: 85 },
  }
  assert.deepEqual(alerts({ sensor: { temperatures } }), [
    { level: "critical", metric: "sensor", words: "hot 96 °C" },
    { level: "warn", metric: "sensor", words: "warm 86 °C" },
  ])
})

test("what holds a processor back now is told, what once did is not", () => {
  pulse(0)
  assert.deepEqual(
    alerts({ sensor: { throttling: { now: ["throttled"], since_boot: ["under-voltage"] } } }).map(
      ({ words }) => words,
    ),
    ["held back: throttled"],
  )
  assert.deepEqual(alerts({ sensor: { throttling: { now: [], since_boot: ["under-voltage"] } } }), [])
})

test("a collector that failed is told with its reason", () => {
  pulse(0)
  const collectors = {
    gpu: { state: "failed", reason: "no permission" },
    disk: { state: "failed" },
    cpu: { state: "ok" },
    network: { state: "late" },
  }
  assert.deepEqual(
    alerts({ collector: { collectors } }).map(({ words }) => words),
    ["gpu cannot be read: no permission", "disk cannot be read"],
  )
})

test("detail that is not as agreed harms nothing", () => {
  pulse(0)
  for (const odd of [
    null,
    7,
    "text",
    [],
    { mounts: 7 },
    { temperatures: [null] },
    { throttling: { now: "yes" } },
    { collectors: null },
  ]) {
    assert.deepEqual(alerts({ filesystem: odd, sensor: odd, collector: odd, power: odd, memory: odd }), [])
  }
})

test("of a late host nothing is told while its site is cut off: the bar tells of the site", () => {
  pulse(0)
  host.state = "late"
  assert.deepEqual(levels(), ["warn state"])
  host.cutOff = true
  assert.deepEqual(alerts(), [])
})
