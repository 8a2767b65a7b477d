import { bytes, clockTime, count, date, isNumber, MISSING, percent } from "../data/numbers.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { KeyedTable } from "../widgets/table.js"
import { devicesOf, Panel } from "./panel.js"
import { Readout } from "./readout.js"

/** @type {import("./panel.js").Kind} */
export const UNIT = {
  key: "unit",
  title: "Units of systemd",
  groups: ["unit"],
  none: "not asked for",
  optional: true,
  make: (context, kind) => new UnitPanel(context, kind),
}

/** Units that failed, and those that the agent was asked to watch. */
class UnitPanel extends Panel {
  #readout
  #failed = element("p", { class: "held" })
  #table = new KeyedTable("Watched units", [
    { title: "unit", grows: true },
    { title: "state", trouble: (state) => (String(state).startsWith("failed") ? "critical" : null) },
    { title: "since" },
    { title: "CPU", kind: "number", minor: true },
    { title: "memory", kind: "number" },
    { title: "restarts", kind: "number", minor: true },
    { title: "loaded", minor: true },
  ])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#readout = new Readout([{ key: "failed", large: true, label: "failed" }])
    this.body.append(this.#readout.element, this.#failed, this.#table.element)
  }

  /** @param {import("../data/contract.js").Unit} payload */
  show({ failed_count: failures, failed, units }) {
    this.#readout.set("failed", count(failures))
    const names = Array.isArray(failed) ? failed.map(String) : []
    setText(this.#failed, names.length > 0 ? `failed: ${names.join(", ")}` : "")
    setAttribute(this.#failed, "data-level", "critical")
    this.#failed.hidden = names.length === 0
    const watched = devicesOf(units).sort(
      ([a, one], [b, other]) =>
        Number(other.active_state === "failed") - Number(one.active_state === "failed") || a.localeCompare(b),
    )
    this.#table.update(
      watched.map(([name, unit]) => ({
        key: name,
        cells: [
          name,
          [unit.active_state, unit.sub_state].filter((word) => typeof word === "string").join(" · ") ||
            MISSING,
          isNumber(unit.since_time)
            ? `${date(unit.since_time * 1000)} ${clockTime(unit.since_time * 1000)}`
            : MISSING,
          percent(unit.cpu_percent),
          bytes(unit.memory_bytes),
          count(unit.restarts),
          unit.load_state ?? MISSING,
        ],
      })),
    )
  }
}
