import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { Announcer } from "../../../../dashboard/src/frame/announcer.js"

let announcer

beforeEach(() => {
  announcer = new Announcer()
})

const host = (id) => ({ id, name: id.toUpperCase() })

test("without news nothing is said", () => assert.equal(announcer.next(0), undefined))

test("a change is said once", () => {
  announcer.host(host("a"), "live", "lost")
  assert.equal(announcer.next(0), "A lost.")
  assert.equal(announcer.next(60_000), undefined)
})

test("the next message waits for five seconds and then says all that is still true", () => {
  announcer.host(host("a"), "live", "lost")
  announcer.next(0)
  announcer.host(host("b"), "live", "late")
  announcer.host(host("c"), "live", "lost")
  announcer.host(host("c"), "lost", "live")
  assert.equal(announcer.next(4999), undefined)
  assert.equal(announcer.next(5000), "B late.")
})

test("a host that went through several states is said with the last", () => {
  announcer.host(host("a"), "live", "late")
  announcer.host(host("a"), "late", "lost")
  assert.equal(announcer.next(0), "A lost.")
})

test("many are counted, few are named", () => {
  for (const id of ["a", "b", "c", "d"]) announcer.host(host(id), "live", "lost")
  announcer.host(host("e"), "lost", "live")
  assert.equal(announcer.next(0), "4 hosts lost. E back.")
})

test("a host that is heard for the first time is not back", () => {
  announcer.host(host("a"), "waiting", "live")
  assert.equal(announcer.next(0), undefined)
})

test("the connection is said when its words change, and when it is back", () => {
  announcer.connection("Connection to bridge lost.")
  assert.equal(announcer.next(0), "Connection to bridge lost.")
  announcer.connection("Connection to bridge lost.")
  assert.equal(announcer.next(10_000), undefined)
  announcer.connection("")
  assert.equal(announcer.next(20_000), "Connection is back.")
})
