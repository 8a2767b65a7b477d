import { isObject } from "../data/messages.js"
import { percent } from "../data/numbers.js"
import { columnKey } from "../data/store.js"
import { KeyedTable } from "../widgets/table.js"
import { Panel } from "./panel.js"
import { Legend, Readout } from "./readout.js"

const WAITED_FOR = [
  { name: "CPU", group: "cpu", colour: 1 },
  { name: "memory", group: "memory", colour: 2 },
  { name: "disks", group: "disk", colour: 3 },
]
const SPANS = [
  "some_10s_percent",
  "some_60s_percent",
  "some_300s_percent",
  "full_10s_percent",
  "full_60s_percent",
  "full_300s_percent",
]

/** @type {import("./panel.js").Kind} */
export const PRESSURE = {
  key: "psi",
  title: "Pressure",
  groups: ["cpu", "memory", "disk"],
  none: "this kernel tells no pressure",
  isEmpty: (cpu) => !isObject(cpu.pressure),
  make: (context, kind) => new PressurePanel(context, kind),
}

/** How much of the time work had to wait for CPU, memory and disks. */
class PressurePanel extends Panel {
  #legend
  #readout
  #table = new KeyedTable("Share of time waited", [
    { title: "waited for" },
    { title: "some 10 s", kind: "number" },
    { title: "60 s", kind: "number" },
    { title: "300 s", kind: "number" },
    { title: "all 10 s", kind: "number" },
    { title: "60 s", kind: "number" },
    { title: "300 s", kind: "number" },
  ])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const series = WAITED_FOR.map(({ name, group, colour }) => ({
      name,
      colour,
      keys: [columnKey("pressure", "some_10s_percent")],
      source: this.source(group),
      filled: false,
    }))
    const chart = this.chart({ label: "Time in which some work waited", format: percent, series })
    this.#legend = new Legend(series, (hidden) => chart.setHidden(hidden), this)
    this.#readout = new Readout(
      [{ key: "worst", large: true, label: "of 10 s waited" }],
      this.#legend.element,
    )
    this.body.append(this.#readout.element, chart.element, this.timeAxis(), this.#table.element)
  }

  /**
   * The three come one after the other, so all are read at each turn.
   * @param {import("./panel.js").Payload | undefined} payload
   * @param {number} now
   */
  update(payload, now) {
    super.update(payload, now)
    const pressures = WAITED_FOR.map(({ name, group }) => ({
      name,
      pressure: this.context.samples.group(group).latest?.pressure ?? {},
    }))
    this.#readout.set(
      "worst",
      percent(Math.max(...pressures.map(({ pressure }) => pressure.some_10s_percent ?? 0))),
    )
    for (const { name, pressure } of pressures) this.#legend.set(name, percent(pressure.some_10s_percent))
    this.#table.update(
      pressures.map(({ name, pressure }) => ({
        key: name,
        cells: [name, ...SPANS.map((span) => percent(pressure[span]))],
      })),
    )
  }
}
