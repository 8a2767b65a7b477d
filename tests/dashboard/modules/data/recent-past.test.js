import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { ASK_MILLISECONDS, RecentPast } from "../../../../dashboard/src/data/recent-past.js"

let asked
let past
let filled

beforeEach(() => {
  asked = []
  filled = new Set()
  past = new RecentPast((ids) => asked.push(ids))
})

const want = (visible, now) => past.want(visible, (id) => filled.has(id), now)

test("the hosts in sight are asked for once", () => {
  assert.equal(want(["a", "b"], 0), false)
  assert.equal(want(["b", "a"], 10_000), false)
  assert.deepEqual(asked, [["a", "b"]])
})

test("those whose past is here are not asked for", () => {
  filled.add("a").add("b")
  assert.equal(want(["a", "b"], 0), false)
  assert.deepEqual(asked, [])
})

test("while one scrolls it asks at most four times per second, and then for all in sight", () => {
  want(["a"], 0)
  assert.equal(want(["b"], 100), true)
  assert.equal(want(["c"], ASK_MILLISECONDS - 1), true)
  assert.equal(want(["c"], ASK_MILLISECONDS), false)
  assert.deepEqual(asked, [["a"], ["c"]])
})

test("what stays in sight stays asked for, so that what comes late is told, too", () => {
  want(["a", "b"], 0)
  filled.add("a").add("b")
  want(["b", "c"], 1_000)
  assert.deepEqual(asked.at(-1), ["c", "b"])
})

test("more than a bridge allows are never asked for, those without a past first", () => {
  const many = Array.from({ length: 100 }, (_, number) => `h${number}`)
  want(many, 0)
  assert.equal(asked[0].length, 64)
  for (const id of asked[0]) filled.add(id)
  want(many, 1_000)
  assert.deepEqual(asked[1].slice(0, 36), many.slice(64))
})

test("what is forgotten is asked for again", () => {
  want(["a"], 0)
  filled.clear()
  past.forget()
  want(["a"], 1_000)
  assert.deepEqual(asked, [["a"], ["a"]])
})
