import assert from "node:assert/strict"
import { test } from "node:test"

import * as numbers from "../../../../dashboard/src/data/numbers.js"

const { MISSING } = numbers
const KIB = 1024
const HOUR = 3600
const DAY = 24 * HOUR

const READ_AS = [
  ["percent", 0, "0.0 %"],
  ["percent", 9.44, "9.4 %"],
  ["percent", 9.949, "9.9 %"],
  ["percent", 9.96, "10 %"],
  ["percent", 42.4, "42 %"],
  ["percent", 100, "100 %"],
  ["percent", 412.5, "413 %"],
  ["percent", -0.01, "0.0 %"],
  ["bytes", 0, "0 B"],
  ["bytes", 512, "512 B"],
  ["bytes", 1023, "1023 B"],
  ["bytes", 1024, "1.00 KiB"],
  ["bytes", 1536, "1.50 KiB"],
  ["bytes", 15 * KIB ** 2, "15.0 MiB"],
  ["bytes", 1023 * KIB, "1.00 MiB"],
  ["bytes", 3 * KIB ** 5, "3.00 PiB"],
  ["bytes", 5000 * KIB ** 6, "5000 EiB"],
  ["bytes", -1536, "-1.50 KiB"],
  ["byteRate", 2 * KIB, "2.00 KiB/s"],
  ["byteRate", 0, "0 B/s"],
  ["load", 3, "3.00"],
  ["load", 0.005, "0.01"],
  ["load", 120.456, "120.46"],
  ["celsius", 47.4, "47 °C"],
  ["celsius", -0.4, "0 °C"],
  ["celsius", -12, "-12 °C"],
  ["hertz", 3.4e9, "3.40 GHz"],
  ["count", 0, "0"],
  ["count", 999, "999"],
  ["count", 12345, "12\u202f345"],
  ["count", 1234567.4, "1\u202f234\u202f567"],
  ["count", -1234, "-1\u202f234"],
  ["rate", 1240, "1\u202f240/s"],
  ["duration", 0.00031, "310 µs"],
  ["duration", 0.0182, "18.2 ms"],
  ["duration", 0.9996, "1.00 s"],
  ["duration", 2.5, "2.50 s"],
  ["duration", -0.0182, "-18.2 ms"],
  ["duration", -3600, "-3600 s"],
  ["duration", 0, "0 µs"],
  ["uptime", 0, "00:00:00"],
  ["uptime", 5 * HOUR + 25 * 60 + 13, "05:25:13"],
  ["uptime", DAY - 0.5, "23:59:59"],
  ["uptime", DAY, "1 d 00:00"],
  ["uptime", 52 * DAY + 5 * HOUR + 25 * 60 + 59, "52 d 05:25"],
  ["uptime", -1, MISSING],
  ["roughly", 12, "12 s"],
  ["roughly", -3600, "60 min"],
  ["roughly", 7200, "2 h"],
  ["roughly", 3 * DAY, "3 d"],
  ["trimmed", "5.00 MiB/s", "5 MiB/s"],
  ["trimmed", "1.50 KiB", "1.5 KiB"],
  ["trimmed", "100 %", "100 %"],
  ["trimmed", "0.0 %", "0 %"],
  ["trimmed", "10", "10"],
  ["trimmed", "0.05", "0.05"],
  ["trimmed", MISSING, MISSING],
]

for (const [name, given, text] of READ_AS) {
  test(`${name} of ${given} reads ${text}`, () => assert.equal(numbers[name](given), text))
}

const OF_ONE_VALUE = [
  "percent",
  "bytes",
  "byteRate",
  "load",
  "celsius",
  "hertz",
  "count",
  "rate",
  "duration",
  "uptime",
  "clockTime",
  "date",
]

for (const name of OF_ONE_VALUE) {
  test(`${name} of what is no finite number is a dash`, () => {
    for (const nothing of [
      undefined,
      null,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      "7",
      "",
      {},
      [],
      true,
    ]) {
      assert.equal(numbers[name](nothing), MISSING)
    }
  })

  test(`${name} never says NaN, Infinity, undefined or -0, whatever the number`, () => {
    for (let power = -12; power <= 15; power += 0.5) {
      for (const value of [10 ** power, -(10 ** power), 0, -0, Number.MAX_VALUE, Number.MIN_VALUE]) {
        assert.doesNotMatch(numbers[name](value), /NaN|Infinity|undefined|null|^-0(\.0*)?(?=[^\d.]|$)/)
      }
    }
  })
}

test("an age counts seconds, then minutes, and then is a time of day, at last with its date", () => {
  const now = Date.UTC(2026, 10, 21, 14, 2, 11)
  const ago = (seconds) => numbers.age(now - seconds * 1000, now)
  assert.deepEqual([0, 3, 59.9, 60, 240, HOUR - 1].map(ago), [
    "0 s ago",
    "3 s ago",
    "59 s ago",
    "1 min ago",
    "4 min ago",
    "59 min ago",
  ])
  assert.equal(ago(HOUR), `at ${numbers.clockTime(now - HOUR * 1000)}`)
  assert.match(ago(2 * DAY), /^on 2026-11-19 \d\d:\d\d:11$/)
  assert.equal(ago(-5), "0 s ago")
  assert.equal(numbers.age(Number.NaN, now), MISSING)
})

test("a clock time and a date are those of the browser's zone", () => {
  const at = new Date(2026, 10, 21, 4, 2, 1).getTime()
  assert.equal(numbers.clockTime(at), "04:02:01")
  assert.equal(numbers.date(at), "2026-11-21")
})

test("a unit of the wire has the format of its kind, and one that nobody knows is written behind", () => {
  const said = (unit, value) => numbers.formatOf(unit)(value)
  assert.equal(said("percent", 42.4), "42 %")
  assert.equal(said("bytes per second", 2048), "2.00 KiB/s")
  assert.equal(said("celsius", 47.25), "47.3 °C")
  assert.equal(said("seconds", 0.25), "250 ms")
  assert.equal(said("furlongs", 1.23456), "1.23 furlongs")
  assert.equal(said(undefined, 12345), "12\u202f345")
  assert.equal(said("constructor", 3), "3 constructor")
  for (const unit of ["percent", "bytes", "celsius", "furlongs", undefined, null, 7, {}])
    assert.equal(said(unit, Number.NaN), MISSING)
})
