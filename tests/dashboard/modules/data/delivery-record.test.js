import assert from "node:assert/strict"
import { test } from "node:test"

import { DeliveryRecord } from "../../../../dashboard/src/data/delivery-record.js"

test("what the bridge tells is kept as it is, and its numbers as a line by this page's clock", () => {
  const record = new DeliveryRecord()
  assert.equal(record.latest, undefined)
  record.take({ latency_seconds: 0.012, lost_total: 3, note: "text", jitter_seconds: null }, 5_000, true)
  record.take({ latency_seconds: 0.02 }, 10_000, true)
  assert.deepEqual(record.latest, { latency_seconds: 0.02 })
  const { columns, offset } = record.source
  const rows = [columns.first, columns.first + 1]
  assert.deepEqual(
    rows.map((row) => columns.time(row) * 1000 + offset()),
    [5_000, 10_000],
  )
  assert.deepEqual(
    rows.map((row) => columns.value("lost_total", row)),
    [3, Number.NaN],
  )
  assert.ok(Math.abs(columns.value("latency_seconds", columns.end - 1) - 0.02) < 1e-6)
  assert.deepEqual([...columns.keys], ["latency_seconds", "lost_total"])
})

test("a bridge that tells every 5 s makes no gaps, and one that falls silent does", () => {
  const { gap, interval } = new DeliveryRecord().source
  assert.ok(gap() > interval() * 1000 && gap() < 3 * interval() * 1000)
})

test("while time stands still the line goes on and what is told stays", () => {
  const record = new DeliveryRecord()
  record.take({ latency_seconds: 0.01 }, 5_000, true)
  record.take({ latency_seconds: 0.02 }, 10_000, false)
  assert.deepEqual(record.latest, { latency_seconds: 0.01 })
  assert.ok(
    Math.abs(record.source.columns.value("latency_seconds", record.source.columns.end - 1) - 0.02) < 1e-6,
  )
})
