import { bytes, byteRate, isNumber, MISSING, percent } from "../numbers.js"
import { Scale } from "../scale.js"
import { Panel, Readout } from "./panel.js"

/** Memory by use, stacked up to what the host has, and swap. */
export class MemoryPanel extends Panel {
  #scale = new Scale({ least: 1024 ** 3, binary: true })
  #swapScale = new Scale({ least: 1024 ** 2, binary: true })
  #swap
  #readout = new Readout([
    { key: "percent", large: true, label: "used" },
    { key: "used", label: "used", colour: 1 },
    { key: "cached", label: "cache", colour: 2 },
    { key: "total", label: "of" },
  ])
  #swapReadout = new Readout([
    { key: "swap", label: "swap", colour: 4 },
    { key: "in", label: "in" },
    { key: "out", label: "out" },
  ])

  constructor(context) {
    super(context, { group: "memory", title: "Memory and swap", size: "6" })
    const memory = this.chart({
      label: "Memory in use",
      stacked: true,
      format: bytes,
      scale: this.#scale,
      series: [
        { name: "used", colour: 1, keys: ["used_bytes"] },
        { name: "cache", colour: 2, keys: ["cached_bytes", "buffers_bytes"] },
      ],
    })
    this.#swap = this.chart({
      label: "Swap in use",
      format: bytes,
      scale: this.#swapScale,
      sections: 2,
      series: [{ name: "swap", colour: 4, keys: ["swap_used_bytes"] }],
    })
    this.#swap.element.classList.add("low")
    this.body.append(this.#readout.element, memory.element, this.#swap.element, this.timeAxis(), this.#swapReadout.element)
  }

  show(memory) {
    if (isNumber(memory.total_bytes)) this.#scale.fix(memory.total_bytes)
    if (memory.swap_total_bytes > 0) this.#swapScale.fix(memory.swap_total_bytes)
    this.#swap.element.hidden = !(memory.swap_total_bytes > 0)
    const cached = [memory.cached_bytes, memory.buffers_bytes].filter(isNumber)
    this.#readout.set("percent", percent(memory.used_percent))
    this.#readout.set("used", bytes(memory.used_bytes))
    this.#readout.set("cached", cached.length > 0 ? bytes(cached.reduce((sum, one) => sum + one, 0)) : MISSING)
    this.#readout.set("total", bytes(memory.total_bytes))
    this.#swapReadout.set("swap", memory.swap_total_bytes === 0 ? "none" : `${bytes(memory.swap_used_bytes)} of ${bytes(memory.swap_total_bytes)}`)
    this.#swapReadout.set("in", byteRate(memory.swap_in_bytes_per_second))
    this.#swapReadout.set("out", byteRate(memory.swap_out_bytes_per_second))
  }
}
