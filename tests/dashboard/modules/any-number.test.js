/** Every module without DOM, given any number that a host, a bridge, an address or a kept choice can hold. */

import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { beforeEach, test } from "node:test"

import { address } from "./browser.js"
import { FakeWorld } from "./fake-world.js"
import { ABSURD, forAll } from "./seeded.js"
import { alertsOf } from "../../../dashboard/src/data/host-alerts.js"
import { Announcer } from "../../../dashboard/src/frame/announcer.js"
import { PanelChoices } from "../../../dashboard/src/panels/panel-choices.js"
import { MAX_MAGNITUDE } from "../../../dashboard/src/data/contract.js"
import { ClockOffset } from "../../../dashboard/src/data/clock.js"
import { DeliveryRecord } from "../../../dashboard/src/data/delivery-record.js"
import { Fleet, Host } from "../../../dashboard/src/data/fleet.js"
import { contributions, FleetSums } from "../../../dashboard/src/data/fleet-sums.js"
import { best, fit } from "../../../dashboard/src/frame/fuzzy-search.js"
import { levelAt } from "../../../dashboard/src/data/limits.js"
import { isSample, parseMessage } from "../../../dashboard/src/data/messages.js"
import { prepared } from "../../../dashboard/src/data/prepared.js"
import { TimePause } from "../../../dashboard/src/frame/time-pause.js"
import * as numbers from "../../../dashboard/src/data/numbers.js"
import { TickOrder } from "../../../dashboard/src/data/tick-order.js"
import {
  meaningOf,
  metricOf,
  metricsOf,
  scaleFor,
  valueIn,
} from "../../../dashboard/src/pages/compare-metrics.js"
import { ComparePast } from "../../../dashboard/src/pages/compare-past.js"
import { byTrouble, byValue, fits, filterOf } from "../../../dashboard/src/pages/fleet-order.js"
import { rowOf, survey } from "../../../dashboard/src/pages/fleet-survey.js"
import { arrange, paired } from "../../../dashboard/src/pages/host-layout.js"
import { VisitedPages } from "../../../dashboard/src/frame/visited-pages.js"
import {
  gapMilliseconds,
  rangeOf,
  rowFrom,
  rowNear,
  sampleBeside,
  secondsAtLeast,
} from "../../../dashboard/src/data/column-queries.js"
import { RecentPast } from "../../../dashboard/src/data/recent-past.js"
import { frameQuery } from "../../../dashboard/src/frame/router.js"
import { Samples } from "../../../dashboard/src/data/samples.js"
import { mixed, translucent } from "../../../dashboard/src/charts/colours.js"
import { stateInWords } from "../../../dashboard/src/data/state-words.js"
import { roundUp, Scale } from "../../../dashboard/src/charts/scale.js"
import { Selection } from "../../../dashboard/src/data/selection.js"
import { BridgeSocket, silentSeconds } from "../../../dashboard/src/data/socket.js"
import { statisticsOf } from "../../../dashboard/src/data/statistics.js"
import { Columns, numbersOf } from "../../../dashboard/src/data/store.js"
import {
  drawnLater,
  paintedEvery,
  TimeView,
  WINDOWS_SECONDS,
} from "../../../dashboard/src/charts/time-view.js"

const SOURCES = new URL("../../../dashboard/src/", import.meta.url)
const NOW_SECONDS = 1_795_288_000
const NOW = NOW_SECONDS * 1000
const STATES = ["live", "late", "lost", "waiting", "suspended", "stopped"]
const INFO = [
  "interval_seconds",
  "logical_cores",
  "physical_cores",
  "memory_total_bytes",
  "boot_time",
  "host_name",
  "tags",
  "addresses",
  "conflict",
]
const PULSE = [
  "cpu_percent",
  "load_1m",
  "memory_percent",
  "swap_percent",
  "filesystem_percent",
  "disk_read_bytes_per_second",
  "disk_write_bytes_per_second",
  "network_receive_bytes_per_second",
  "network_transmit_bytes_per_second",
  "temperature_celsius",
  "battery_percent",
  "uptime_seconds",
  "core_percents",
]
const FORMATS = [
  numbers.percent,
  numbers.bytes,
  numbers.byteRate,
  numbers.networkRate,
  numbers.load,
  numbers.celsius,
  numbers.hertz,
  numbers.count,
  numbers.rate,
  numbers.duration,
  numbers.uptime,
  numbers.roughly,
  numbers.clockTime,
  numbers.date,
  (value) => numbers.age(value, NOW),
  numbers.formatOf("watts"),
  numbers.formatOf(""),
]

