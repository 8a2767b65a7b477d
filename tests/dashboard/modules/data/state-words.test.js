import assert from "node:assert/strict"
import { test } from "node:test"

import { Host } from "../../../../dashboard/src/data/fleet.js"
import { clockTime } from "../../../../dashboard/src/data/numbers.js"
import { stateInWords } from "../../../../dashboard/src/data/state-words.js"

const NOW_SECONDS = 1_795_288_000

function hostThatIs(state, { newest = NOW_SECONDS - 4, since = NOW_SECONDS - 60 } = {}) {
  return Object.assign(new Host("a"), { state, newest, since })
}

test("each state is said with the moment that matters for it", () => {
  const since = clockTime((NOW_SECONDS - 60) * 1000)
  const words = ["live", "late", "lost", "suspended", "stopped", "waiting"].map((state) =>
    stateInWords(hostThatIs(state), NOW_SECONDS * 1000),
  )
  assert.deepEqual(words, [
    "live",
    "late, last sample 4 s ago",
    `lost since ${since}`,
    "suspended for 60 s",
    `stopped at ${since}`,
    "waiting for the first sample",
  ])
})

test("a closed laptop sleeps for hours, and never for less than no time", () => {
  const words = (hours) =>
    stateInWords(hostThatIs("suspended", { since: NOW_SECONDS - 3600 * hours }), NOW_SECONDS * 1000)
  assert.deepEqual([8, 72, -1].map(words), ["suspended for 8 h", "suspended for 3 d", "suspended for 0 s"])
})

test("a late host that was never heard has no last sample", () => {
  assert.equal(stateInWords(hostThatIs("late", { newest: Number.NaN }), NOW_SECONDS * 1000), "late")
})

test("while time stands still, a host that became late afterwards is late since then", () => {
  const since = clockTime((NOW_SECONDS - 60) * 1000)
  assert.equal(stateInWords(hostThatIs("late"), (NOW_SECONDS - 120) * 1000), `late since ${since}`)
})

test("an expected host of which nothing was ever heard is has not reported yet", () => {
  const host = hostThatIs("waiting")
  host.expected = { name: "", tags: [], notes: "" }
  assert.equal(stateInWords(host, NOW_SECONDS * 1000), "has not reported yet")
  host.info = { host_name: "a" }
  assert.equal(stateInWords(host, NOW_SECONDS * 1000), "waiting for the first sample")
})
