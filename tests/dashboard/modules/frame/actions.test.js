import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { FakeElement } from "../browser.js"
import { Actions } from "../../../../dashboard/src/frame/actions.js"

let ran
let actions

beforeEach(() => {
  localStorage.clear()
  ran = []
  actions = new Actions()
  actions.frame = [action("help", ["?"]), action("theme", ["t"]), action("without a key")]
  actions.page = [action("open", ["Enter"]), action("page's own t", ["t"]), action("fold", [" "])]
})

function action(words, keys) {
  return { words, keys, run: () => ran.push(words) }
}

function press(key, { target = new FakeElement("body"), ...held } = {}) {
  let prevented = false
  actions.press({
    key,
    target,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...held,
    preventDefault: () => {
      prevented = true
    },
  })
  return prevented
}

test("a key does what its action says, and nothing else then happens", () => {
  assert.equal(press("?"), true)
  assert.deepEqual(ran, ["help"])
})

test("a key without an action is left to the browser", () => {
  assert.equal(press("x"), false)
  assert.deepEqual(ran, [])
})

test("the open page's action wins over that of the frame", () => {
  press("t")
  assert.deepEqual(ran, ["page's own t"])
})

test("all are listed, those of the page first, those without a key too", () => {
  assert.deepEqual(
    actions.all.map(({ words }) => words),
    ["open", "page's own t", "fold", "help", "theme", "without a key"],
  )
})

for (const held of ["ctrlKey", "metaKey", "altKey"]) {
  test(`with ${held} a key belongs to the browser`, () => {
    assert.equal(press("t", { [held]: true }), false)
    assert.deepEqual(ran, [])
  })
}

for (const kind of ["input", "select", "textarea", "[contenteditable]"]) {
  test(`keys stay quiet in ${kind}`, () => {
    assert.equal(press("t", { target: new FakeElement(kind) }), false)
    assert.deepEqual(ran, [])
  })
}

for (const kind of ["a", "button", "summary"]) {
  test(`Enter and space belong to ${kind} when it has the focus, other keys do not`, () => {
    const target = new FakeElement(kind)
    assert.equal(press("Enter", { target }), false)
    assert.equal(press(" ", { target }), false)
    assert.deepEqual(ran, [])
    press("t", { target })
    assert.deepEqual(ran, ["page's own t"])
  })
}

test("single keys can be switched off, and stay off", () => {
  actions.enable(false)
  press("t")
  assert.deepEqual(ran, [])
  assert.equal(new Actions().enabled, false)
  actions.enable(true)
  press("t")
  assert.deepEqual(ran, ["page's own t"])
  assert.equal(new Actions().enabled, true)
})

test("a key with Ctrl or ⌘ works while typing and with single keys off", () => {
  actions.frame.push(action("find", ["Ctrl+k"]))
  actions.enable(false)
  const target = new FakeElement("input")
  assert.equal(press("k", { ctrlKey: true, target }), true)
  assert.equal(press("K", { metaKey: true, target }), true)
  press("k", { target })
  press("k", { ctrlKey: true, altKey: true })
  assert.deepEqual(ran, ["find", "find"])
})
