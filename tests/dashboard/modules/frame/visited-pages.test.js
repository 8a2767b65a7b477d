import assert from "node:assert/strict"
import { test } from "node:test"

import { Places } from "../../../../dashboard/src/frame/visited-pages.js"

test("a page is where it was left, and one never left at its top", () => {
  const places = new Places()
  places.leave("#/host/a", 300)
  places.leave("", 1200)
  assert.deepEqual(["#/host/a", "#/host/b", "#/", ""].map((address) => places.topOf(address)), [300, 0, 1200, 1200])
})

test("the fleet page is that which was left last, unless it was a kiosk", () => {
  const places = new Places()
  assert.equal(places.fleetAddress, "#/")
  places.leave("#/?q=web&view=grid", 10)
  places.leave("#/host/a?win=300", 20)
  places.leave("#/?kiosk=1", 0)
  assert.equal(places.fleetAddress, "#/?q=web&view=grid")
})

test("who comes from a panel that filled the page comes from that panel", () => {
  const places = new Places()
  places.leave("#/host/a/cpu?win=300", 0)
  assert.deepEqual(["a", "b"].map((host) => places.panelLeft(host)), ["cpu", ""])
  places.leave("#/host/a", 0)
  assert.equal(places.panelLeft("a"), "")
})