/** Each module by its path, with what must hold of it. */
const PROPERTIES = {
  "charts/colours.js": () =>
    forAll((chance) => {
      const [colour, under] = [1, 2].map(
        () =>
          `#${chance
            .below(2 ** 24)
            .toString(16)
            .padStart(6, "0")}`,
      )
      const parts =
        mixed(colour, under, chance.share())
          .match(/^rgb\((\d+), (\d+), (\d+)\)$/)
          ?.slice(1)
          .map(Number) ?? []
      assert.ok(parts.length === 3 && parts.every((part) => part <= 255))
      assert.match(translucent(colour, 0.14), /^rgba\(\d+, \d+, \d+, 0\.14\)$/)
    }),
  "data/host-alerts.js": () =>
    forAll((chance) => {
      const host = knownHost(chance)
      const latest = (group) => {
        const devices = Object.fromEntries(
          chance.list(3, () => [
            `d${chance.below(9)}`,
            chance.object([
              "used_percent",
              "charge_percent",
              "current_celsius",
              "high_celsius",
              "critical_celsius",
              "state",
            ]),
          ]),
        )
        return {
          ...chance.object(["used_percent", "swap_percent", "total_percent", "throttling"]),
          mounts: devices,
          batteries: devices,
          temperatures: devices,
          collectors: devices,
          group,
        }
      }
      for (const { level, words } of alertsOf(host, NOW, latest, chance.number())) {
        assert.ok(level === "warn" || level === "critical")
        reads(words)
      }
    }),
  "frame/announcer.js": () =>
    forAll((chance) => {
      const announcer = new Announcer()
      announcer.host({ id: "a", name: String(chance.value()) }, chance.pick(STATES), chance.pick(STATES))
      const said = announcer.next(NOW)
      assert.ok(said === undefined || typeof said === "string")
    }),
  "panels/panel-choices.js": () =>
    forAll((chance) => {
      localStorage.setItem(
        "fleetglass.host.a",
        JSON.stringify([["cpu\u001ffolded", chance.value()], chance.value(), [chance.value(), true]]),
      )
      const chosen = new PanelChoices("a").get("cpu", "folded")
      assert.ok(["undefined", "boolean", "string"].includes(typeof chosen))
    }),
  "data/clock.js": () =>
    forAll((chance) => {
      const clock = new ClockOffset()
      for (const time of chance.list(9, () => chance.number())) {
        clock.observe(time, NOW)
        isUnknownOrFinite(clock.milliseconds)
      }
      for (let second = 0; second < 120; second += 1)
        clock.observe(NOW_SECONDS + second, NOW + 1000 * second + 10)
      assert.equal(clock.milliseconds, 10, "what was absurd is forgotten")
    }),
  "data/delivery-record.js": () =>
    forAll((chance) => {
      const record = new DeliveryRecord()
      for (let second = 0; second < 5; second += 1)
        record.take(chance.object(["latency_seconds", "age_seconds"]), NOW + 1000 * second, true)
      assert.equal(record.source.columns.end - record.source.columns.first, 5)
      holdsNumbers(record.source.columns)
    }),
  "data/fleet.js": () =>
    forAll((chance) => {
      const host = knownHost(chance)
      for (const number of [
        host.gapMilliseconds,
        host.intervalSeconds,
        host.intervalOf("x"),
        host.intervalOf("cpu"),
      ])
        assert.ok(number > 0 && Number.isFinite(number), String(number))
      for (const number of [host.offsetMilliseconds, host.busySeconds, host.sinceMilliseconds])
        assert.ok(Number.isFinite(number), String(number))
      isUnknownOrFinite(host.skewSeconds)
      assert.ok(Number.isNaN(host.lastHeard) || Number.isFinite(host.lastHeard))
      holdsNumbers(host.recent)
    }),
  "data/fleet-sums.js": () =>
    forAll((chance) => {
      const sums = new FleetSums()
      const hosts = ["a", "b"].map((id) => Object.assign(knownHost(chance), { id }))
      for (const host of hosts)
        sums.takePast(
          host,
          chance.list(6, () => pulse(chance)),
          true,
          NOW,
        )
      sums.append(contributions(chance.object(INFO), chance.object(PULSE)), NOW)
      sums.fill(["a", "b"])
      assert.ok(sums.columns.end - sums.columns.first <= 72)
      holdsNumbers(sums.columns)
      for (const [, value] of contributions(chance.object(INFO), chance.object(PULSE)))
        assert.ok(Number.isFinite(value))
    }),
  "frame/fuzzy-search.js": () =>
    forAll((chance) => {
      assert.ok(Number.isFinite(fit(String(chance.value()), String(chance.value()))))
      assert.ok(best(String(chance.number()), ABSURD, String, 5).found.length <= 5)
    }),
  "data/limits.js": () =>
    forAll((chance) => {
      const level = levelAt(chance.value(), {
        warn: chance.number(),
        critical: chance.number(),
        falling: chance.below(2) === 0,
      })
      assert.ok([null, "warn", "critical"].includes(level))
      assert.equal(
        levelAt(chance.pick([Number.NaN, Infinity, -Infinity, 1e308, -1e308]), { warn: 80, critical: 95 }),
        null,
        "no level of what is unknown",
      )
    }),
  "data/messages.js": () =>
    forAll((chance) => {
      const sample = { time: chance.value(), tick: chance.value() }
      if (isSample(sample))
        assert.ok(sample.time >= 0 && sample.time <= 1e11 && sample.tick >= 0 && sample.tick <= 2 ** 53)
      const message = parseMessage(
        JSON.stringify({ type: chance.pick(["welcome", "pong", "fleet", "live"]), time: chance.value() }),
      )
      assert.ok(message === null || typeof message === "object")
    }),
  "data/prepared.js": () =>
    forAll((chance) => {
      const lists = ["core_numbers", "core_percents"].map((name) => [
        name,
        chance.list(4, () => chance.value()),
      ])
      const cores = prepared(Object.fromEntries(lists), "cpu").core_percents
      assert.ok(cores.length <= 8192)
      const { parts } = prepared(
        chance.object(["used_bytes", "available_bytes", "free_bytes", "buffers_bytes"]),
        "memory",
      )
      for (const part of Object.values(parts)) assert.ok(Number.isFinite(part))
    }),
  "frame/time-pause.js": () =>
    forAll((chance) => {
      address.hash = "#/host/a"
      const time = new TimeView()
      const bridgeClock = new ClockOffset()
      const timePause = new TimePause(time, { bridgeClock }, (words) => reads(words, 150))
      const { pause } = frameQuery(new URLSearchParams({ pause: String(chance.value()) }))
      timePause.open({ page: "host" }, pause)
      isMomentOrNone(time.pausedAt)
      bridgeClock.observe(chance.number(), NOW)
      timePause.learn(chance.value())
      isMomentOrNone(time.pausedAt)
      timePause.toggle()
      isMomentOrNone(time.pausedAt)
    }),
  "data/numbers.js": () => {
    for (const value of ABSURD) for (const format of FORMATS) reads(format(value))
    forAll((chance) => {
      for (const format of FORMATS) reads(format(chance.value()))
      reads(numbers.trimmed(numbers.bytes(chance.number())))
    })
  },
  "data/tick-order.js": () =>
    forAll((chance) => {
      const order = new TickOrder()
      for (let count = 0; count < 9; count += 1) {
        const sample = { time: chance.number(), tick: chance.number() }
        const accepted =
          chance.below(2) === 0
            ? order.accept(sample, chance.number())
            : order.acceptPast(sample, chance.number())
        assert.equal(typeof accepted, "boolean")
      }
    }),
  "pages/compare-metrics.js": () =>
    forAll((chance) => {
      const host = knownHost(chance)
      host.info = { groups: { x: { fields: { a: { unit: chance.value(), limit: chance.value() } } } } }
      for (const metric of [...metricsOf([host]), metricOf("x.a"), metricOf("cpu_percent")]) {
        const meaning = meaningOf(metric, [host])
        reads(meaning.format(chance.value()))
        isAxisEnd(scaleFor(meaning).max)
      }
      const value = valueIn(
        { devices: [chance.object(["a"]), chance.object(["a"])], a: chance.value() },
        "a",
        chance.pick(["bytes", "percent"]),
      )
      isUnknownOrFinite(value)
    }),
  "pages/compare-past.js": () =>
    forAll((chance) => {
      const metric = { id: "cpu_percent", group: "pulse", field: "cpu_percent", unit: "percent" }
      const host = knownHost(chance)
      const past = new ComparePast("a", { host: () => host, isStill: false }, [metric])
      for (let count = 0; count < 5; count += 1) past.take("pulse", pulse(chance), NOW)
      past.takePast(
        "pulse",
        chance.list(5, () => pulse(chance)),
      )
      const source = past.source(metric)
      holdsNumbers(source.columns)
      for (const number of [source.gap(), source.offset(), source.interval()])
        assert.ok(Number.isFinite(number))
    }),
  "pages/fleet-order.js": () =>
    forAll((chance) => {
      const hosts = Array.from({ length: 6 }, (_, index) =>
        Object.assign(knownHost(chance), { id: `h${index}` }),
      )
      const value = (host) => host.pulse.cpu_percent
      const sorted = hosts
        .toSorted(byValue(value, chance.below(2) === 0))
        .map((host) => numbers.isNumber(value(host)))
      assert.deepEqual(
        sorted,
        sorted.toSorted((a, b) => Number(b) - Number(a)),
        "those without a value come last",
      )
      assert.equal(hosts.toSorted(byTrouble((host) => alertsOf(host, NOW))).length, 6)
      const filter = filterOf(
        new URLSearchParams({
          q: String(chance.value()),
          state: String(chance.value()),
          tag: String(chance.value()),
        }),
        STATES,
      )
      assert.equal(typeof fits(hosts[0], filter, () => []), "boolean")
    }),
  "pages/fleet-survey.js": () =>
    forAll((chance) => {
      const seen = survey(
        chance.list(5, () => knownHost(chance)),
        NOW,
      )
      for (const [, value] of rowOf(seen)) assert.ok(Number.isFinite(value), String(value))
      for (const value of [seen.cores, seen.memory, seen.total]) assert.ok(Number.isFinite(value))
    }),
  "pages/host-layout.js": () =>
    forAll((chance) => {
      const keys = chance.list(9, () => String(chance.value()))
      for (const { kind, cells } of arrange(paired(keys), () =>
        chance.pick(["open", "folded", "absent", "none"]),
      )) {
        if (kind === "open")
          assert.equal(
            cells.reduce((sum, { columns }) => sum + columns, 0),
            12,
          )
      }
    }),
  "frame/visited-pages.js": () =>
    forAll((chance) => {
      const visited = new VisitedPages()
      visited.leave(`#/host/a?win=${String(chance.value())}`, chance.below(1000))
      assert.ok(Number.isFinite(visited.topOf(`#/host/a?win=${String(chance.value())}`)))
    }),
  "data/column-queries.js": () =>
    forAll((chance) => {
      const source = filledSource(chance)
      const { columns } = source
      const stretch = { from: NOW - chance.below(90_000), to: NOW }
      const at = chance.number()
      const from = rowFrom(source, at)
      assert.ok(from >= columns.first && from <= columns.end)
      const near = rowNear(source, at, stretch)
      assert.ok(near === undefined || (near >= columns.first && near < columns.end))
      isUnknownOrFinite(sampleBeside(source, chance.pick([undefined, at]), chance.pick([-1, 1]), stretch))
      const { min, max } = rangeOf(source, ["x"], { from: chance.number(), to: chance.number() })
      assert.ok(Number.isNaN(max) ? Number.isNaN(min) : min <= max)
      const seconds = secondsAtLeast(columns, "x", chance.number(), chance.number(), chance.number())
      assert.ok(seconds >= 0 && Number.isFinite(seconds), String(seconds))
      assert.ok(gapMilliseconds(knownHost(chance).intervalSeconds) >= 2500)
    }),
  "data/recent-past.js": () =>
    forAll((chance) => {
      const asked = []
      const past = new RecentPast((ids) => asked.push(...ids))
      past.want(
        chance.list(90, () => String(chance.value())),
        () => chance.below(2) === 0,
        NOW,
      )
      assert.ok(asked.length <= 64)
    }),
  "data/samples.js": () =>
    forAll((chance) => {
      const samples = new Samples(knownHost(chance))
      for (let count = 0; count < 5; count += 1)
        samples.take(
          { x: pulse(chance), cpu: { ...pulse(chance), total_percent: chance.value() } },
          NOW + 1000 * count,
        )
      samples.takePast({ x: chance.list(5, () => pulse(chance)), cpu: chance.value() }, NOW)
      for (const name of ["x", "cpu"]) {
        holdsNumbers(samples.group(name).columns)
        assert.ok(samples.gap(name) > 0 && Number.isFinite(samples.gap(name)))
      }
      assert.ok(samples.busySeconds(NOW) >= 0)
      samples.goOn()
      assert.ok(Number.isNaN(samples.host.newest) || Number.isFinite(samples.host.newest))
    }),
  "charts/scale.js": () => {
    for (const value of ABSURD) for (const binary of [false, true]) isAxisEnd(roundUp(value, binary), value)
    forAll((chance) => {
      const value = chance.number()
      const binary = chance.below(2) === 0
      isAxisEnd(roundUp(value, binary), value)
      const scale = new Scale({ least: chance.pick([1, 1024]), binary })
      for (let count = 0; count < 5; count += 1) {
        scale.report(chance.below(2), chance.number(), NOW + 11_000 * count)
        isAxisEnd(scale.max)
      }
      scale.fix(chance.number())
      isAxisEnd(scale.max)
      scale.reset()
      isAxisEnd(scale.max)
    })
  },
  "data/selection.js": () =>
    forAll((chance) => {
      localStorage.setItem("fleetglass.window", String(chance.value()))
      const time = new TimeView()
      const asked = []
      const selection = new Selection({ watch: (one) => asked.push(one) }, time)
      selection.compare(new Map([[String(chance.value()), []]]), time.seconds)
      selection.host("a", time.seconds)
      for (const { history } of asked) assert.ok(Number.isInteger(history) && history > 0 && history <= 900)
    }),
  "data/socket.js": () =>
    forAll((chance) => {
      const world = new FakeWorld()
      const socket = new BridgeSocket("ws://bridge/ws", { onMessage() {}, onLink() {} }, world)
      socket.open()
      world.socket.accept()
      world.socket.say({ type: "welcome", protocol: 1, time: chance.number() })
      world.socket.say({ type: "pong", id: chance.value(), time: chance.number() })
      world.pass(500)
      world.socket.end(1006)
      isUnknownOrFinite(socket.link.latency)
      const wait = socket.link.retryAt - world.now()
      assert.ok(wait > 0 && wait <= 3000)
      assert.ok(Number.isFinite(silentSeconds(socket.link, world.now())))
    }),
  "data/state-words.js": () => forAll((chance) => reads(stateInWords(knownHost(chance), NOW))),
  "data/statistics.js": () =>
    forAll((chance) => {
      const { now, mean, max, high } = statisticsOf(filledSource(chance), "x", {
        from: chance.number(),
        to: NOW,
      })
      for (const one of [now, mean, max, high])
        assert.ok(Number.isNaN(one) || Number.isFinite(one), String(one))
      if (!Number.isNaN(mean)) assert.ok(high <= max)
    }),
  "data/store.js": () =>
    forAll((chance) => {
      const columns = new Columns(1 + chance.below(9))
      for (let count = 0; count < 12; count += 1) {
        if (chance.below(3) > 0)
          columns.append(chance.number(), numbersOf({ x: chance.value(), y: [chance.value()] }))
        else
          columns.merge(chance.list(4, () => ({ time: chance.number(), entries: [["x", chance.number()]] })))
        holdsNumbers(columns)
      }
      assert.ok(columns.end - columns.first <= 9)
    }),
  "charts/time-view.js": () =>
    forAll((chance) => {
      localStorage.setItem("fleetglass.window", String(chance.value()))
      const time = new TimeView()
      const { win } = frameQuery(new URLSearchParams({ win: String(chance.value()) }))
      if (win !== undefined) time.setSeconds(win)
      time.step(chance.pick([-1, 1]))
      assert.ok(WINDOWS_SECONDS.includes(time.seconds))
      time.pause(chance.number())
      isMomentOrNone(time.pausedAt)
      assert.ok(Number.isFinite(time.end(NOW)))
      const { intervalSeconds } = knownHost(chance)
      const later = drawnLater(intervalSeconds)
      assert.ok(later >= 0 && later <= 3000)
      assert.ok(paintedEvery(time.seconds, chance.below(4000)) >= 100)
    }),
}

