import assert from "node:assert/strict"
import { test } from "node:test"

import { mixed, translucent } from "../../../../dashboard/src/charts/colours.js"

test("a colour over another is between the two by its share", () => {
  assert.equal(mixed("#ff0080", "#000000", 1), "rgb(255, 0, 128)")
  assert.equal(mixed("#ff0080", "#0a0b0c", 0), "rgb(10, 11, 12)")
  assert.equal(mixed("#ffffff", "#000000", 0.5), "rgb(128, 128, 128)")
})

test("a colour seen through keeps its parts", () =>
  assert.equal(translucent("#0a10ff", 0.14), "rgba(10, 16, 255, 0.14)"))
