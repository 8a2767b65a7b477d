import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { hostEntry, pulseAt, receivedAt, START_SECONDS, welcomeAt } from "../messages-of-tests.js"
import { Fleet } from "../../../../dashboard/src/data/fleet.js"

const HOUR = 3600

let fleet

beforeEach(() => {
  fleet = new Fleet()
  fleet.take(welcomeAt(0), receivedAt(0))
})

function know(...hosts) {
  fleet.take({ type: "fleet", time: START_SECONDS, hosts }, receivedAt(0))
}

function pulse(after, fields, received = receivedAt(after)) {
  fleet.take({ type: "pulse", time: START_SECONDS + after, hosts: { a: pulseAt(after, fields) } }, received)
}

function past(pulses, { more = false } = {}) {
  fleet.take(
    { type: "history", host: "a", samples: { pulse: pulses }, ...(more ? { more } : {}) },
    receivedAt(0),
  )
}

function recent(id = "a") {
  const { recent: columns } = fleet.host(id)
  return Array.from(
    { length: columns.end - columns.first },
    (_, index) => columns.time(columns.first + index) - START_SECONDS,
  )
}

test("nobody is known until the bridge has said who is there", () => {
  assert.equal(fleet.known, false)
  know()
  assert.equal(fleet.known, true)
  assert.equal(fleet.hosts.size, 0)
})

test("a whole fleet drops the hosts that are gone, and keeps what was heard from the others", () => {
  know(hostEntry("a"), hostEntry("b"))
  pulse(1, { cpu_percent: 77 })
  know(hostEntry("a", { state: "late" }), hostEntry("c"))
  assert.deepEqual([...fleet.hosts.keys()], ["a", "c"])
  assert.equal(fleet.host("a").state, "late")
  assert.equal(fleet.host("a").pulse.cpu_percent, 77)
})

test("hosts that are not as agreed are left out, the others are taken", () => {
  know(null, 7, { id: "A" }, hostEntry("b", { state: "dead" }), hostEntry("__proto__"), hostEntry("c"))
  assert.deepEqual([...fleet.hosts.keys()], ["c"])
})

test("whoever looks at one host is told its failed units all the same", () => {
  know(hostEntry("a"))
  pulse(1, { failed_units: 1 })
  assert.equal(fleet.host("a").failedUnits, 1)
  fleet.take({ type: "host", id: "a", pulse: pulseAt(9, { failed_units: 2 }) }, receivedAt(9))
  assert.equal(fleet.host("a").failedUnits, 2)
  fleet.take({ type: "host", id: "a", state: "late" }, receivedAt(12))
  assert.equal(fleet.host("a").failedUnits, 2)
  fleet.take({ type: "host", id: "a", pulse: pulseAt(14) }, receivedAt(14))
  assert.equal(fleet.host("a").failedUnits, undefined)
})

test("each state is counted", () => {
  know(hostEntry("a"), hostEntry("b", { state: "lost" }), hostEntry("c", { state: "lost" }))
  assert.deepEqual(Object.fromEntries(fleet.counts()), {
    live: 1,
    late: 0,
    lost: 2,
    waiting: 0,
    suspended: 0,
    stopped: 0,
  })
})

test("one host changes its state, its inventory, or is removed, and the others do not", () => {
  know(hostEntry("a"), hostEntry("b"))
  fleet.take({ type: "host", id: "a", state: "lost", since: START_SECONDS + 5 }, receivedAt(5))
  fleet.take({ type: "host", id: "a", info: { host_name: "renamed" } }, receivedAt(5))
  const { state, since, name } = fleet.host("a")
  assert.deepEqual({ state, since, name }, { state: "lost", since: START_SECONDS + 5, name: "renamed" })
  assert.equal(fleet.host("b").state, "live")
  fleet.take({ type: "host", id: "b", removed: true }, receivedAt(6))
  assert.deepEqual([...fleet.hosts.keys()], ["a"])
})