beforeEach(() => localStorage.clear())

for (const [module, property] of Object.entries(PROPERTIES)) {
  test(`${module} ends and says something sane, whatever the numbers`, property)
}

test("every module without DOM is among these", () => {
  const without = readdirSync(SOURCES, { recursive: true }).filter(
    (path) => path.endsWith(".js") && readFileSync(new URL(path, SOURCES), "utf8").includes("No DOM."),
  )
  assert.deepEqual(Object.keys(PROPERTIES).toSorted(), without.toSorted())
})

test("a moment, a window and a cycle of an address are what a page can do, or not there", () => {
  forAll((chance) => {
    const text = () => String(chance.value())
    const { win, pause, cycleSeconds } = frameQuery(
      new URLSearchParams({ win: text(), pause: text(), cycle: text() }),
    )
    isUnknownOrFinite(win)
    assert.ok(pause === undefined || (pause > 0 && pause <= 1e11))
    // A timer that is longer than 2³¹ ms runs at once, and one that is shorter than a page needs to open
    // never shows it.
    assert.ok(
      cycleSeconds === undefined || (cycleSeconds >= 1 && cycleSeconds <= 86_400),
      String(cycleSeconds),
    )
  })
})

test("what counts bytes in a machine is a number, and what no machine can count is none", () => {
  for (const value of [0, -1, 5e-324, 1e18, 2 ** 64, MAX_MAGNITUDE])
    assert.ok(numbers.isNumber(value), String(value))
  for (const value of [Number.NaN, Infinity, -Infinity, 1e308, -1e308, 1.001 * MAX_MAGNITUDE])
    assert.ok(!numbers.isNumber(value), String(value))
})

