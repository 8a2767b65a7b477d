import assert from "node:assert/strict"
import { test } from "node:test"

import { prepared } from "../../../../dashboard/src/data/prepared.js"

const CPU = { time: 1, tick: 1, core_percents: [0, 20, 100], core_frequencies_hertz: [1e9, 2e9, 3e9] }
const GIBI = 1024 ** 3

test("each core has the place of its number, and one that is switched off none", () => {
  const { core_percents: percents, core_frequencies_hertz: frequencies } = prepared(
    { ...CPU, core_numbers: [0, 1, 3] },
    "cpu",
  )
  assert.deepEqual(percents, [0, 20, undefined, 100])
  assert.deepEqual(frequencies, [1e9, 2e9, undefined, 3e9])
  assert.deepEqual(prepared({ core_percents: [7], core_numbers: [2] }, "pulse").core_percents, [
    undefined,
    undefined,
    7,
  ])
})

test("without numbers the cores are the first ones, and the payload is the one that came", () => {
  assert.equal(prepared(CPU, "cpu"), CPU)
})

test("numbers that no core has leave the lists as they are", () => {
  for (const numbers of [
    [0, 1, 1e9],
    [0, -1, 2],
    [0, "1", 2],
    [0, 0.5, 1],
    [Number.NaN, 0, 1],
  ])
    assert.deepEqual(prepared({ ...CPU, core_numbers: numbers }, "cpu").core_percents, [0, 20, 100])
  assert.deepEqual(prepared({ core_percents: "much", core_numbers: [0] }, "cpu").core_percents, "much")
  assert.deepEqual(prepared({ core_percents: [1], core_numbers: [] }, "cpu").core_percents, [])
})

test("the parts of memory are the whole of it, with shared memory in what is used", () => {
  const machines = [
    // Much shared memory, such as that of a database: it is in the cache as well.
    { total: 64, available: 10, free: 1, cached: 45, buffers: 1 },
    // More cache than can be taken, a reserve that may not be touched, ZFS, a container of LXC.
    { total: 8, available: 3, free: 4, cached: 2, buffers: 1 },
    { total: 64, available: 40, free: 3, cached: 1, buffers: 1 },
    { total: 2, available: 1.5, free: 1.5, cached: undefined, buffers: undefined },
  ]
  for (const { total, available, free, cached, buffers } of machines) {
    const { parts } = prepared(
      {
        total_bytes: total * GIBI,
        available_bytes: available * GIBI,
        used_bytes: (total - available) * GIBI,
        free_bytes: free * GIBI,
        cached_bytes: cached === undefined ? undefined : cached * GIBI,
        buffers_bytes: buffers === undefined ? undefined : buffers * GIBI,
        shared_bytes: 40 * GIBI,
      },
      "memory",
    )
    const sizes = Object.values(parts)
    assert.equal(
      sizes.reduce((sum, one) => sum + one, 0),
      total * GIBI,
    )
    assert.ok(sizes.every((one) => one >= 0))
  }
})

test("memory that is not told has no parts", () => {
  assert.deepEqual(prepared({ total_bytes: 5, cached_bytes: 3 }, "memory").parts, {})
  assert.deepEqual(prepared({ used_bytes: "5", available_bytes: 3 }, "memory").parts, {})
})
