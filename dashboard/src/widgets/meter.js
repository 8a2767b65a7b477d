/** A number with a bar beside it; the bar changes colour only for trouble. */

import { levelAt, METER_LIMIT } from "../data/limits.js"
import { isNumber, MISSING_TITLE, percent } from "../data/numbers.js"
import { element, setAttribute, setText } from "./dom.js"

export class Meter {
  #text = element("span", { class: "number" })
  #fill = element("span", { class: "meter-fill" })
  #levelOf
  element

  /**
   * @param {(value: unknown) => "warn" | "critical" | null} [trouble] when it is trouble; by default when it
   *   is high
   */
  constructor(trouble = (value) => levelAt(value, METER_LIMIT)) {
    this.#levelOf = trouble
    this.element = element(
      "span",
      { class: "metered" },
      this.#text,
      element("span", { class: "meter", "aria-hidden": "true" }, this.#fill),
    )
  }

  /** @param {unknown} value percent */
  set(value) {
    setText(this.#text, percent(value))
    setAttribute(this.#text, "title", isNumber(value) ? null : MISSING_TITLE)
    const share = isNumber(value) ? Math.min(1, Math.max(0, value / 100)) : 0
    this.#fill.style.width = `${(100 * share).toFixed(1)}%`
    setAttribute(this.element, "data-level", this.#levelOf(value))
  }
}