/** A host about which absurd things were said. */
function knownHost(chance) {
  const fleet = new Fleet()
  fleet.take({ type: "welcome", time: NOW_SECONDS, broker: "connected", broker_since: chance.value() }, NOW)
  const groups = { cpu: { interval_seconds: chance.value() } }
  fleet.take(
    {
      type: "fleet",
      hosts: [
        {
          id: "a",
          state: "live",
          since: chance.value(),
          info: { ...chance.object(INFO), groups },
          pulse: pulse(chance),
        },
      ],
    },
    NOW,
  )
  for (let second = 1; second <= 3; second += 1)
    fleet.take({ type: "pulse", hosts: { a: pulse(chance) } }, NOW + 1000 * second)
  fleet.take({ type: "pong", time: chance.value() }, NOW)
  fleet.take({ type: "host", id: "a", state: chance.pick(STATES), since: chance.value() }, NOW)
  fleet.take({ type: "history", host: "a", samples: { pulse: chance.list(4, () => pulse(chance)) } }, NOW)
  return fleet.host("a") ?? new Host("a")
}

/** A payload whose stamp is usual, or as absurd as the rest. */
function pulse(chance) {
  const stamp =
    chance.below(3) === 0
      ? { time: chance.value(), tick: chance.value() }
      : { time: NOW_SECONDS + chance.below(60), tick: chance.below(1000) }
  return { ...chance.object(PULSE), ...stamp }
}

