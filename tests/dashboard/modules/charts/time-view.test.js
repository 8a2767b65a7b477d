import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import "../browser.js"
import {
  drawnLater,
  paintedEvery,
  TimeView,
  WINDOWS_SECONDS,
} from "../../../../dashboard/src/charts/time-view.js"

beforeEach(() => localStorage.clear())

test("it starts with the shortest stretch and keeps the one that is chosen", () => {
  const view = new TimeView()
  assert.equal(view.seconds, WINDOWS_SECONDS[0])
  view.setSeconds(300)
  assert.equal(new TimeView().seconds, 300)
})

test("only the stretches that are offered are taken, even from what was kept", () => {
  const view = new TimeView()
  for (const seconds of [0, -60, 61, Number.NaN, Number.POSITIVE_INFINITY]) view.setSeconds(seconds)
  assert.equal(view.seconds, 60)
  for (const kept of ["61", "", "NaN", "1e9"]) {
    localStorage.setItem("fleetglass.window", kept)
    assert.equal(new TimeView().seconds, 60)
  }
})

test("longer and shorter stop at the ends", () => {
  const view = new TimeView()
  const seen = [1, 1, 1, -1, -1, -1].map((by) => {
    view.step(by)
    return view.seconds
  })
  assert.deepEqual(seen, [300, 900, 900, 300, 60, 60])
})

test("paused, the right edge stays; going on, it is now", () => {
  const view = new TimeView()
  assert.equal(view.end(1_000), 1_000)
  view.pause(1_000)
  assert.equal(view.end(9_000), 1_000)
  view.pause(undefined)
  assert.equal(view.end(9_000), 9_000)
})

test("who follows is told of every change once, until it no longer follows", () => {
  const view = new TimeView()
  let told = 0
  const leave = view.follow(() => {
    told += 1
  })
  view.setSeconds(300)
  view.setSeconds(300)
  view.pause(5)
  view.point(7)
  view.point(7)
  assert.equal(told, 3)
  leave()
  view.point(undefined)
  assert.equal(told, 3)
  assert.equal(view.pointedAt, undefined)
})

test("charts are drawn later by an interval and the way of a sample, and never by more than 3 s", () => {
  assert.equal(drawnLater(1), 1_400)
  assert.equal(drawnLater(0.2), 600)
  assert.equal(drawnLater(60), 3_000)
})

test("a chart is painted once per pixel, at most ten times and at least once per second", () => {
  assert.equal(paintedEvery(60, 300), 200)
  assert.equal(paintedEvery(60, 6_000), 100)
  assert.equal(paintedEvery(900, 100), 1_000)
  assert.equal(paintedEvery(60, 0), 1_000)
})
