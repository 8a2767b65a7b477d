import { Scale } from "../charts/scale.js"
import { byteRate, bytes, isNumber, percent } from "../data/numbers.js"
import { columnKey } from "../data/store.js"
import { Panel } from "./panel.js"
import { Facts, Legend, Readout } from "./readout.js"

const SERIES = [
  { name: "used", colour: 1, keys: ["used_bytes"] },
  { name: "cached", colour: 2, keys: [columnKey("parts", "cached")] },
  { name: "buffers", colour: 3, keys: [columnKey("parts", "buffers")] },
]

/** @type {import("./panel.js").Kind} */
export const MEMORY = {
  key: "mem",
  title: "Memory and swap",
  groups: ["memory"],
  make: (context, kind) => new MemoryPanel(context, kind),
}

/** Memory by use, stacked up to what the host has, and swap. */
class MemoryPanel extends Panel {
  #scale = new Scale({ least: 1024 ** 3, binary: true })
  #swapScale = new Scale({ least: 1024 ** 2, binary: true })
  #swap
  #legend
  #readout
  #facts = new Facts("inline")
  #swapFacts = new Facts("inline")

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const memory = this.chart({
      label: "Memory used, cached and buffers",
      stacked: true,
      format: bytes,
      scale: this.#scale,
      series: SERIES,
    })
    this.#swap = this.chart({
      label: "Swap in use",
      format: bytes,
      scale: this.#swapScale,
      sections: 2,
      series: [{ name: "swap", colour: 4, keys: ["swap_used_bytes"] }],
    })
    this.#swap.element.classList.add("low")
    this.#legend = new Legend(SERIES, (hidden) => memory.setHidden(hidden), this)
    this.#readout = new Readout([{ key: "percent", large: true, label: "used" }], this.#legend.element)
    this.body.append(
      this.#readout.element,
      memory.element,
      this.timeAxis(),
      this.#facts.element,
      this.#swap.element,
      this.#swapFacts.element,
    )
  }

  /** @param {import("../data/contract.js").Memory & {parts: Record<string, number>}} memory */
  show(memory) {
    const hasSwap = isNumber(memory.swap_total_bytes) && memory.swap_total_bytes > 0
    if (isNumber(memory.total_bytes)) this.#scale.fix(memory.total_bytes)
    if (hasSwap) this.#swapScale.fix(Number(memory.swap_total_bytes))
    this.#swap.element.hidden = !hasSwap
    this.#readout.set("percent", percent(memory.used_percent))
    this.#legend.set("used", bytes(memory.used_bytes))
    this.#legend.set("cached", bytes(memory.parts.cached))
    this.#legend.set("buffers", bytes(memory.buffers_bytes))
    this.#facts.update([
      ["total", bytes(memory.total_bytes)],
      ["available", bytes(memory.available_bytes)],
      ["free", bytes(memory.free_bytes)],
      ["page cache", bytes(memory.cached_bytes)],
      ["shared", bytes(memory.shared_bytes)],
    ])
    this.#swapFacts.update(
      memory.swap_total_bytes === 0
        ? [["swap", "none"]]
        : [
            ["swap", percent(memory.swap_percent)],
            ["used", bytes(memory.swap_used_bytes)],
            ["free", bytes(memory.swap_free_bytes)],
            ["of", bytes(memory.swap_total_bytes)],
            ["in", byteRate(memory.swap_in_bytes_per_second)],
            ["out", byteRate(memory.swap_out_bytes_per_second)],
          ],
    )
  }
}
