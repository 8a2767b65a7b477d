/** What narrows the fleet: counters by state, the filter, and the choice between table and grid. */

import { STATES } from "../data/messages.js"
import { count } from "../data/numbers.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"

export const VIEWS = ["table", "grid"]

export class FleetTools {
  /** @type {Map<string, {element: HTMLElement, number: HTMLElement}>} */
  #counters = new Map()
  #views
  search = /** @type {HTMLInputElement} */ (
    element("input", {
      type: "search",
      class: "search",
      placeholder: "filter  /",
      "aria-label": "Filter hosts by name, system, tag or state",
      autocomplete: "off",
      spellcheck: "false",
    })
  )
  /** To stand in the header. @type {HTMLElement[]} */
  elements

  /**
   * @param {{onState: (state: string) => void, onWords: (words: string) => void,
   *   onView: (view: string) => void, onDown: () => void}} handlers onDown: from the filter to the hosts
   */
  constructor({ onState, onWords, onView, onDown }) {
    this.search.addEventListener("input", () => onWords(this.search.value))
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.search.blur()
        onWords("")
      } else if (event.key === "Enter" || event.key === "ArrowDown") {
        event.preventDefault()
        onDown()
      }
    })
    this.#views = VIEWS.map((view) =>
      button(view, () => onView(view), { "data-view": view, title: "table or grid  g" }),
    )
    this.elements = [
      this.#makeCounters(onState),
      this.search,
      element("div", { class: "choice", role: "group", "aria-label": "View" }, ...this.#views),
    ]
  }

  /**
   * @param {Map<string, number>} counts by state
   * @param {{states: Set<string>, words: string, view: string}} chosen
   */
  update(counts, { states, words, view }) {
    for (const [state, { element: one, number }] of this.#counters) {
      const hosts = counts.get(state) ?? 0
      setText(number, count(hosts))
      one.hidden = state !== "live" && hosts === 0 && !states.has(state)
      setAttribute(one, "aria-pressed", String(states.has(state)))
    }
    if (this.search.value !== words && document.activeElement !== this.search) this.search.value = words
    for (const one of this.#views) setAttribute(one, "aria-pressed", String(one.dataset.view === view))
  }

  /** @param {(state: string) => void} onState */
  #makeCounters(onState) {
    const box = element("div", { class: "counters", role: "group", "aria-label": "Filter by state" })
    for (const state of STATES) {
      const number = element("span", { class: "number" }, "0")
      const one = button("", () => onState(state), {
        class: "counter",
        "data-state": state,
        "aria-pressed": "false",
      })
      one.append(
        element("span", { class: "glyph", "aria-hidden": "true" }),
        number,
        element("span", { class: "counter-word" }, ` ${state}`),
      )
      this.#counters.set(state, { element: one, number })
      box.append(one)
    }
    return box
  }
}
