import { isNumber, MISSING, percent, uptime } from "../numbers.js"
import { KeyedTable } from "../table.js"
import { Panel } from "./panel.js"

const LOW_PERCENT = 20
const EMPTY_PERCENT = 10

/** Batteries, on hosts that have one. */
export class PowerPanel extends Panel {
  #table = new KeyedTable("Batteries", [
    { title: "battery", grows: true },
    { title: "charge", kind: "meter", trouble: lowness },
    { title: "state" },
    { title: "power", kind: "number" },
    { title: "health", kind: "number", minor: true },
    { title: "left", kind: "number" },
  ])

  constructor(context) {
    super(context, { group: "power", title: "Power", size: "6", none: "no battery on this host" })
    this.body.append(this.#table.element)
  }

  show({ batteries }) {
    this.#table.update(Object.entries(batteries ?? {}).map(([name, one]) => ({
      key: name,
      cells: [name, one.charge_percent, stateOf(one), watts(one.power_watts), percent(one.health_percent), uptime(one.left_seconds)],
    })))
  }
}

/** @param {Record<string, any>} battery */
function stateOf({ status, plugged }) {
  if (typeof status === "string") return status.replaceAll("-", " ")
  return plugged === undefined ? MISSING : plugged ? "plugged in" : "on battery"
}

/** @param {unknown} value */
function watts(value) {
  return isNumber(value) ? `${value.toFixed(1)} W` : MISSING
}

/** @param {unknown} value percent @returns {"warn" | "critical" | null} */
function lowness(value) {
  if (!isNumber(value) || value > LOW_PERCENT) return null
  return value > EMPTY_PERCENT ? "warn" : "critical"
}
