import assert from "node:assert/strict"
import { test } from "node:test"

import { ClockOffset } from "../../../../dashboard/src/data/clock.js"

const START = 1_795_288_000_000

/** Messages once per second from a clock that is ahead, with a delay each. */
function observe(clock, { from = 0, seconds, aheadMilliseconds = 0, delay = () => 10 }) {
  for (let second = from; second < from + seconds; second += 1) {
    const sent = START + second * 1000
    clock.observe((sent + aheadMilliseconds) / 1000, sent + delay(second))
  }
}

test("without a message nothing is known", () => {
  const clock = new ClockOffset()
  assert.equal(clock.known, false)
  assert.equal(clock.milliseconds, undefined)
})

for (const hours of [1, -1]) {
  test(`a clock that is ${hours} h ahead is found out to the delay of the fastest message`, () => {
    const clock = new ClockOffset()
    observe(clock, {
      seconds: 20,
      aheadMilliseconds: hours * 3_600_000,
      delay: (second) => 10 + (second % 7) * 40,
    })
    assert.ok(Math.abs(clock.milliseconds - (10 - hours * 3_600_000)) < 0.01)
    assert.equal(clock.known, true)
  })
}

test("a message that took long changes nothing", () => {
  const clock = new ClockOffset()
  observe(clock, { seconds: 10 })
  observe(clock, { from: 10, seconds: 5, delay: () => 4_000 })
  assert.ok(Math.abs(clock.milliseconds - 10) < 0.01)
})

test("a way that became slower for good is learnt within a minute", () => {
  const clock = new ClockOffset()
  observe(clock, { seconds: 30, delay: () => 5 })
  observe(clock, { from: 30, seconds: 61, delay: () => 300 })
  assert.ok(Math.abs(clock.milliseconds - 300) < 0.01)
})

test("a clock that is set forward is followed at once", () => {
  const clock = new ClockOffset()
  observe(clock, { seconds: 10 })
  observe(clock, { from: 10, seconds: 1, aheadMilliseconds: 3_600_000 })
  assert.ok(Math.abs(clock.milliseconds - (10 - 3_600_000)) < 0.01)
})

test("a clock that is set back is followed at once", () => {
  const clock = new ClockOffset()
  observe(clock, { seconds: 10 })
  observe(clock, { from: 10, seconds: 1, aheadMilliseconds: -3_600_000 })
  assert.ok(Math.abs(clock.milliseconds - (10 + 3_600_000)) < 0.01)
})

test("a message that comes again a little later is no clock that was set back", () => {
  const clock = new ClockOffset()
  observe(clock, { seconds: 10 })
  clock.observe((START + 6_000) / 1000, START + 9_500)
  assert.ok(Math.abs(clock.milliseconds - 10) < 0.01)
})