test("the list of expected hosts names a host and tags it, until a state comes without it", () => {
  const expected = { name: "Shop", tags: ["paris", "web"], notes: "Ask Jane" }
  know(hostEntry("a", { info: { host_name: "own", tags: ["web", "x"] }, expected }))
  const host = fleet.host("a")
  assert.deepEqual([host.name, host.fullName, host.ownName], ["Shop", "Shop (a)", "own"])
  assert.deepEqual([host.tags, host.notes], [["paris", "web", "x"], "Ask Jane"])
  fleet.take({ type: "host", id: "a", info: { host_name: "other" } }, receivedAt(1))
  assert.equal(host.name, "Shop")
  fleet.take({ type: "host", id: "a", state: "late", since: START_SECONDS }, receivedAt(2))
  assert.deepEqual([host.name, host.fullName, host.notes, host.tags], ["other", "other", "", []])
})

test("an expected host is unheard until anything comes of it, and again once it was removed", () => {
  const waiting = { id: "a", state: "waiting", since: START_SECONDS, expected: {} }
  know(waiting, hostEntry("b", { state: "waiting" }))
  assert.deepEqual([fleet.host("a").isUnheard, fleet.host("b").isUnheard], [true, false])
  assert.deepEqual([fleet.host("a").name, fleet.host("a").fullName], ["a", "a"])
  fleet.take({ type: "host", ...waiting, state: "live", since: START_SECONDS + 1 }, receivedAt(1))
  pulse(1)
  assert.equal(fleet.host("a").isUnheard, false)
  fleet.take({ type: "host", id: "a", removed: true }, receivedAt(2))
  fleet.take({ type: "host", ...waiting }, receivedAt(2))
  assert.equal(fleet.host("a").isUnheard, true)
})

test("two hosts of one listed name are told apart by their ids, as those that name themselves so", () => {
  const named = (id, name) => hostEntry(id, { expected: { name } })
  know(named("a", "Shop"), named("b", "Shop"), hostEntry("c", { info: { host_name: "Shop" } }))
  const names = ["a", "b", "c"].map((id) => [fleet.host(id).name, fleet.host(id).fullName])
  assert.deepEqual(names, [
    ["Shop (a)", "Shop (a)"],
    ["Shop (b)", "Shop (b)"],
    ["Shop (c)", "Shop (c)"],
  ])
  fleet.take({ type: "host", id: "b", removed: true }, receivedAt(1))
  fleet.take({ type: "host", id: "c", removed: true }, receivedAt(1))
  assert.equal(fleet.host("a").name, "Shop")
})

test("what the list cannot say is left out", () => {
  for (const expected of [null, 7, "text", []]) {
    know(hostEntry("a", { expected }))
    assert.equal(fleet.host("a").expected, undefined)
  }
  know(hostEntry("a", { expected: { name: 7, tags: ["x", null, 7], notes: {} } }))
  assert.deepEqual(fleet.host("a").expected, { name: "", tags: ["x"], notes: "" })
})

test("what is no inventory and no time changes nothing", () => {
  know(hostEntry("a"))
  for (const info of [null, [], "text", 7])
    fleet.take({ type: "host", id: "a", info, since: "now" }, receivedAt(1))
  assert.equal(fleet.host("a").name, "a")
  assert.equal(fleet.host("a").since, START_SECONDS - 30)
})

test("a host that nobody announced is there once it is heard", () => {
  know()
  fleet.take(
    { type: "pulse", time: START_SECONDS, hosts: { new: pulseAt(0), "Bad Id": pulseAt(0) } },
    receivedAt(0),
  )
  assert.deepEqual([...fleet.hosts.keys()], ["new"])
})

test("the newest pulse is shown: one that is late or comes twice replaces nothing", () => {
  know(hostEntry("a"))
  pulse(5, { cpu_percent: 50 })
  pulse(3, { cpu_percent: 30 }, receivedAt(5.5))
  pulse(5, { cpu_percent: 51 }, receivedAt(5.6))
  assert.equal(fleet.host("a").pulse.cpu_percent, 50)
  assert.deepEqual(recent(), [5])
})

