import { MISSING, percent, uptime } from "../numbers.js"
import { KeyedTable } from "../table.js"
import { Panel } from "./panel.js"

/** Batteries, on hosts that have one. */
export class PowerPanel extends Panel {
  #table = new KeyedTable("Batteries", [{ title: "battery", grows: true }, { title: "charge", kind: "meter" }, { title: "power" }, { title: "left", kind: "number" }])

  constructor(context) {
    super(context, { group: "power", title: "Power", size: "6", none: "no battery on this host" })
    this.body.append(this.#table.element)
  }

  show({ batteries }) {
    this.#table.update(Object.entries(batteries ?? {}).map(([name, one]) => ({
      key: name,
      cells: [name, one.charge_percent, one.plugged === undefined ? MISSING : one.plugged ? "plugged in" : "on battery", uptime(one.left_seconds)],
    })))
  }
}
