import { Scale } from "../charts/scale.js"
import { count, hertz, isNumber, load, percent, rate } from "../data/numbers.js"
import { Panel } from "./panel.js"
import { Facts, Legend, Readout } from "./readout.js"

const LOADS = [
  { name: "15 min", colour: 3, keys: ["load_15m"], filled: false },
  { name: "5 min", colour: 2, keys: ["load_5m"], filled: false },
  { name: "1 min", colour: 1, keys: ["load_1m"] },
]
const SWITCHES = [
  { name: "interrupts", colour: 2, keys: ["interrupts_per_second"], filled: false },
  { name: "context switches", colour: 1, keys: ["context_switches_per_second"] },
]

/** @type {import("./panel.js").Kind} */
export const LOAD = {
  key: "load",
  title: "Load",
  groups: ["cpu"],
  none: "this system has no load average",
  isEmpty: (cpu) => !isNumber(cpu.load_1m),
  make: (context, kind) => new LoadPanel(context, kind),
}

/** @type {import("./panel.js").Kind} */
export const FREQUENCY = {
  key: "freq",
  title: "Frequency",
  groups: ["cpu"],
  none: "this host does not tell it",
  isEmpty: (cpu) => !isNumber(cpu.frequency_hertz),
  make: (context, kind) => new FrequencyPanel(context, kind),
}

/** @type {import("./panel.js").Kind} */
export const KERNEL = {
  key: "kernel",
  title: "Kernel",
  groups: ["cpu"],
  make: (context, kind) => new KernelPanel(context, kind),
}

/** Load averages against the number of cores. */
class LoadPanel extends Panel {
  #legend
  #readout

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const chart = this.chart({
      label: "Load average of one minute",
      format: load,
      scale: new Scale({ least: 1 }),
      series: LOADS,
      thresholds: () =>
        isNumber(context.host.info.logical_cores)
          ? [{ value: context.host.info.logical_cores, level: "limit" }]
          : [],
    })
    this.#legend = new Legend(LOADS.toReversed(), (hidden) => chart.setHidden(hidden), this)
    this.#readout = new Readout(
      [
        { key: "1", large: true, label: "1 min" },
        { key: "cores", label: "cores" },
      ],
      this.extent(chart, load),
    )
    this.body.append(this.#readout.element, this.#legend.element, chart.element, this.timeAxis())
  }

  /** @param {import("../data/contract.js").Cpu} cpu */
  show(cpu) {
    this.#readout.set("1", load(cpu.load_1m))
    this.#readout.set("cores", count(this.context.host.info.logical_cores))
    this.#legend.set("1 min", load(cpu.load_1m))
    this.#legend.set("5 min", load(cpu.load_5m))
    this.#legend.set("15 min", load(cpu.load_15m))
  }
}

/** How fast the processor runs, up to what it can. */
class FrequencyPanel extends Panel {
  #scale = new Scale({ least: 1e9 })
  #highest = Number.NaN
  #readout
  #facts = new Facts("inline")

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const chart = this.chart({
      label: "Mean frequency of the cores",
      format: hertz,
      scale: this.#scale,
      series: [{ name: "frequency", colour: 1, keys: ["frequency_hertz"] }],
      thresholds: () => (isNumber(this.#highest) ? [{ value: this.#highest, level: "limit" }] : []),
    })
    this.#readout = new Readout([{ key: "now", large: true, label: "mean" }], this.extent(chart, hertz))
    this.body.append(this.#readout.element, this.#facts.element, chart.element, this.timeAxis())
  }

  /** @param {import("../data/contract.js").Cpu} cpu */
  show(cpu) {
    this.#highest = cpu.frequency_max_hertz ?? Number.NaN
    this.#readout.set("now", hertz(cpu.frequency_hertz))
    const cores = Array.isArray(cpu.core_frequencies_hertz) ? cpu.core_frequencies_hertz.filter(isNumber) : []
    this.#facts.update([
      ["cores", cores.length > 0 ? `${hertz(Math.min(...cores))} – ${hertz(Math.max(...cores))}` : ""],
      ["lowest possible", hertz(cpu.frequency_min_hertz)],
      ["highest", hertz(cpu.frequency_max_hertz)],
    ])
  }
}

/** What the kernel itself does, and the shares of time that are too small for the stack. */
class KernelPanel extends Panel {
  #legend
  #facts = new Facts()

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const chart = this.chart({
      label: "Context switches",
      format: rate,
      scale: new Scale({ least: 100 }),
      series: SWITCHES,
    })
    this.#legend = new Legend(SWITCHES.toReversed(), (hidden) => chart.setHidden(hidden), this)
    this.body.append(this.#legend.element, chart.element, this.timeAxis(), this.#facts.element)
  }

  /** @param {import("../data/contract.js").Cpu} cpu */
  show(cpu) {
    this.#legend.set("context switches", rate(cpu.context_switches_per_second))
    this.#legend.set("interrupts", rate(cpu.interrupts_per_second))
    this.#facts.update([
      ["idle", percent(cpu.idle_percent)],
      ["user, low priority", percent(cpu.nice_percent)],
      ["serving interrupts", percent(cpu.irq_percent)],
      ["software interrupts", percent(cpu.softirq_percent)],
      ["virtual machines", percent(cpu.guest_percent)],
    ])
  }
}
