import { bytes, count, duration, isNumber, percent } from "../numbers.js"
import { KeyedTable } from "../table.js"
import { Panel, Readout } from "./panel.js"

/** What the agent itself costs, and how each of its collectors did: trouble first, then the dearest. */
export class CollectorPanel extends Panel {
  #readout = new Readout([
    { key: "cpu", large: true, label: "of one core" },
    { key: "memory", large: true, label: "resident" },
    { key: "dropped", label: "messages dropped" },
    { key: "skipped", label: "ticks skipped" },
  ])
  #table = new KeyedTable("Collectors", [
    { title: "collector" },
    { title: "took", kind: "number" },
    { title: "state" },
    { title: "reason", grows: true },
  ])

  constructor(context) {
    super(context, { group: "collector", title: "Agent's own cost", size: "5", none: "this agent does not report its cost" })
    this.body.append(this.#readout.element, this.#table.element)
  }

  show(report) {
    this.#readout.set("cpu", percent(report.cpu_percent))
    this.#readout.set("memory", bytes(report.resident_bytes))
    this.#readout.set("dropped", count(report.dropped_messages))
    this.#readout.set("skipped", count(report.skipped_ticks))
    const runs = Object.entries(report.collectors ?? {})
      .sort(([, one], [, other]) => trouble(other) - trouble(one) || time(other) - time(one))
    this.#table.update(runs.map(([name, run]) => ({ key: name, cells: [name, duration(run.duration_seconds), run.state ?? "", run.reason ?? ""] })))
  }
}

/** @param {Record<string, any>} run */
function trouble(run) {
  return run.state === "ok" ? (run.reason ? 1 : 0) : 2
}

/** @param {Record<string, any>} run */
function time(run) {
  return isNumber(run.duration_seconds) ? run.duration_seconds : 0
}
