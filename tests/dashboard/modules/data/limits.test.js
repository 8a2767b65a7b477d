import assert from "node:assert/strict"
import { test } from "node:test"

import { levelAt, LIMITS, METER_LIMIT } from "../../../../dashboard/src/data/limits.js"

test("trouble starts at the limit itself", () => {
  const { warn, critical } = METER_LIMIT
  assert.deepEqual(
    [warn - 0.1, warn, critical - 0.1, critical, 100].map((value) => levelAt(value, METER_LIMIT)),
    [null, "warn", "warn", "critical", "critical"],
  )
})

test("of what falls, the trouble is below", () => {
  const { warn, critical } = LIMITS.battery
  assert.deepEqual(
    [100, warn + 1, warn, critical + 1, critical, 0].map((value) => levelAt(value, LIMITS.battery)),
    [null, null, "warn", "warn", "critical", "critical"],
  )
})

test("what is not known is no trouble", () => {
  for (const limit of Object.values(LIMITS)) {
    for (const value of [undefined, null, Number.NaN, "99", {}]) assert.equal(levelAt(value, limit), null)
  }
})