test("an agent that started again counts from the start, and is followed at once", () => {
  know(hostEntry("a"))
  pulse(5)
  pulse(6, { tick: 1, session: "other", cpu_percent: 66 })
  pulse(7, { tick: 2, session: "other", cpu_percent: 67 })
  assert.equal(fleet.host("a").pulse.cpu_percent, 67)
  assert.deepEqual(recent(), [5, 6, 7])
})

test("what is no pulse harms nothing", () => {
  know(hostEntry("a"))
  pulse(1)
  for (const one of [null, 7, [], {}, { time: "now", tick: 1 }, { time: Number.NaN, tick: 3 }]) {
    fleet.take({ type: "pulse", time: START_SECONDS, hosts: { a: one } }, receivedAt(2))
  }
  assert.equal(fleet.host("a").pulse.tick, 100_001)
})

test("the past fills the line before what was heard, in parts that come newest first", () => {
  know(hostEntry("a"))
  pulse(10, { cpu_percent: 99 })
  past([pulseAt(7), pulseAt(8), pulseAt(9)], { more: true })
  assert.equal(fleet.host("a").filled, false)
  past([pulseAt(4, { session: "before", tick: 90_000 }), pulseAt(5, { session: "before", tick: 90_001 })])
  assert.equal(fleet.host("a").filled, true)
  assert.deepEqual(recent(), [4, 5, 7, 8, 9, 10])
  assert.equal(fleet.host("a").pulse.cpu_percent, 99)
  pulse(11, { cpu_percent: 98 })
  assert.equal(fleet.host("a").pulse.cpu_percent, 98)
})

test("of a host that is silent now, the past gives the last pulse", () => {
  know(hostEntry("a", { state: "lost" }))
  past([pulseAt(-60), pulseAt(-59, { cpu_percent: 33 })])
  assert.equal(fleet.host("a").pulse.cpu_percent, 33)
  assert.equal(fleet.host("a").newest, START_SECONDS - 59)
})

test("a past that is none, or of a host that nobody knows, harms nothing", () => {
  know(hostEntry("a"))
  for (const pulses of [undefined, null, 7, {}, [null, 7, {}]]) past(pulses)
  fleet.take({ type: "history", host: "unknown", samples: { pulse: [pulseAt(0)] } }, receivedAt(0))
  assert.deepEqual([...fleet.hosts.keys()], ["a"])
  assert.deepEqual(recent(), [])
})

for (const ahead of [HOUR, -HOUR]) {
  test(`a host whose clock is ${ahead / HOUR} h ahead is heard now, and its clock is known to be off`, () => {
    know(hostEntry("a"))
    for (let after = 0; after < 5; after += 1) pulse(after + ahead, {}, receivedAt(after))
    const host = fleet.host("a")
    assert.ok(Math.abs(host.lastHeard - receivedAt(4)) < 1)
    assert.ok(Math.abs(host.skewSeconds - ahead) < 0.1)
  })
}

test("a host that was never heard has no time of it, and no known clock", () => {
  know(hostEntry("a", { state: "waiting", info: undefined }))
  assert.ok(Number.isNaN(fleet.host("a").lastHeard))
  assert.equal(fleet.host("a").skewSeconds, undefined)
})

test("times of the bridge are told by the browser's clock, however far that is off", () => {
  const own = new Fleet()
  own.take(welcomeAt(0), receivedAt(HOUR))
  assert.equal(own.fromBridge(START_SECONDS), receivedAt(HOUR))
})

test("hosts of one name show their ids for as long as they share it", () => {
  know(
    hostEntry("pi-1", { info: { host_name: "pi" } }),
    hostEntry("pi-2", { info: { host_name: "pi" } }),
    hostEntry("c"),
  )
  const names = () => [...fleet.hosts.values()].map(({ name }) => name)
  assert.deepEqual(names(), ["pi (pi-1)", "pi (pi-2)", "c"])
  fleet.take({ type: "host", id: "pi-2", info: { host_name: "other" } }, receivedAt(1))
  assert.deepEqual(names(), ["pi", "other", "c"])
  fleet.take({ type: "host", id: "c", info: { host_name: "constructor" } }, receivedAt(1))
  assert.deepEqual(names(), ["pi", "other", "constructor"])
})

