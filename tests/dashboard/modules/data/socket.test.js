import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { BridgeSocket, silentSeconds } from "../../../../dashboard/src/data/socket.js"
import { FakeWorld } from "../fake-world.js"
import { Chance } from "../seeded.js"

const WELCOME = {
  type: "welcome",
  protocol: 1,
  version: "0.1.0",
  time: 1000,
  broker: "connected",
  broker_since: 1,
  viewers: 1,
  limits: {},
}
const URL = "ws://bridge/ws"

let world
let messages
let links
let socket

beforeEach(() => {
  world = new FakeWorld()
  messages = []
  links = []
  socket = new BridgeSocket(
    URL,
    {
      onMessage: (message, received) => messages.push({ message, received }),
      onLink: (link) => links.push(link),
    },
    world,
  )
  socket.open()
})

function greet() {
  world.socket.accept()
  world.socket.say(WELCOME)
}

test("it says hello in the agreed subprotocol and is open once it is welcomed", () => {
  assert.equal(world.socket.url, URL)
  assert.equal(world.socket.subprotocol, "fleetglass.v1")
  world.socket.accept()
  assert.deepEqual(world.socket.sent, [{ type: "hello", protocol: 1 }])
  assert.equal(socket.link.phase, "connecting")
  world.socket.say(WELCOME)
  assert.equal(socket.link.phase, "open")
  assert.equal(socket.link.attempt, 0)
})

test("the token goes into the hello, and nowhere else", () => {
  const own = new FakeWorld()
  new BridgeSocket(URL, { token: "s3cret", onMessage() {}, onLink() {} }, own).open()
  own.socket.accept()
  assert.deepEqual(own.socket.sent, [{ type: "hello", protocol: 1, token: "s3cret" }])
  assert.equal(own.socket.url, URL)
})

test("the selection waits for the welcome and is asked again after every reconnection", () => {
  socket.watch({ fleet: true, hosts: {}, history: 60 })
  world.socket.accept()
  assert.equal(world.socket.sent.filter(({ type }) => type === "watch").length, 0)
  world.socket.say(WELCOME)
  assert.deepEqual(
    world.socket.sent.filter(({ type }) => type === "watch"),
    [{ type: "watch", fleet: true, hosts: {}, history: 60 }],
  )
  socket.watch({ fleet: false, hosts: { a: "*" }, history: 60 })
  world.socket.end(1006)
  world.pass(500)
  greet()
  assert.deepEqual(
    world.socket.sent.filter(({ type }) => type === "watch"),
    [{ type: "watch", fleet: false, hosts: { a: "*" }, history: 60 }],
  )
})

/** The waits of some attempts that fail at once. */
function waitsOf(attempts) {
  return Array.from({ length: attempts }, (_, index) => {
    world.socket.end(1006)
    assert.equal(socket.link.phase, "waiting")
    assert.equal(socket.link.attempt, index + 1)
    const wait = socket.link.retryAt - world.now()
    world.pass(wait)
    assert.equal(world.sockets.length, index + 2)
    return wait
  })
}

test("in a tab that is seen waits double from half a second to 2 s, and start anew after a welcome", () => {
  assert.deepEqual(waitsOf(6), [500, 1000, 2000, 2000, 2000, 2000])
  greet()
  world.socket.end(1006)
  assert.equal(socket.link.retryAt - world.now(), 500)
})

