import { bytes, clockTime, count, date, isNumber } from "../numbers.js"
import { Facts, Panel } from "./panel.js"

/** What the host is: all that does not change from second to second. */
export class FactsPanel extends Panel {
  #facts = new Facts()
  #info

  constructor(context) {
    super(context, { group: "info", title: "Host", size: "12" })
    this.#facts.element.classList.add("wide")
    this.body.append(this.#facts.element)
    this.body.hidden = false
    this.element.querySelector(".note")?.remove()
  }

  update() {
    const { host } = this.context
    const { info } = host
    if (info === this.#info) return
    this.#info = info
    const addresses = Object.entries(info.addresses ?? {}).filter(([, list]) => Array.isArray(list) && list.length > 0)
    this.#facts.update([
      ["host id", host.id],
      ["operating system", text(info.os_name)],
      ["kernel", text(info.kernel)],
      ["architecture", text(info.architecture)],
      ["processor", text(info.cpu_model)],
      ["cores", isNumber(info.logical_cores) ? `${count(info.logical_cores)}${isNumber(info.physical_cores) ? ` (${count(info.physical_cores)} physical)` : ""}` : ""],
      ["memory", bytes(info.memory_total_bytes)],
      ["swap", info.swap_total_bytes === 0 ? "none" : bytes(info.swap_total_bytes)],
      ["booted", isNumber(info.boot_time) ? `${date(info.boot_time * 1000)} ${clockTime(info.boot_time * 1000)}` : ""],
      ...addresses.map(([name, list]) => /** @type {[string, string]} */ ([`address of ${name}`, list.join("  ")])),
      ["tags", Array.isArray(info.tags) ? info.tags.join(", ") : ""],
      ["agent", text(info.agent_version)],
      ["agent's Python", text(info.python_version)],
      ["sampled every", isNumber(info.interval_seconds) ? `${info.interval_seconds} s` : ""],
      ["conflict", info.conflict ? `another machine publishes under this id (session ${info.conflict})` : ""],
    ])
  }
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : ""
}
