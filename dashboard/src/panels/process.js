import { button, element, setText } from "../dom.js"
import { bytes, count, isNumber, MISSING, percent } from "../numbers.js"
import { KeyedTable } from "../table.js"
import { Panel } from "./panel.js"

/** The largest processes, by CPU or by memory; still while the pointer is over them. */
export class ProcessPanel extends Panel {
  #order = "top_cpu"
  #counts = element("p", { class: "quiet" })
  #buttons
  #table = new KeyedTable("Largest processes", [
    { title: "name", grows: true },
    { title: "pid", kind: "number", minor: true },
    { title: "user", minor: true },
    { title: "CPU", kind: "number" },
    { title: "memory", kind: "number" },
    { title: "resident", kind: "number" },
    { title: "threads", kind: "number", minor: true },
  ])

  constructor(context) {
    super(context, { group: "process", title: "Processes", size: "7", none: "this host reports no processes" })
    this.#buttons = [["top_cpu", "by CPU"], ["top_memory", "by memory"]].map(([order, text]) =>
      button(text, () => this.#sort(order), { "aria-pressed": String(order === this.#order), "data-order": order }))
    this.#table.element.classList.add("ranked")
    this.body.append(element("div", { class: "panel-tools" }, this.#counts, element("span", { class: "choice", role: "group", "aria-label": "Order" }, ...this.#buttons)), this.#table.element)
  }

  show(payload) {
    const states = Object.entries(payload.states ?? {}).filter(([, number]) => number > 0).map(([state, number]) => `${count(number)} ${state}`)
    setText(this.#counts, [`${count(payload.count)} processes`, ...states].join(" · "))
    if (!this.#table.element.matches(":hover")) this.#write(payload)
  }

  #sort(order) {
    this.#order = order
    for (const one of this.#buttons) one.setAttribute("aria-pressed", String(one.dataset.order === order))
    if (this.samples.latest) this.#write(this.samples.latest)
  }

  #write(payload) {
    const list = Array.isArray(payload[this.#order]) ? payload[this.#order] : []
    this.#table.update(list.map((one) => ({
      key: String(one.pid),
      cells: [one.name ?? MISSING, isNumber(one.pid) ? String(one.pid) : MISSING, one.user ?? MISSING, percent(one.cpu_percent), percent(one.memory_percent), bytes(one.resident_bytes), count(one.threads)],
    })))
  }
}
