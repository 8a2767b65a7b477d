import assert from "node:assert/strict"
import { test } from "node:test"

import { TickOrder } from "../../../../dashboard/src/data/tick-order.js"

test("ticks in order are accepted, each once", () => {
  const order = new TickOrder()
  assert.deepEqual(
    [1, 2, 2, 3, 3, 7].map((tick) => order.accept({ time: tick, tick }, 1)),
    [true, true, false, true, false, true],
  )
})

test("a latecomer is left out, and what follows it is not", () => {
  const order = new TickOrder()
  assert.deepEqual(
    [5, 3, 4, 6].map((tick) => order.accept({ time: tick, tick }, 1)),
    [true, false, false, true],
  )
})

test("a lower tick of another session is an agent that started again", () => {
  const order = new TickOrder()
  order.accept({ time: 100, tick: 900, session: "a" }, 1)
  assert.equal(order.accept({ time: 100.5, tick: 1, session: "b" }, 1), true)
  assert.equal(order.accept({ time: 101.5, tick: 1, session: "b" }, 1), false)
  assert.equal(order.accept({ time: 101.5, tick: 2, session: "b" }, 1), true)
})

test("without a session, a lower tick counts as a new start once it is 2.5 intervals later", () => {
  const order = new TickOrder()
  order.accept({ time: 100, tick: 900 }, 1)
  assert.equal(order.accept({ time: 102.5, tick: 1 }, 1), false)
  assert.equal(order.accept({ time: 102.6, tick: 1 }, 1), true)
  order.accept({ time: 200, tick: 900 }, 10)
  assert.equal(order.accept({ time: 224, tick: 2 }, 10), false)
  assert.equal(order.accept({ time: 226, tick: 2 }, 10), true)
})

test("a sample without a session belongs to that of the sample before it", () => {
  const order = new TickOrder()
  order.accept({ time: 100, tick: 10, session: "a" }, 1)
  order.accept({ time: 101, tick: 11 }, 1)
  assert.equal(order.accept({ time: 101.5, tick: 5, session: "a" }, 1), false)
  assert.equal(order.accept({ time: 101.5, tick: 5, session: "b" }, 1), true)
})

test("an older part of the past is never newer, though its agent had counted further", () => {
  const order = new TickOrder()
  assert.equal(order.acceptPast({ time: 200, tick: 5, session: "b" }, 1), true)
  assert.equal(order.acceptPast({ time: 100, tick: 900, session: "a" }, 1), false)
  assert.equal(order.accept({ time: 201, tick: 6, session: "b" }, 1), true)
  assert.equal(order.acceptPast({ time: 201, tick: 6, session: "b" }, 1), false)
})
