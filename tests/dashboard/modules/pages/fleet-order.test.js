import assert from "node:assert/strict"
import { test } from "node:test"

import {
  byName,
  byTrouble,
  byValue,
  filterOf,
  fits,
  readTags,
  writeTags,
} from "../../../../dashboard/src/pages/fleet-order.js"
import { Host } from "../../../../dashboard/src/data/fleet.js"
import { STATES } from "../../../../dashboard/src/data/messages.js"

function host(id, { state = "live", ...info } = {}) {
  const made = new Host(id)
  made.state = state
  made.info = info
  return made
}

const ids = (hosts) => hosts.map(({ id }) => id)
const filter = (search) => filterOf(new URLSearchParams(search), [...STATES, "attention"])
const noAlerts = () => []

test("names are sorted as people count: 2 before 10, and the same for every language", () => {
  assert.deepEqual(ids(["web-10", "web-2", "web-1"].map((id) => host(id)).sort(byName)), [
    "web-1",
    "web-2",
    "web-10",
  ])
  const names = ["zebra", "äpfel", "apfel"].map((host_name, number) => host(`h${number}`, { host_name }))
  assert.deepEqual(
    names.sort(byName).map(({ name }) => name),
    ["apfel", "äpfel", "zebra"],
  )
})

test("hosts of one name keep one order, that of their ids", () => {
  const twins = ["b", "a", "c"].map((id) => host(id, { host_name: "same" }))
  assert.deepEqual(ids(twins.sort(byName)), ["a", "b", "c"])
})

test("the worst stand at the top, then who is late, lost or waiting, then the rest", () => {
  const hosts = ["live", "stopped", "suspended", "waiting", "lost", "late"].map((state) =>
    host(state, { state }),
  )
  const [sick, ill] = [host("sick"), host("ill")]
  const alerts = new Map([
    [sick, [{ level: "warn" }]],
    [ill, [{ level: "critical" }]],
  ])
  const sorted = [...hosts, sick, ill].sort(byTrouble((one) => alerts.get(one) ?? []))
  assert.deepEqual(ids(sorted), ["ill", "sick", "late", "lost", "waiting", "live", "suspended", "stopped"])
})

test("hosts without a value are last, whichever way it goes", () => {
  const values = new Map([
    ["a", 3],
    ["b", undefined],
    ["c", 7],
    ["d", Number.NaN],
    ["e", 0],
  ])
  const hosts = [...values.keys()].map((id) => host(id))
  const readValue = ({ id }) => values.get(id)
  assert.deepEqual(ids([...hosts].sort(byValue(readValue, true))), ["c", "a", "e", "b", "d"])
  assert.deepEqual(ids([...hosts].sort(byValue(readValue, false))), ["e", "a", "c", "b", "d"])
})

test("a filter asks for all its words, in name, id, system, state and tags, in any case", () => {
  const web = host("web-1", { os_name: "Debian 12", tags: ["rack-3"] })
  for (const q of ["", "web", "WEB deb", "rack-3 live", "debian"])
    assert.equal(fits(web, filter({ q }), noAlerts), true, q)
  for (const q of ["mail", "web lost", "synthetic"])
    assert.equal(fits(web, filter({ q }), noAlerts), false, q)
})

test("states are alternatives, and attention is one of them", () => {
  const [live, lost] = [host("a"), host("b", { state: "lost" })]
  assert.equal(fits(live, filter({ state: "late,lost" }), noAlerts), false)
  assert.equal(fits(lost, filter({ state: "late,lost" }), noAlerts), true)
  assert.equal(fits(live, filter({ state: "attention" }), noAlerts), false)
  assert.equal(
    fits(live, filter({ state: "attention" }), () => [{ level: "warn" }]),
    true,
  )
})

test("a state that there is not filters nothing", () => {
  assert.equal(fits(host("a"), filter({ state: "dead,constructor" }), noAlerts), true)
})

test("tags are all wanted, and may hold commas and percent signs", () => {
  const tagged = host("a", { tags: ["x,y", "100%", "%2C"] })
  const tag = writeTags(["x,y", "%2C"])
  assert.deepEqual(readTags(tag), ["x,y", "%2C"])
  assert.equal(fits(tagged, filter({ tag }), noAlerts), true)
  assert.equal(fits(tagged, filter({ tag: writeTags(["x,y", "other"]) }), noAlerts), false)
})

test("tags that are no texts are none", () => {
  assert.deepEqual(host("a", { tags: ["x", 7, null, "", {}] }).tags, ["x"])
  for (const tags of [undefined, null, "x", 7]) assert.deepEqual(host("a", { tags }).tags, [])
})

test("a host is found by what the list of expected hosts says of it, and by its own name and tags", () => {
  const listed = host("db-2", { host_name: "pg.example.org", tags: ["own"] })
  listed.expected = { name: "Orders database", tags: ["paris"], notes: "Ask Jane" }
  for (const q of ["orders", "pg.example", "db-2", "jane", "paris own"])
    assert.equal(fits(listed, filter({ q }), noAlerts), true, q)
  assert.equal(fits(listed, filter({ tag: "paris,own" }), noAlerts), true)
  assert.equal(fits(listed, filter({ tag: "rome" }), noAlerts), false)
})
