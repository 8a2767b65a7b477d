import assert from "node:assert/strict"
import { test } from "node:test"

import { best, fit } from "../../../../dashboard/src/frame/fuzzy-search.js"

test("the start of the text fits best, then the start of a word, any part, and letters alone", () => {
  const scores = ["web-1 host", "a web host", "cobweb", "wxeyb", "host"].map((text) => fit("web", text))
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  )
  assert.equal(new Set(scores).size, 5)
  assert.equal(scores.at(-1), 0)
})

test("every word must fit, in any order and case", () => {
  assert.ok(fit("LOST web", "Web-1 lost") > 0)
  assert.equal(fit("web live", "web-1 lost"), 0)
})

test("letters are only left out within one word", () => {
  assert.ok(fit("wb2", "web-2") > 0)
  assert.equal(fit("wb2", "web two 2"), 0)
})

test("nothing typed fits everything, in its order", () => {
  const { found, total } = best("  ", ["b", "a", "c"], (text) => text, 2)
  assert.deepEqual(found, ["b", "a"])
  assert.equal(total, 3)
})

test("equals keep their order and the best comes first", () => {
  const { found, total } = best("web", ["a web", "web-2", "web-1", "db"], (text) => text, 10)
  assert.deepEqual(found, ["web-2", "web-1", "a web"])
  assert.equal(total, 3)
})

test("what is special in patterns is only letters", () => {
  assert.ok(fit(".*", "a.*b") > 0)
  assert.equal(fit(".*", "abc"), 0)
})