test("a host without a name, or with one that is no text, is called by its id", () => {
  know(
    hostEntry("a", { info: { host_name: "" } }),
    hostEntry("b", { info: { host_name: 7 } }),
    hostEntry("c", { info: undefined }),
  )
  assert.deepEqual(
    [...fleet.hosts.values()].map(({ name }) => name),
    ["a", "b", "c"],
  )
})

test("an interval that is none counts as a second", () => {
  for (const interval_seconds of [undefined, 0, -5, "1", Number.NaN]) {
    know(hostEntry("a", { info: { interval_seconds } }))
    assert.equal(fleet.host("a").intervalSeconds, 1)
  }
  know(hostEntry("a", { info: { interval_seconds: 10 } }))
  assert.equal(fleet.host("a").intervalSeconds, 10)
})

test("the broker that goes and comes is told", () => {
  fleet.take({ type: "broker", state: "connecting", since: START_SECONDS + 3 }, receivedAt(3))
  assert.deepEqual(fleet.broker, { state: "connecting", since: START_SECONDS + 3 })
  fleet.take(welcomeAt(9), receivedAt(9))
  assert.equal(fleet.broker.state, "connected")
})

test("while time stands still every host stays as it was, but for its state", () => {
  know(hostEntry("a"))
  pulse(1, { cpu_percent: 11 })
  fleet.until = receivedAt(1.5)
  pulse(2, { cpu_percent: 22 }, receivedAt(1.99))
  fleet.take({ type: "pong", time: START_SECONDS + 2 }, receivedAt(1.99))
  const hosts = [hostEntry("a", { state: "late", pulse: pulseAt(3) }), hostEntry("b", { pulse: pulseAt(3) })]
  fleet.take({ type: "fleet", time: START_SECONDS + 3, hosts }, receivedAt(3))
  const { pulse: shown, newest, state, offsetMilliseconds } = fleet.host("a")
  assert.deepEqual(
    [shown.cpu_percent, newest, state, offsetMilliseconds],
    [11, START_SECONDS + 1, "late", 10],
  )
  assert.deepEqual(fleet.host("b").pulse, {})
  assert.deepEqual(recent(), [1])
})

test("only the past before the moment that is shown is taken in, and becomes the present", () => {
  fleet.until = receivedAt(4.5)
  fleet.take(
    {
      type: "fleet",
      time: START_SECONDS + 9,
      hosts: [hostEntry("a", { info: { logical_cores: 4 }, pulse: pulseAt(9) })],
    },
    receivedAt(9),
  )
  const pulses = [pulseAt(3), pulseAt(4, { cpu_percent: 44 }), pulseAt(5)]
  fleet.take({ type: "history", host: "a", samples: { pulse: pulses } }, receivedAt(9))
  assert.equal(fleet.host("a").pulse.cpu_percent, 44)
  assert.deepEqual(recent(), [3, 4])
  const { columns } = fleet.sums
  assert.ok(columns.end > columns.first && columns.time(columns.end - 1) <= START_SECONDS + 4.5)
})

test("sites that are cut off are known from the greeting on, and so is who belongs to them", () => {
  fleet.take({ ...welcomeAt(0), sites_away: { "fleet/paris": 5, "fleet/lyon": "soon" } }, receivedAt(0))
  assert.deepEqual(fleet.sitesAway, [["fleet/paris", 5]])
  know({ ...hostEntry("a"), state: "late", cut_off: true }, hostEntry("b"))
  assert.deepEqual(
    [...fleet.hosts.values()].map((host) => host.cutOff),
    [true, false],
  )
  fleet.take({ type: "broker", state: "connected", since: 0, sites_away: {} }, receivedAt(1))
  fleet.take({ type: "host", id: "a", state: "live", since: 6 }, receivedAt(1))
  assert.deepEqual([fleet.sitesAway, fleet.host("a").cutOff], [[], false])
})
