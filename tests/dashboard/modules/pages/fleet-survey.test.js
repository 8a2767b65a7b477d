import assert from "node:assert/strict"
import { test } from "node:test"

import { pulseAt, receivedAt } from "../messages-of-tests.js"
import { Host } from "../../../../dashboard/src/data/fleet.js"
import { rowOf, survey } from "../../../../dashboard/src/pages/fleet-survey.js"

function host(id, state, pulse = {}, info = {}) {
  const made = new Host(id)
  made.info = { logical_cores: 8, memory_total_bytes: 1000, ...info }
  made.take(pulseAt(0, { cpu_percent: 50, memory_percent: 20, ...pulse }), receivedAt(0), true)
  made.state = state
  return made
}

test("hosts are counted by state, and those that need attention by how bad it is", () => {
  const [well, full, lost] = [host("a", "live"), host("b", "live", { memory_percent: 93 }), host("c", "lost")]
  const seen = survey([well, full, lost, host("d", "waiting")], receivedAt(0))
  assert.equal(seen.total, 4)
  assert.deepEqual(Object.fromEntries(seen.counts), {
    live: 2,
    late: 0,
    lost: 1,
    waiting: 1,
    suspended: 0,
    stopped: 0,
  })
  assert.deepEqual(seen.troubled, { warn: 1, critical: 1 })
  assert.deepEqual(
    [...seen.alerts.keys()].map(({ id }) => id),
    ["b", "c"],
  )
})

test("the sums are of who is heard or was until just now, each beside what those hosts have", () => {
  const seen = survey(
    [
      host("a", "live"),
      host("b", "late"),
      host("c", "lost"),
      host("d", "live", {}, { logical_cores: undefined }),
    ],
    receivedAt(0),
  )
  assert.deepEqual(seen.sums, { cores: 8, memory: 600 })
  assert.equal(seen.cores, 16)
  assert.equal(seen.memory, 3000)
})

test("of an empty fleet there are no sums, which is not zero", () => {
  const seen = survey([], 0)
  assert.equal(seen.total, 0)
  assert.deepEqual(seen.sums, {})
  assert.deepEqual(rowOf(seen), [
    ["live", 0],
    ["attention", 0],
  ])
})

test("a row for the last minute has the counts and the sums", () => {
  const row = Object.fromEntries(rowOf(survey([host("a", "live", { memory_percent: 93 })], receivedAt(0))))
  assert.deepEqual(row, { live: 1, attention: 1, cores: 4, memory: 930 })
})
