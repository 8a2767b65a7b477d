import { CoreBars } from "../charts/core-bars.js"
import { HeatMap } from "../charts/heatmap.js"
import { count, hertz, isNumber, percent } from "../data/numbers.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"
import { Panel } from "./panel.js"
import { Legend, Readout } from "./readout.js"

const OTHER = ["nice_percent", "irq_percent", "softirq_percent"]
const SERIES = [
  { name: "user", colour: 1, keys: ["user_percent"] },
  { name: "system", colour: 2, keys: ["system_percent"] },
  { name: "iowait", colour: 4, keys: ["iowait_percent"] },
  { name: "steal", colour: 5, keys: ["steal_percent"] },
  { name: "other", colour: 3, keys: OTHER },
]

/** @type {import("./panel.js").Kind} */
export const CPU = {
  key: "cpu",
  title: "CPU",
  groups: ["cpu"],
  make: (context, kind) => new CpuPanel(context, kind),
}

/** @type {import("./panel.js").Kind} */
export const CORES = {
  key: "cores",
  title: "Per core",
  groups: ["cpu"],
  none: "this host reports no per-core values",
  isEmpty: (cpu) => !Array.isArray(cpu.core_percents) || cpu.core_percents.length === 0,
  make: (context, kind) => new CoresPanel(context, kind),
}

/** CPU time, stacked by what it was spent on. */
class CpuPanel extends Panel {
  #legend
  #readout

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const chart = this.chart({
      label: "CPU use",
      stacked: true,
      format: percent,
      series: SERIES,
      total: "total_percent",
    })
    this.#legend = new Legend(SERIES, (hidden) => chart.setHidden(hidden), this)
    this.#readout = new Readout(
      [{ key: "total", large: true, label: "busy" }],
      this.extent(chart, percent),
      this.#legend.element,
    )
    this.body.append(this.#readout.element, chart.element, this.timeAxis())
  }

  /** @param {import("../data/contract.js").Cpu} cpu */
  show(cpu) {
    this.#readout.set("total", percent(cpu.total_percent))
    for (const { name, keys } of SERIES) {
      const parts = keys
        .map((key) => /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (cpu))[key])
        .filter(isNumber)
      this.#legend.set(name, percent(parts.length > 0 ? parts.reduce((sum, one) => sum + one, 0) : undefined))
    }
  }
}

/** Every core over time as a heat map, or now as bars. */
class CoresPanel extends Panel {
  #map
  #bars
  #labels = element("div", { class: "axis-y", "aria-hidden": "true" }, element("span"), element("span"))
  #plot
  #below
  #switch
  #readout

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#map = this.keep(new HeatMap(context, this.source()))
    this.#bars = this.keep(new CoreBars(context))
    const ramp = element(
      "span",
      { class: "ramp", "aria-hidden": "true" },
      ...[0, 1, 2, 3, 4, 5].map((step) => element("i", { class: `heat-${step}` })),
    )
    this.#below = [this.timeAxis(), element("p", { class: "ramp-key" }, "0 ", ramp, " 100 %")]
    this.#switch = ["map", "bars"].map((view) => button(view, () => this.#turn(view), { "data-view": view }))
    this.#plot = element("div", { class: "chart cores" }, this.#labels, this.#map.element, this.#bars.element)
    this.#readout = new Readout(
      [
        { key: "cores", large: true, label: "cores" },
        { key: "busiest", label: "busiest" },
        { key: "idlest", label: "idlest" },
      ],
      element("span", { class: "choice", role: "group", "aria-label": "View" }, ...this.#switch),
    )
    this.body.append(this.#readout.element, this.#plot, ...this.#below)
    this.#turn(context.choices.get(kind.key, "view") === "bars" ? "bars" : "map")
  }

  get hasTable() {
    return true
  }

  /** Every core now: there may be hundreds, and the past of one is in the heat map. */
  tables() {
    const { core_percents: percents = [], core_frequencies_hertz: frequencies = [] } = this.latest ?? {}
    const rows = [...percents].map((one, core) => [
      String(core),
      one === undefined ? "off" : percent(one),
      hertz(frequencies[core]),
    ])
    return [{ columns: ["core", "busy", "frequency"], rows }]
  }

  /** @param {import("../data/contract.js").Cpu} cpu */
  show({ core_percents: percents = [] }) {
    const cores = percents.filter(isNumber)
    this.#map.setCores(percents.length)
    this.#bars.set(percents)
    this.#writeLabels(percents.length)
    const busiest = Math.max(...cores)
    this.#readout.set("cores", count(cores.length))
    this.#readout.set("busiest", `${percent(busiest)} (core ${percents.indexOf(busiest)})`)
    this.#readout.set("idlest", percent(Math.min(...cores)))
  }

  /** @param {string} view */
  #turn(view) {
    this.context.choices.set(this.kind.key, "view", view)
    for (const one of this.#switch) setAttribute(one, "aria-pressed", String(one.dataset.view === view))
    this.#map.element.hidden = view === "bars"
    this.#bars.element.hidden = view !== "bars"
    for (const one of this.#below) one.hidden = view === "bars"
    this.#writeLabels(this.latest?.core_percents?.length ?? 0)
    this.context.scheduler.repaint()
  }

  /** @param {number} cores */
  #writeLabels(cores) {
    const isBars = this.#map.element.hidden
    const last = this.#map.coresInRow > 1 ? `${cores - this.#map.coresInRow}–${cores - 1}` : String(cores - 1)
    setText(
      this.#labels.children[0],
      isBars ? "100 %" : this.#map.coresInRow > 1 ? `core 0–${this.#map.coresInRow - 1}` : "core 0",
    )
    setText(this.#labels.children[1], isBars ? "0 %" : cores > 1 ? last : "")
  }
}
