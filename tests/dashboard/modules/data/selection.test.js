import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { Selection } from "../../../../dashboard/src/data/selection.js"

let asked
let selection

beforeEach(() => {
  asked = []
  selection = new Selection({ watch: (one) => asked.push(one) })
})

test("the fleet is asked for with the last minute of the rows in sight", () => {
  selection.fleet(["b", "a"])
  assert.deepEqual(asked, [{ fleet: true, hosts: { a: [], b: [] }, history: 60 }])
})

test("the same rows in another order are not asked for again", () => {
  selection.fleet(["b", "a"])
  selection.fleet(["a", "b"])
  assert.equal(asked.length, 1)
  selection.fleet(["a"])
  assert.equal(asked.length, 2)
})

test("never more hosts are named than a bridge allows", () => {
  selection.fleet(Array.from({ length: 200 }, (_, number) => `h${number}`))
  assert.equal(Object.keys(asked[0].hosts).length, 64)
})

test("a host is asked for whole, with a little more past than its window is long, at most 15 min", () => {
  selection.host("web-1", 60)
  selection.host("web-1", 900)
  assert.deepEqual(
    asked.map(({ fleet, hosts }) => ({ fleet, hosts })),
    [
      { fleet: false, hosts: { "web-1": "*" } },
      { fleet: false, hosts: { "web-1": "*" } },
    ],
  )
  assert.ok(asked[0].history >= 60 && asked[0].history <= 70)
  assert.equal(asked[1].history, 900)
})

test("a longer past is asked for by asking for the host anew", () => {
  selection.host("web-1", 60)
  selection.hostAnew("web-1", 300)
  assert.deepEqual(
    asked.map(({ hosts }) => Object.keys(hosts)),
    [["web-1"], [], ["web-1"]],
  )
})

test("an id that JavaScript knows is only an id", () => {
  selection.host("constructor", 60)
  assert.equal(JSON.stringify(asked[0].hosts), '{"constructor":"*"}')
})

test("hosts are compared by the pulses of all and the groups of some", () => {
  selection.compare(
    new Map([
      ["a", ["cpu"]],
      ["b", []],
    ]),
    300,
  )
  assert.deepEqual(asked, [{ fleet: true, hosts: { a: ["cpu"], b: [] }, history: 305 }])
})

test("a page that opens gets the past again, though the one before asked for the same", () => {
  selection.release()
  assert.deepEqual(asked, [])
  selection.host("web-1", 60)
  selection.release()
  selection.host("web-1", 60)
  assert.deepEqual(
    asked.map(({ hosts }) => Object.keys(hosts)),
    [["web-1"], [], ["web-1"]],
  )
})

test("a moment of the past is shown with all there is before it", () => {
  const time = { pausedAt: 5 }
  new Selection({ watch: (one) => asked.push(one) }, time).host("web-1", 60)
  assert.equal(asked[0].history, 900)
})
