import { Scale } from "../charts/scale.js"
import { LIMITS, levelAt } from "../data/limits.js"
import { count, isNumber, MISSING, percent, uptime } from "../data/numbers.js"
import { columnKey } from "../data/store.js"
import { element, setText } from "../widgets/dom.js"
import { Meter } from "../widgets/meter.js"
import { devicesOf, Panel } from "./panel.js"
import { Facts } from "./readout.js"

/** @type {import("./panel.js").Kind} */
export const POWER = {
  key: "power",
  title: "Power",
  groups: ["power"],
  none: "no battery or UPS on this host",
  optional: true,
  isEmpty: ({ batteries }) => devicesOf(batteries).length === 0,
  make: (context, kind) => new PowerPanel(context, kind),
}

/** Batteries: what each holds, and what the first of them gives or takes. */
class PowerPanel extends Panel {
  #chart
  #drawn = ""
  /** @type {Map<string, BatteryCard>} */
  #cards = new Map()
  #list = element("div", { class: "batteries" })

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#chart = this.chart({
      label: "Charge",
      format: percent,
      scale: new Scale({ max: 100 }),
      sections: 2,
      series: [],
    })
    this.#chart.element.classList.add("low")
    this.body.append(this.#list, this.#chart.element, this.timeAxis())
  }

  /** @param {import("../data/contract.js").Power} power */
  show({ batteries }) {
    const list = devicesOf(batteries)
    const names = new Set(list.map(([name]) => name))
    for (const [name, card] of this.#cards) {
      if (names.has(name)) continue
      card.element.remove()
      this.#cards.delete(name)
    }
    for (const [name, battery] of list) {
      const card = this.#cards.get(name) ?? new BatteryCard(name)
      if (!this.#cards.has(name)) this.#list.append(card.element)
      this.#cards.set(name, card)
      card.show(battery)
    }
    const drawn = [...names].join("\n")
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#chart.setSeries(
      [...names].map((name, index) => ({
        name,
        colour: index + 1,
        keys: [columnKey("batteries", name, "charge_percent")],
        filled: false,
      })),
    )
  }
}

class BatteryCard {
  #meter = new Meter((charge) => levelAt(charge, LIMITS.battery))
  #state = element("span", { class: "quiet" })
  #facts = new Facts("pairs")
  element

  /** @param {string} name */
  constructor(name) {
    this.element = element(
      "div",
      { class: "battery" },
      element("div", { class: "battery-head" }, element("h3", {}, name), this.#meter.element, this.#state),
      this.#facts.element,
    )
  }

  /** @param {import("../data/contract.js").Battery} battery */
  show(battery) {
    this.#meter.set(battery.charge_percent)
    setText(this.#state, stateOf(battery))
    this.#facts.update([
      ["time left", uptime(battery.left_seconds)],
      ["time to full", uptime(battery.to_full_seconds)],
      ["power", withUnit(battery.power_watts, "W")],
      ["voltage", withUnit(battery.voltage_volts, "V")],
      ["energy", ofFull(battery.energy_watt_hours, battery.energy_full_watt_hours, "Wh")],
      ["energy as built", withUnit(battery.energy_design_watt_hours, "Wh")],
      ["charge", ofFull(battery.charge_ampere_hours, battery.charge_full_ampere_hours, "Ah")],
      ["charge as built", withUnit(battery.charge_design_ampere_hours, "Ah")],
      ["health", percent(battery.health_percent)],
      ["cycles", count(battery.cycles)],
      ["load", percent(battery.load_percent)],
      ["model", battery.model ?? MISSING],
    ])
  }
}

/** @param {import("../data/contract.js").Battery} battery */
function stateOf({ ups, status, plugged, warnings }) {
  return [
    ups === true ? "UPS" : "",
    ...[status].concat(Array.isArray(warnings) ? warnings : []).map((word) => String(word ?? "")),
    plugged === undefined ? "" : plugged ? "plugged in" : "on battery",
  ]
    .filter(Boolean)
    .map((word) => word.replaceAll("-", " "))
    .join(", ")
}

/** @param {unknown} value @param {string} unit */
function withUnit(value, unit) {
  return isNumber(value) ? `${value.toFixed(1)} ${unit}` : MISSING
}

/** @param {unknown} value @param {unknown} full @param {string} unit */
function ofFull(value, full, unit) {
  if (!isNumber(value) && !isNumber(full)) return MISSING
  return isNumber(full)
    ? `${isNumber(value) ? value.toFixed(1) : MISSING} of ${withUnit(full, unit)}`
    : withUnit(value, unit)
}
