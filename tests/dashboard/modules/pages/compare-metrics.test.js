import assert from "node:assert/strict"
import { test } from "node:test"

import "../browser.js"
import {
  meaningOf,
  metricOf,
  metricsOf,
  scaleFor,
  valueIn,
} from "../../../../dashboard/src/pages/compare-metrics.js"

const host = (pulse, groups) => ({
  pulse: { time: 1, tick: 1, session: "a", ...pulse },
  info: groups === undefined ? {} : { groups },
})

test("a metric is a field of the pulse or of a group", () => {
  assert.deepEqual(metricOf("cpu_percent"), { id: "cpu_percent", group: "pulse", field: "cpu_percent" })
  assert.deepEqual(metricOf("custom-web.hits_per_second"), {
    id: "custom-web.hits_per_second",
    group: "custom-web",
    field: "hits_per_second",
  })
})

test("what is no metric is none", () => {
  for (const id of ["", ".", "cpu.", ".x", "a.b.c", "<b>", "a b", "CPU.total", "é"])
    assert.equal(metricOf(id), undefined, id)
})

test("what at least one host tells can be compared, headline first, each once", () => {
  const ids = metricsOf([
    host(
      { cpu_percent: 1, core_percents: [1], uptime_seconds: 5 },
      { cpu: { interval_seconds: 1, fields: { total_percent: { unit: "percent" } } } },
    ),
    host(
      { cpu_percent: 2, temperature_celsius: 40 },
      { cpu: { interval_seconds: 1, fields: { total_percent: { unit: "percent" } } }, bad: 7 },
    ),
    host({}, undefined),
    host({}, "nonsense"),
  ]).map(({ id }) => id)
  assert.deepEqual(ids, ["cpu_percent", "temperature_celsius", "cpu.total_percent"])
})

test("unit and limit are those that the host tells, else those of the name", () => {
  const told = host({}, { "custom-x": { fields: { fill: { unit: "litres", limit: 50 } } } })
  assert.deepEqual(told && pick(meaningOf(metricOf("custom-x.fill"), [host({}), told])), {
    unit: "litres",
    limit: 50,
  })
  assert.deepEqual(pick(meaningOf(metricOf("memory_percent"), [])), { unit: "percent", limit: 100 })
  assert.deepEqual(pick(meaningOf(metricOf("process.cpu_percent"), [])), {
    unit: "percent",
    limit: undefined,
  })
})

function pick({ unit, limit }) {
  return { unit, limit }
}

test("a scale ends at the limit of percentages, and elsewhere with the data", () => {
  assert.equal(scaleFor(meaningOf(metricOf("cpu_percent"), [])).max, 100)
  assert.equal(scaleFor(meaningOf(metricOf("network_receive_bytes_per_second"), [])).max, 1024)
  assert.equal(scaleFor(meaningOf(metricOf("load_1m"), [])).max, 1)
})

test("numbers read as everywhere", () => {
  const read = (id, value) => meaningOf(metricOf(id), []).format(value)
  assert.equal(read("load_1m", 3), "3.00")
  assert.equal(read("process_count", 12345), "12\u202f345")
  assert.equal(read("temperature_celsius", 47.4), "47 °C")
  assert.equal(read("memory.used_bytes", 1536), "1.50 KiB")
  assert.equal(read("cpu_percent", undefined), "—")
})

test("a number of the host is taken as it is", () => {
  assert.equal(valueIn({ total_percent: 12, x: { total_percent: 90 } }, "total_percent", "percent"), 12)
})

test("numbers of devices are added where a sum means something, else the highest counts", () => {
  const disk = {
    devices: {
      sda: { read_bytes_per_second: 5, busy_percent: 10, in_total: true },
      sda1: { read_bytes_per_second: 5, in_total: false },
      sdb: { read_bytes_per_second: 7, busy_percent: 30 },
    },
  }
  assert.equal(valueIn(disk, "read_bytes_per_second", "bytes per second"), 12)
  assert.equal(valueIn(disk, "busy_percent", "percent"), 30)
  assert.equal(valueIn({ core_percents: [3, 9, null] }, "core_percents", "percent"), 9)
})

test("where there is no number there is none, whatever came", () => {
  for (const payload of [undefined, null, 7, [], {}, { x: "12" }, { x: null }, { x: Number.NaN }])
    assert.equal(valueIn(payload, "x", "percent"), undefined)
  assert.equal(valueIn(JSON.parse('{"__proto__": {"x": 1}}'), "constructor", "percent"), undefined)
})
