import assert from "node:assert/strict"
import { test } from "node:test"

import { fleetAddress, leave, topOf } from "../../../dashboard/src/places.js"

test("a page is where it was left, and one never left at its top", () => {
  leave("#/host/a", 300)
  leave("", 1200)
  assert.deepEqual(["#/host/a", "#/host/b", "#/", ""].map(topOf), [300, 0, 1200, 1200])
})

test("the fleet page is that which was left last, unless it was a kiosk", () => {
  assert.equal(fleetAddress(), "#/")
  leave("#/?q=web&view=grid", 10)
  leave("#/host/a?win=300", 20)
  leave("#/?kiosk=1", 0)
  assert.equal(fleetAddress(), "#/?q=web&view=grid")
})
