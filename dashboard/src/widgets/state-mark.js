/** A host's state as a glyph and a word: never by colour alone. */

import { element, setAttribute, setText } from "./dom.js"

export class StateMark {
  #word = element("span", { class: "state-word" })
  element = element(
    "span",
    { class: "state" },
    element("span", { class: "glyph", "aria-hidden": "true" }),
    this.#word,
  )

  /** @param {string} state @param {string} [words] instead of the state's name */
  set(state, words = state) {
    setAttribute(this.element, "data-state", state)
    setText(this.#word, words)
  }
}