function filledSource(chance) {
  const columns = new Columns(16)
  for (let count = 0; count < 12; count += 1)
    columns.append(NOW_SECONDS - 60 + 5 * count, [["x", chance.number()]])
  const { gapMilliseconds: gap, offsetMilliseconds: offset, intervalSeconds: interval } = knownHost(chance)
  return { columns, gap: () => gap, offset: () => offset, interval: () => interval }
}

/** @param {string} text that a person can read */
function reads(text, longest = 60) {
  assert.equal(typeof text, "string")
  assert.doesNotMatch(text, /NaN|Infinity|undefined|null|e\+(?!2\d)/)
  assert.ok(text.length < longest, text)
}

function isUnknownOrFinite(value) {
  assert.ok(value === undefined || Number.isFinite(value), String(value))
}

function isMomentOrNone(at) {
  assert.ok(at === undefined || !Number.isNaN(new Date(at).getTime()), String(at))
}

/** @param {number} max top of an axis @param {number} [value] that it must reach, if it is a number */
function isAxisEnd(max, value = 0) {
  assert.ok(max > 0 && Number.isFinite(max) && 1 / max > 0 && Number.isFinite(1 / max), String(max))
  if (numbers.isNumber(value)) assert.ok(max >= value * (1 - 1e-9), `${value}: ${max}`)
}

/** Times are finite, and values finite or NaN. */
function holdsNumbers(columns) {
  for (let row = columns.first; row < columns.end; row += 1) {
    assert.ok(Number.isFinite(columns.time(row)), String(columns.time(row)))
    for (const key of columns.keys) {
      const value = columns.value(key, row)
      assert.ok(Number.isNaN(value) || Number.isFinite(value), `${key}: ${value}`)
    }
  }
}
