import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { PanelChoices } from "../../../../dashboard/src/panels/panel-choices.js"

/** @type {Map<string, string>} */
const kept = new Map()

beforeEach(() => {
  kept.clear()
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    value: {
      getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
    },
  })
})

test("a choice is kept for its host, panel and name", () => {
  new PanelChoices("web-1").set("net", "__proto__", false)
  assert.equal(new PanelChoices("web-1").get("net", "__proto__"), false)
  assert.equal(new PanelChoices("web-1").get("disk", "__proto__"), undefined)
  assert.equal(new PanelChoices("web-2").get("net", "__proto__"), undefined)
})

test("the oldest choices make room for new ones", () => {
  const choices = new PanelChoices("web-1")
  for (let place = 0; place < 300; place += 1) choices.set("net", `veth${place}`, true)
  const again = new PanelChoices("web-1")
  assert.equal(again.get("net", "veth0"), undefined)
  assert.equal(again.get("net", "veth299"), true)
})

test("what was damaged in the browser's storage is left aside", () => {
  for (const text of ["{", "null", '[[1,2],["net\\u001feth0",false],7]']) {
    kept.set("fleetglass.host.web-1", text)
    assert.equal(new PanelChoices("web-1").get("net", "eth0"), text.startsWith("[[") ? false : undefined)
  }
})

test("a browser that keeps nothing still holds a choice until the page is left", () => {
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    value: {
      getItem: () => null,
      setItem: () => {
        throw new Error("full")
      },
    },
  })
  const choices = new PanelChoices("web-1")
  choices.set("cpu", "folded", true)
  assert.equal(choices.get("cpu", "folded"), true)
})
