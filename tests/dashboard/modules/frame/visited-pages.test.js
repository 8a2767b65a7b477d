import assert from "node:assert/strict"
import { test } from "node:test"

import { VisitedPages } from "../../../../dashboard/src/frame/visited-pages.js"

test("a page is where it was left, and one never left at its top", () => {
  const visited = new VisitedPages()
  visited.leave("#/host/a", 300)
  visited.leave("", 1200)
  assert.deepEqual(
    ["#/host/a", "#/host/b", "#/", ""].map((address) => visited.topOf(address)),
    [300, 0, 1200, 1200],
  )
})

test("the fleet page is that which was left last, unless it was a kiosk", () => {
  const visited = new VisitedPages()
  assert.equal(visited.fleetAddress, "#/")
  visited.leave("#/?q=web&view=grid", 10)
  visited.leave("#/host/a?win=300", 20)
  visited.leave("#/?kiosk=1", 0)
  assert.equal(visited.fleetAddress, "#/?q=web&view=grid")
})

test("who comes from a panel that filled the page comes from that panel", () => {
  const visited = new VisitedPages()
  visited.leave("#/host/a/cpu?win=300", 0)
  assert.deepEqual(
    ["a", "b"].map((host) => visited.panelLeft(host)),
    ["cpu", ""],
  )
  visited.leave("#/host/a", 0)
  assert.equal(visited.panelLeft("a"), "")
})
