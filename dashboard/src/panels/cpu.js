import { HeatMap } from "../heatmap.js"
import { element, setText } from "../dom.js"
import { count, hertz, isNumber, load, percent, rate } from "../numbers.js"
import { Scale } from "../scale.js"
import { Facts, Panel, Readout } from "./panel.js"

const OTHER = ["nice_percent", "irq_percent", "softirq_percent"]

/** CPU time, stacked by what it was spent on. */
export class CpuPanel extends Panel {
  #readout = new Readout([
    { key: "total", large: true, label: "busy" },
    { key: "user", label: "user", colour: 1 },
    { key: "system", label: "system", colour: 2 },
    { key: "iowait", label: "iowait", colour: 4 },
    { key: "steal", label: "steal", colour: 5 },
    { key: "other", label: "other", colour: 3 },
  ])

  constructor(context) {
    super(context, { group: "cpu", title: "CPU", size: "8" })
    const chart = this.chart({
      label: "CPU use",
      stacked: true,
      format: percent,
      series: [
        { name: "user", colour: 1, keys: ["user_percent"] },
        { name: "system", colour: 2, keys: ["system_percent"] },
        { name: "iowait", colour: 4, keys: ["iowait_percent"] },
        { name: "steal", colour: 5, keys: ["steal_percent"] },
        { name: "other", colour: 3, keys: OTHER },
      ],
    })
    this.body.append(this.#readout.element, chart.element, this.timeAxis())
  }

  show(cpu) {
    const others = OTHER.map((key) => cpu[key]).filter(isNumber)
    this.#readout.set("total", percent(cpu.total_percent))
    this.#readout.set("user", percent(cpu.user_percent))
    this.#readout.set("system", percent(cpu.system_percent))
    this.#readout.set("iowait", percent(cpu.iowait_percent))
    this.#readout.set("steal", percent(cpu.steal_percent))
    this.#readout.set("other", percent(others.length > 0 ? others.reduce((sum, one) => sum + one, 0) : undefined))
  }
}

/** Every core over time, and now. */
export class CoresPanel extends Panel {
  #map
  #labels = element("div", { class: "axis-y cores", "aria-hidden": "true" })
  #readout = new Readout([{ key: "cores", large: true, label: "cores" }, { key: "busiest", label: "busiest" }, { key: "mean", label: "idlest" }])

  constructor(context) {
    super(context, { group: "cpu", title: "Per core", size: "4" })
    this.#map = this.keep(new HeatMap(context, this.source()))
    const ramp = element("span", { class: "ramp", "aria-hidden": "true" }, ...[0, 1, 2, 3, 4, 5].map((step) => element("i", { class: `heat-${step}` })))
    this.body.append(this.#readout.element, element("div", { class: "chart" }, this.#labels, this.#map.element),
      this.timeAxis(), element("p", { class: "ramp-key" }, "0 ", ramp, " 100 %"))
  }

  isEmpty(cpu) { return !Array.isArray(cpu.core_percents) || cpu.core_percents.length === 0 }

  show(cpu) {
    const cores = cpu.core_percents.filter(isNumber)
    this.#map.setRows(cpu.core_percents.length)
    if (this.#labels.childElementCount !== 2) this.#labels.replaceChildren(element("span"), element("span"))
    setText(this.#labels.children[0], "core 0")
    setText(this.#labels.children[1], cores.length > 1 ? String(cores.length - 1) : "")
    const busiest = Math.max(...cores)
    this.#readout.set("cores", count(cores.length))
    this.#readout.set("busiest", `${percent(busiest)} (${cpu.core_percents.indexOf(busiest)})`)
    this.#readout.set("mean", percent(Math.min(...cores)))
  }
}

/** Load averages against the number of cores. */
export class LoadPanel extends Panel {
  #readout = new Readout([
    { key: "1", large: true, label: "1 min" },
    { key: "5", label: "5 min", colour: 2 },
    { key: "15", label: "15 min", colour: 3 },
  ])

  constructor(context) {
    super(context, { group: "cpu", title: "Load", size: "3" })
    const chart = this.chart({
      label: "Load average of one minute",
      format: load,
      scale: new Scale({ least: 1 }),
      series: [
        { name: "15 min", colour: 3, keys: ["load_15m"], filled: false },
        { name: "5 min", colour: 2, keys: ["load_5m"], filled: false },
        { name: "1 min", colour: 1, keys: ["load_1m"] },
      ],
    })
    this.body.append(this.#readout.element, chart.element, this.timeAxis())
  }

  isEmpty(cpu) { return !isNumber(cpu.load_1m) }

  show(cpu) {
    this.#readout.set("1", load(cpu.load_1m))
    this.#readout.set("5", load(cpu.load_5m))
    this.#readout.set("15", load(cpu.load_15m))
  }
}

/** The smaller figures of the kernel: frequency, switches, and the time that work had to wait. */
export class KernelPanel extends Panel {
  #facts = new Facts()

  constructor(context) {
    super(context, { group: "cpu", title: "Kernel", size: "3" })
    this.body.append(this.#facts.element)
  }

  show(cpu) {
    const { samples } = this.context
    const waited = (group) => percent(samples.group(group).latest?.pressure?.some_10s_percent)
    this.#facts.update([
      ["frequency", hertz(cpu.frequency_hertz)],
      ["frequency range", isNumber(cpu.frequency_max_hertz) ? `${hertz(cpu.frequency_min_hertz)} – ${hertz(cpu.frequency_max_hertz)}` : ""],
      ["context switches", rate(cpu.context_switches_per_second)],
      ["interrupts", rate(cpu.interrupts_per_second)],
      ["waited for CPU, 10 s", waited("cpu")],
      ["waited for memory", waited("memory")],
      ["waited for disks", waited("disk")],
    ])
  }
}
