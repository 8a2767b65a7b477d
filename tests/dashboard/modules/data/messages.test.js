import assert from "node:assert/strict"
import { test } from "node:test"

import {
  isHostEntry,
  isHostId,
  isObject,
  isSample,
  parseMessage,
} from "../../../../dashboard/src/data/messages.js"

const GOOD = [
  {
    type: "welcome",
    protocol: 1,
    version: "0.1.0",
    time: 5,
    broker: "connected",
    broker_since: 1,
    viewers: 1,
    limits: {},
  },
  { type: "fleet", time: 5, hosts: [] },
  { type: "host", id: "web-1", state: "lost", since: 4 },
  { type: "host", id: "web-1", removed: true },
  { type: "pulse", time: 5, hosts: {} },
  { type: "live", host: "web-1", samples: {} },
  { type: "history", host: "web-1", samples: {}, more: true },
  { type: "broker", state: "connecting", since: 4 },
  { type: "notice", code: "slow", text: "less for you" },
  { type: "error", code: "bad_token", text: "no" },
  { type: "pong", id: 1, time: 5 },
]

for (const message of GOOD) {
  test(`a ${message.type} as agreed is read as it is`, () => {
    assert.deepEqual(parseMessage(JSON.stringify(message)), message)
  })
}

test("fields of a newer bridge do no harm", () => {
  assert.deepEqual(parseMessage('{"type":"pong","id":1,"time":5,"more":{}}'), {
    type: "pong",
    id: 1,
    time: 5,
    more: {},
  })
})

const BAD = [
  "",
  "{",
  "null",
  "7",
  "[]",
  '"text"',
  "{}",
  '{"type":null}',
  '{"type":"hello"}',
  '{"type":"constructor"}',
  '{"type":["pong"]}',
  '{"type":"welcome"}',
  '{"type":"welcome","time":"5"}',
  '{"type":"welcome","time":-1}',
  '{"type":"welcome","time":1e999}',
  '{"type":"fleet","hosts":{}}',
  '{"type":"host"}',
  '{"type":"host","id":"__proto__"}',
  '{"type":"host","id":"Web"}',
  '{"type":"host","id":"a","state":"well"}',
  '{"type":"pulse","hosts":[]}',
  '{"type":"pulse","hosts":null}',
  '{"type":"live","host":"a","samples":7}',
  '{"type":"live","host":7,"samples":{}}',
  '{"type":"history","host":"a","samples":[]}',
  '{"type":"broker","state":"gone"}',
  '{"type":"notice"}',
  '{"type":"error","text":1}',
]

for (const text of BAD) {
  test(`${text === "" ? "nothing" : text} is no message`, () => assert.equal(parseMessage(text), null))
}

test("what is no text is no message", () => {
  for (const data of [undefined, null, new ArrayBuffer(4), { type: "pong" }])
    assert.equal(parseMessage(data), null)
})

test("a host id is what the wire allows, and nothing that could lead elsewhere", () => {
  for (const id of ["a", "0", "web-1", "constructor", "a_b", "x".repeat(63)])
    assert.equal(isHostId(id), true, id)
  for (const id of [
    "",
    "A",
    "-a",
    "_a",
    "a/b",
    "a b",
    "a#",
    "x".repeat(64),
    "é",
    "__proto__",
    "a\n",
    7,
    null,
    undefined,
    ["a"],
  ]) {
    assert.equal(isHostId(id), false, String(id))
  }
})

test("a host of the fleet needs a good id and a known state", () => {
  assert.equal(isHostEntry({ id: "a", state: "waiting" }), true)
  for (const entry of [
    null,
    [],
    "a",
    { id: "a" },
    { id: "A", state: "live" },
    { id: "a", state: "toString" },
  ]) {
    assert.equal(isHostEntry(entry), false)
  }
})

test("a sample needs a time and a whole tick", () => {
  assert.equal(isSample({ time: 0, tick: 0 }), true)
  for (const payload of [
    null,
    [],
    7,
    {},
    { time: 1 },
    { tick: 1 },
    { time: "1", tick: 1 },
    { time: 1, tick: 1.5 },
    { time: Number.NaN, tick: 1 },
    { time: Number.POSITIVE_INFINITY, tick: 1 },
    { time: -1, tick: 1 },
  ])
    assert.equal(isSample(payload), false)
})

test("an object is neither null nor a list", () => {
  assert.equal(isObject({}), true)
  for (const value of [null, [], "", 7, undefined]) assert.equal(isObject(value), false)
})