test("in a tab that nobody sees waits double to 15 s", () => {
  world.seen = false
  assert.deepEqual(waitsOf(8), [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
})

test("a bridge that turns a viewer away is asked again as late as 15 s after, seen or not", () => {
  const waits = []
  for (let attempt = 1; attempt <= 7; attempt += 1) {
    world.socket.accept()
    world.socket.say({ type: "error", code: "too_many_viewers", text: "at most 1000" })
    world.socket.end(1013)
    waits.push(socket.link.retryAt - world.now())
    world.pass(waits.at(-1))
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15_000, 15_000])
  world.socket.end(1006)
  assert.equal(socket.link.retryAt - world.now(), 2000, "away, it turns nobody away")
})

test("it never dials before the wait is over", () => {
  world.socket.end(1006)
  world.pass(499)
  assert.equal(world.sockets.length, 1)
  world.pass(1)
  assert.equal(world.sockets.length, 2)
})

test("up to half of each wait is left to chance, so that pages do not come back all at once", () => {
  for (const [random, wait] of [
    [0, 250],
    [0.5, 375],
    [1, 500],
  ]) {
    const own = new FakeWorld()
    own.randomValue = random
    const one = new BridgeSocket(URL, { onMessage() {}, onLink() {} }, own)
    one.open()
    own.socket.end(1006)
    assert.equal(one.link.retryAt - own.now(), wait)
  }
})

test("a thousand pages that lost their bridge come back within 2 s, and not all together", () => {
  const chance = new Chance(1)
  const away = 6000
  /** When each page dialled a bridge that was there again, in milliseconds after that. */
  const dialled = Array.from({ length: 1000 }, () => {
    const own = new FakeWorld()
    own.random = () => chance.share()
    const start = own.now()
    const one = new BridgeSocket(URL, { onMessage() {}, onLink() {} }, own)
    one.open()
    own.socket.end(1006)
    for (;;) {
      own.pass(one.link.retryAt - own.now())
      if (own.now() - start >= away) return own.now() - start - away
      own.socket.end(1006)
    }
  })
  assert.ok(Math.max(...dialled) <= 2000)
  for (let from = 0; from < 2000; from += 100) {
    const together = dialled.filter((at) => at >= from && at < from + 100).length
    assert.ok(together <= 120, `${together} of 1000 within 100 ms`)
  }
})

for (const code of [1000, 1001, 1006, 1008, 1013]) {
  test(`it comes back by itself after a close with ${code}`, () => {
    greet()
    world.socket.end(code)
    assert.equal(socket.link.phase, "waiting")
    assert.equal(socket.link.latency, undefined)
    world.pass(500)
    greet()
    assert.equal(socket.link.phase, "open")
    assert.equal(world.sockets.length, 2)
  })
}

test("a bridge that is away for 30 s is found again within the longest wait", () => {
  greet()
  world.socket.end(1006)
  const away = world.now() + 30_000
  while (world.now() < away) {
    world.pass(100)
    if (world.socket.readyState === 0) world.socket.end(1006)
  }
  while (world.socket.readyState !== 0) world.pass(100)
  assert.ok(world.now() - away <= 2_000)
  greet()
  assert.equal(socket.link.phase, "open")
})

test("retrying now does not wait, and dials once only", () => {
  world.socket.end(1006)
  socket.retryNow()
  socket.retryNow()
  assert.equal(world.sockets.length, 2)
  greet()
  world.pass(60)
  assert.equal(world.sockets.length, 2)
  socket.retryNow()
  assert.equal(world.sockets.length, 2)
})

test("retrying now gives up a dial that hangs, but none that was begun just now", () => {
  world.pass(900)
  socket.retryNow()
  assert.equal(world.sockets.length, 1)
  world.pass(200)
  socket.retryNow()
  assert.equal(world.sockets.length, 2)
  assert.equal(world.sockets[0].closed, true)
  greet()
  assert.equal(socket.link.phase, "open")
})

test("the round trip is that of the last ping, and the answer to an older one does not count", () => {
  greet()
  const first = world.socket.sent.at(-1)
  assert.equal(first.type, "ping")
  world.pass(12)
  world.socket.say({ type: "pong", id: first.id, time: 1000 })
  assert.equal(socket.link.latency, 12)
  world.pass(2_000)
  const second = world.socket.sent.at(-1)
  assert.notEqual(second.id, first.id)
  world.socket.say({ type: "pong", id: first.id, time: 1002 })
  assert.equal(socket.link.latency, 12)
})

test("a silent connection is given up after three pings, and its late messages are not heard", () => {
  greet()
  const silent = world.socket
  world.pass(2_000 * 3)
  assert.equal(socket.link.phase, "open")
  world.pass(2_000)
  assert.equal(socket.link.phase, "waiting")
  assert.equal(silent.closed, true)
  const heard = messages.length
  silent.say({ type: "broker", state: "connected", since: 1 })
  silent.end(1006)
  assert.equal(messages.length, heard)
  assert.equal(socket.link.attempt, 1)
})

test("a dial that hangs is given up too", () => {
  world.pass(2_000 * 4)
  assert.equal(socket.link.phase, "waiting")
  assert.equal(world.sockets[0].closed, true)
})

test("a bridge that says anything counts as alive", () => {
  greet()
  for (let second = 0; second < 60; second += 1) {
    world.pass(1_000)
    world.socket.say({ type: "pulse", time: second, hosts: {} })
  }
  assert.equal(socket.link.phase, "open")
  assert.equal(world.sockets.length, 1)
})

test("an open connection is silent after two pings, counted in whole seconds", () => {
  greet()
  const { heardAt } = socket.link
  assert.equal(silentSeconds(socket.link, heardAt + 4_000), 0)
  assert.equal(silentSeconds(socket.link, heardAt + 4_001), 4)
  assert.equal(silentSeconds(socket.link, heardAt + 5_999), 5)
  world.socket.end(1006)
  assert.equal(silentSeconds(socket.link, heardAt + 60_000), 0)
})

test("what is no message is passed over, and does not count as an answer", () => {
  greet()
  const heard = messages.length
  for (const text of ["", "{", "[]", "null", "7", '{"type":"nonsense"}', '{"type":"pulse"}'])
    world.socket.say(text)
  assert.equal(messages.length, heard)
  world.pass(2_000 * 3)
  world.socket.say("{")
  world.pass(2_000)
  assert.equal(socket.link.phase, "waiting")
})

test("a message comes with the time at which it was received", () => {
  greet()
  world.pass(250)
  world.socket.say({ type: "broker", state: "connecting", since: 5 })
  assert.deepEqual(messages.at(-1), {
    message: { type: "broker", state: "connecting", since: 5 },
    received: world.now(),
  })
})

test("closed, it leaves nothing running and does not come back", () => {
  greet()
  socket.close()
  assert.equal(world.socket.closed, true)
  assert.equal(world.timers, 0)
  world.pass(60_000)
  assert.equal(world.sockets.length, 1)
})

test("a bridge that refuses the token is not asked again before there is another", () => {
  world.socket.accept()
  world.socket.say({ type: "error", code: "bad_token", text: "expected the viewer token" })
  world.socket.end(1008)
  assert.equal(socket.link.phase, "refused")
  world.pass(600_000)
  socket.retryNow()
  assert.equal(world.sockets.length, 1)
  socket.useToken("s3cret")
  world.socket.accept()
  assert.deepEqual(world.socket.sent, [{ type: "hello", protocol: 1, token: "s3cret" }])
  world.socket.say(WELCOME)
  assert.equal(socket.link.phase, "open")
})

test("what comes is counted", () => {
  greet()
  assert.equal(socket.link.frames, 1)
  assert.equal(socket.link.characters, JSON.stringify(WELCOME).length)
})
