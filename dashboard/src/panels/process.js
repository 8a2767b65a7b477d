import { isObject } from "../data/messages.js"
import { bytes, count, isNumber, MISSING, percent } from "../data/numbers.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"
import { KeyedTable } from "../widgets/table.js"
import { Panel } from "./panel.js"

const ORDERS = [
  ["top_cpu", "by CPU"],
  ["top_memory", "by memory"],
]

/** @type {import("./panel.js").Kind} */
export const PROCESS = {
  key: "proc",
  title: "Processes",
  groups: ["process"],
  none: "this host reports no processes",
  make: (context, kind) => new ProcessPanel(context, kind),
}

/** The largest processes, by CPU or by memory; still while the pointer or the focus is in them. */
class ProcessPanel extends Panel {
  #order
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

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#order = context.choices.get(kind.key, "order") === "top_memory" ? "top_memory" : "top_cpu"
    this.#buttons = ORDERS.map(([order, text]) =>
      button(text, () => this.#sort(order), {
        "aria-pressed": String(order === this.#order),
        "data-order": order,
      }),
    )
    this.#table.element.classList.add("ranked")
    // Scrolled and read by keyboard, too.
    setAttribute(this.#table.element, "tabindex", "0")
    this.body.append(
      element(
        "div",
        { class: "panel-row" },
        this.#counts,
        element("span", { class: "choice", role: "group", "aria-label": "Order" }, ...this.#buttons),
      ),
      this.#table.element,
    )
  }

  /** @param {import("../data/contract.js").Process} payload */
  show(payload) {
    const states = isObject(payload.states)
      ? Object.entries(payload.states)
          .filter(([, number]) => isNumber(number) && number > 0)
          .map(([state, number]) => `${count(number)} ${state}`)
      : []
    setText(this.#counts, [`${count(payload.count)} processes`, ...states].join(" · "))
    if (!this.#table.element.matches(":hover, :focus-within, :focus")) this.#write(payload)
  }

  /** @param {string} order */
  #sort(order) {
    this.#order = order
    this.context.choices.set(this.kind.key, "order", order)
    for (const one of this.#buttons) setAttribute(one, "aria-pressed", String(one.dataset.order === order))
    if (this.latest) this.#write(this.latest)
  }

  /** @param {import("./panel.js").Payload} payload */
  #write(payload) {
    const list = Array.isArray(payload[this.#order]) ? payload[this.#order].filter(isObject) : []
    this.#table.update(
      list.map((/** @type {import("./panel.js").Payload} */ one) => ({
        key: String(one.pid),
        cells: [
          one.name ?? MISSING,
          isNumber(one.pid) ? String(one.pid) : MISSING,
          one.user ?? MISSING,
          percent(one.cpu_percent),
          percent(one.memory_percent),
          bytes(one.resident_bytes),
          count(one.threads),
        ],
      })),
    )
  }
}
