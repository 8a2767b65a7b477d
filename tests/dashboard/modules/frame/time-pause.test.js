import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { address } from "../browser.js"
import { ClockOffset } from "../../../../dashboard/src/data/clock.js"
import { TimePause } from "../../../../dashboard/src/frame/time-pause.js"
import { TimeView } from "../../../../dashboard/src/charts/time-view.js"

const NOW_SECONDS = 1_795_288_000
const HOST = { page: "host" }

let time
let bridgeClock
let told
let timePause

beforeEach(() => {
  mock.timers.enable({ apis: ["Date"], now: NOW_SECONDS * 1000 })
  address.hash = "#/host/web-1"
  time = new TimeView()
  bridgeClock = new ClockOffset()
  told = []
  timePause = new TimePause(time, { bridgeClock }, (words) => told.push(words))
})

afterEach(() => mock.timers.reset())

/** The bridge's clock is so many seconds behind. */
function meetBridge(behind) {
  bridgeClock.observe(NOW_SECONDS - behind, NOW_SECONDS * 1000)
  timePause.learn(900)
}

test("a toggle stops at now and goes on, and the address says so by the bridge's clock", () => {
  meetBridge(3600)
  timePause.open(HOST, undefined)
  timePause.toggle()
  assert.equal(time.pausedAt, NOW_SECONDS * 1000)
  assert.equal(address.hash, `#/host/web-1?pause=${NOW_SECONDS - 3600}.000`)
  timePause.toggle()
  assert.equal(time.pausedAt, undefined)
  assert.equal(address.hash, "#/host/web-1")
})

test("a link is set right as soon as the bridge's clock is known", () => {
  timePause.open(HOST, NOW_SECONDS - 3600 - 100)
  assert.equal(time.pausedAt, (NOW_SECONDS - 3700) * 1000)
  meetBridge(3600)
  assert.equal(time.pausedAt, (NOW_SECONDS - 100) * 1000)
  assert.deepEqual(told, [])
})

test("a moment within what is kept is shown, one before it or to come is not, and that is said", () => {
  meetBridge(0)
  for (const [ago, shown] of [
    [0, true],
    [899, true],
    [901, false],
    [-60, false],
  ]) {
    address.hash = `#/host/web-1?pause=${NOW_SECONDS - ago}`
    timePause.open(HOST, NOW_SECONDS - ago)
    assert.equal(time.pausedAt !== undefined, shown, String(ago))
    assert.equal(address.hash.includes("pause"), shown, String(ago))
  }
  assert.equal(told.length, 2)
  assert.match(told[0], /^What this link shows, .* is over: only the last 15 min are kept\. This is now\.$/)
  assert.match(told[1], /is still to come/)
})

test("who goes on before the bridge answers is not stopped again", () => {
  timePause.open(HOST, NOW_SECONDS - 100)
  timePause.toggle()
  meetBridge(0)
  assert.equal(time.pausedAt, undefined)
})

test("the fleet page has no moment to link to", () => {
  address.hash = "#/"
  timePause.open({ page: "fleet" }, NOW_SECONDS - 100)
  assert.equal(time.pausedAt, undefined)
  timePause.toggle()
  assert.equal(time.pausedAt, NOW_SECONDS * 1000)
  assert.equal(address.hash, "#/")
})

test("another page goes on", () => {
  timePause.open(HOST, undefined)
  timePause.toggle()
  timePause.open(HOST, undefined)
  assert.equal(time.pausedAt, undefined)
})
