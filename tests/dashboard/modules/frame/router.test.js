import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { address } from "../browser.js"
import {
  changeQuery,
  compareAddress,
  frameQuery,
  hostAddress,
  parseRoute,
  takeToken,
  tokenIn,
} from "../../../../dashboard/src/frame/router.js"

beforeEach(() => {
  address.hash = ""
  address.replaced.length = 0
  sessionStorage.clear()
})

function route(hash) {
  const { query, isKnown: _, ...rest } = parseRoute(hash)
  return { ...rest, query: Object.fromEntries(query) }
}

test("every address leads to a page", () => {
  const fleet = { page: "fleet", host: "", panel: "", query: {} }
  for (const hash of [
    "",
    "#",
    "#/",
    "#/nowhere",
    "#/host",
    "#/host/",
    "#/host/Bad%20Id",
    "#/host/a/b/c",
    "#/host/__proto__",
    "#main",
  ]) {
    assert.deepEqual(route(hash), fleet, hash)
  }
  assert.deepEqual(route("#/?q=web&state=late,lost"), { ...fleet, query: { q: "web", state: "late,lost" } })
  assert.deepEqual(route("#/host/web-1"), { page: "host", host: "web-1", panel: "", query: {} })
  assert.deepEqual(route("#/host/web-1/cpu?win=300"), {
    page: "host",
    host: "web-1",
    panel: "cpu",
    query: { win: "300" },
  })
  assert.deepEqual(route("#/compare?hosts=a,b&metric=cpu.total"), {
    page: "compare",
    host: "",
    panel: "",
    query: { hosts: "a,b", metric: "cpu.total" },
  })
})

test("an address of no page is known as such", () => {
  for (const hash of ["#/nowhere", "#/host", "#/host/a/b/c", "#main"])
    assert.equal(parseRoute(hash).isKnown, false, hash)
  for (const hash of ["", "#/", "#/?q=web", "#/host/a", "#/host/a/cpu", "#/compare"])
    assert.equal(parseRoute(hash).isKnown, true, hash)
})

test("an address that is made leads back to what it was made of", () => {
  assert.deepEqual(route(hostAddress("web-1")), { page: "host", host: "web-1", panel: "", query: {} })
  assert.deepEqual(route(hostAddress("web-1", "cpu")), {
    page: "host",
    host: "web-1",
    panel: "cpu",
    query: {},
  })
  assert.equal(compareAddress(["a", "b"]), "#/compare?hosts=a,b")
  assert.deepEqual(route(compareAddress(["a", "b"], ["cpu_percent", "load_1m"])).query, {
    hosts: "a,b",
    metric: "cpu_percent,load_1m",
  })
})

test("a query is changed in place, without a new entry in the history", () => {
  address.hash = "#/?q=web&sort=-cpu"
  changeQuery({ state: "late,lost", q: "" })
  assert.deepEqual(address.replaced, ["#/?sort=-cpu&state=late,lost"])
  changeQuery({ sort: "", state: "" })
  assert.equal(address.hash, "#/")
  address.hash = "#/host/web-1"
  changeQuery({ win: "300" })
  assert.equal(address.hash, "#/host/web-1?win=300")
})

test("what is typed into a filter survives the address", () => {
  for (const text of ["a&b=c", "100 %", "#1?", "ü ✓", "<img src=x>"]) {
    address.hash = "#/"
    changeQuery({ q: text })
    assert.equal(parseRoute(address.hash).query.get("q"), text)
  }
})

test("a token leaves the address at once and is kept for this tab", () => {
  address.hash = "#token=s%3Dcret"
  assert.equal(takeToken(), "s=cret")
  assert.deepEqual(address.replaced, ["#/"])
  assert.equal(takeToken(), "s=cret")
})

test("without a token there is none", () => assert.equal(takeToken(), undefined))

test("a token that is pasted may be a whole link, and need not be well encoded", () => {
  assert.equal(tokenIn("  s3cret\n"), "s3cret")
  assert.equal(tokenIn("http://wall:8765/#token=s%3Dcret "), "s=cret")
  assert.equal(tokenIn("#token=100%"), "100%")
})

test("the query of every page says window, moment and kiosk, and nonsense says nothing", () => {
  assert.deepEqual(frameQuery(new URLSearchParams("win=300&pause=1795288000.5&kiosk=1&cycle=20")), {
    win: 300,
    pause: 1795288000.5,
    kiosk: true,
    cycleSeconds: 20,
  })
  const none = { win: undefined, pause: undefined, kiosk: false, cycleSeconds: undefined }
  for (const query of ["", "win=x&pause=-1&kiosk=yes&cycle=0", "win=&pause=Infinity&cycle=NaN"])
    assert.deepEqual(frameQuery(new URLSearchParams(query)), none, query)
})
