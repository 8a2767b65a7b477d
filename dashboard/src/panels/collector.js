import { Scale } from "../charts/scale.js"
import { bytes, count, duration, isNumber, percent, roughly } from "../data/numbers.js"
import { KeyedTable } from "../widgets/table.js"
import { devicesOf, Panel } from "./panel.js"
import { Facts, Readout } from "./readout.js"

/** @type {import("./panel.js").Kind} */
export const COLLECTOR = {
  key: "agent",
  title: "Agent's own cost",
  groups: ["collector"],
  none: "this agent does not report its cost",
  make: (context, kind) => new CollectorPanel(context, kind),
}

/** What the agent itself costs, and how each of its collectors did: trouble first, then the dearest. */
class CollectorPanel extends Panel {
  #readout
  #facts = new Facts("inline")
  #table = new KeyedTable("Collectors", [
    { title: "collector" },
    { title: "took", kind: "number" },
    {
      title: "state",
      trouble: (state) => (state === "failed" ? "critical" : state === "late" ? "warn" : null),
    },
    { title: "reason", grows: true },
  ])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const chart = this.chart({
      label: "CPU of the agent",
      format: percent,
      scale: new Scale({ least: 1 }),
      sections: 2,
      series: [{ name: "cpu", label: "agent", colour: 1, keys: ["cpu_percent"] }],
    })
    chart.element.classList.add("low")
    this.#readout = new Readout(
      [
        { key: "cpu", large: true, label: "of one core" },
        { key: "memory", large: true, label: "resident" },
      ],
      this.extent(chart, percent),
    )
    this.body.append(
      this.#readout.element,
      chart.element,
      this.timeAxis(),
      this.#facts.element,
      this.#table.element,
    )
  }

  /** @param {import("../data/contract.js").CollectorReport} report */
  show(report) {
    this.#readout.set("cpu", percent(report.cpu_percent))
    this.#readout.set("memory", bytes(report.resident_bytes))
    this.#facts.update([
      ["messages dropped", count(report.dropped_messages)],
      ["ticks skipped", count(report.skipped_ticks)],
      ["internal errors", isNumber(report.internal_errors) ? count(report.internal_errors) : ""],
      ["slept", isNumber(report.slept_seconds) ? roughly(report.slept_seconds) : ""],
      [
        "clock set",
        isNumber(report.clock_set_seconds)
          ? `${roughly(report.clock_set_seconds)} ${report.clock_set_seconds < 0 ? "back" : "on"}`
          : "",
      ],
    ])
    const runs = devicesOf(report.collectors).sort(
      ([, one], [, other]) => trouble(other) - trouble(one) || time(other) - time(one),
    )
    this.#table.update(
      runs.map(([name, run]) => ({
        key: name,
        cells: [name, duration(run.duration_seconds), run.state ?? "", run.reason ?? ""],
      })),
    )
  }
}

/** @param {import("./panel.js").Payload} run */
function trouble({ state, reason }) {
  return state === "ok" ? (reason ? 1 : 0) : 2
}

/** @param {import("./panel.js").Payload} run */
function time({ duration_seconds: seconds }) {
  return isNumber(seconds) ? seconds : 0
}
