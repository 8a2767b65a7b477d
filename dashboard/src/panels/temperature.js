import { Scale } from "../charts/scale.js"
import { isObject } from "../data/messages.js"
import { celsius, count, isNumber } from "../data/numbers.js"
import { columnKey } from "../data/store.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { devicesOf, Panel } from "./panel.js"
import { Facts, Readout } from "./readout.js"
import { ToggledLines } from "./toggled-lines.js"

const LEAST_CELSIUS = 90

/** @type {import("./panel.js").Kind} */
export const TEMPERATURE = {
  key: "temp",
  title: "Temperatures",
  groups: ["sensor"],
  none: "no sensors on this host",
  isEmpty: ({ temperatures, fans, throttling }) =>
    devicesOf(temperatures).length === 0 && devicesOf(fans).length === 0 && !isObject(throttling),
  make: (context, kind) => new TemperaturePanel(context, kind),
}

/** One line per sensor with its limits, the fans, and what holds the processor back. */
class TemperaturePanel extends Panel {
  #readout
  #lines
  #fans = new Facts("inline")
  #held = element("p", { class: "held" })
  #drawn = element("div", { class: "beside" })

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#lines = new ToggledLines(this, {
      label: "Temperatures",
      format: celsius,
      scale: new Scale({ least: LEAST_CELSIUS }),
      columns: [
        { title: "sensor", grows: true },
        { title: "now", kind: "number" },
        { title: "high", kind: "number" },
        { title: "critical", kind: "number" },
      ],
      thresholds: (shown) => limitsOf(shown.map((name) => this.latest?.temperatures?.[name])),
    })
    this.#readout = new Readout([
      { key: "hottest", large: true, label: "hottest" },
      { key: "name", label: "of" },
    ])
    this.#drawn.append(
      element("div", {}, this.#readout.element, this.#lines.chart.element, this.timeAxis()),
      element("div", {}, this.#lines.table),
    )
    this.body.append(this.#held, this.#drawn, this.#fans.element)
  }

  /** @param {import("../data/contract.js").Sensor} sensor */
  show({ temperatures, fans, throttling }) {
    const sensors = devicesOf(temperatures).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    const ranked = sensors.toSorted(([, one], [, other]) => heat(other) - heat(one))
    this.#drawn.hidden = sensors.length === 0
    this.#lines.set(
      sensors.map(([name, sensor]) => ({
        name,
        label: nameOf(name, sensor),
        keys: [columnKey("temperatures", name, "current_celsius")],
        cells: [
          nameOf(name, sensor) + alarmOf(sensor),
          celsius(sensor.current_celsius),
          celsius(sensor.high_celsius),
          celsius(sensor.critical_celsius),
        ],
      })),
      ranked.map(([name]) => name),
    )
    const [hottest] = ranked
    this.#readout.set("hottest", celsius(hottest?.[1].current_celsius))
    this.#readout.set("name", hottest === undefined ? "" : nameOf(...hottest))
    this.#fans.update(
      devicesOf(fans).map(([name, fan]) => [
        `fan ${nameOf(name, fan)}`,
        isNumber(fan.speed_rpm) ? `${count(fan.speed_rpm)} rpm${alarmOf(fan)}` : "",
      ]),
    )
    this.#writeHeld(isObject(throttling) ? throttling : {})
  }

  /** @param {Record<string, unknown>} throttling */
  #writeHeld({ now, since_boot: before }) {
    const held = listOf(now)
    const words = [
      held === "" ? "" : `processor held back: ${held}`,
      listOf(before) === "" ? "" : `since boot: ${listOf(before)}`,
    ]
    setText(this.#held, words.filter(Boolean).join(" · "))
    setAttribute(this.#held, "data-level", held === "" ? null : "warn")
    this.#held.hidden = this.#held.textContent === ""
  }
}

/** @param {unknown} words */
function listOf(words) {
  return Array.isArray(words) ? words.map(String).join(", ").replaceAll("-", " ") : ""
}

/** @param {import("../data/contract.js").Temperature} sensor */
function heat({ current_celsius: current }) {
  return isNumber(current) ? current : Number.NEGATIVE_INFINITY
}

/**
 * Those that are reached first: a line for each sensor would hide the others.
 * @param {(import("../data/contract.js").Temperature | undefined)[]} sensors
 * @returns {import("../charts/live-chart.js").Threshold[]}
 */
function limitsOf(sensors) {
  const high = Math.min(...sensors.map((sensor) => sensor?.high_celsius).filter(isNumber))
  const critical = Math.min(...sensors.map((sensor) => sensor?.critical_celsius).filter(isNumber))
  return [
    ...(high < critical ? [/** @type {const} */ ({ value: high, level: "high" })] : []),
    { value: critical, level: "critical" },
  ]
}

/** @param {string} key @param {{chip?: string, label?: string}} device */
function nameOf(key, { chip, label }) {
  // Of two chips with one name, the key has the device too.
  if (chip && key.startsWith(`${chip}-`)) return key.replace("/", " ")
  return chip && label ? `${chip} ${label}` : String(chip || label || key)
}

/** @param {{alarm?: boolean}} device */
function alarmOf({ alarm }) {
  return alarm === true ? ", alarm" : ""
}
