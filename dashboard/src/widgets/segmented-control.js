/** A choice of one of several, as buttons side by side. */

import { button, element, setAttribute } from "./dom.js"

/** @template {string | number} Value */
export class SegmentedControl {
  #buttons
  #chosen

  /**
   * @param {string} label
   * @param {{value: Value, words: string}[]} options
   * @param {{chosen: () => Value, choose: (value: Value) => void}} chosen
   */
  constructor(label, options, chosen) {
    this.#chosen = chosen.chosen
    this.#buttons = options.map(({ value, words }) => ({
      value,
      element: button(words, () => {
        chosen.choose(value)
        this.update()
      }),
    }))
    this.element = element(
      "div",
      { class: "choice", role: "group", "aria-label": label },
      ...this.#buttons.map((one) => one.element),
    )
    this.update()
  }

  update() {
    const chosen = this.#chosen()
    for (const one of this.#buttons) setAttribute(one.element, "aria-pressed", String(one.value === chosen))
  }
}
