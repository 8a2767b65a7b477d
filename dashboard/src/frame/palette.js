/** One field that finds everything: hosts, panels, pages and actions. Also asks for one of a given list. */

import { element, setAttribute, setText } from "../widgets/dom.js"
import { boxOf } from "../widgets/menu.js"
import { StateMark } from "../widgets/state-mark.js"
import { best } from "./fuzzy-search.js"
import { keysElement } from "./help.js"

const SHOWN_AT_MOST = 50

/**
 * @typedef {{words: string, kind: string, about?: string, found?: string, state?: string, keys?: string[],
 *   run: () => void}} Item
 *   about: shown in muted after the words; found: more to find it by, not shown; state: of a host
 */

export class Palette {
  #field = /** @type {HTMLInputElement} */ (
    element("input", {
      type: "text",
      class: "palette-field",
      role: "combobox",
      "aria-expanded": "true",
      "aria-controls": "palette-list",
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
    })
  )
  #list = element("ul", { id: "palette-list", class: "palette-list", role: "listbox", "aria-label": "Found" })
  #more = element("p", { class: "palette-more", role: "status" })
  #dialog = boxOf("palette", "Find", this.#field, this.#list, this.#more)
  /** @type {Item[]} */
  #items = []
  /** @type {Item[]} */
  #found = []
  #marked = 0

  constructor() {
    this.#field.addEventListener("input", () => this.#search())
    this.#field.addEventListener("keydown", (event) => this.#press(event))
    this.#list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("li") : null
      if (option !== null) this.#run([...this.#list.children].indexOf(option))
    })
  }

  /** @param {string} prompt @param {Item[]} items in the order to show while nothing is typed */
  open(prompt, items) {
    this.#items = items
    this.#field.value = ""
    setAttribute(this.#field, "placeholder", prompt)
    setAttribute(this.#field, "aria-label", prompt)
    this.#search()
    if (!this.#dialog.open) this.#dialog.showModal()
    this.#field.focus()
  }

  #search() {
    const { found, total } = best(this.#field.value, this.#items, textOf, SHOWN_AT_MOST)
    this.#found = found
    this.#list.replaceChildren(...found.map(optionOf))
    setText(
      this.#more,
      total === 0
        ? "Nothing fits."
        : total > found.length
          ? `${total - found.length} more; type on to find them.`
          : "",
    )
    this.#mark(0)
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { length } = this.#found
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    if (step !== 0 && length > 0) this.#mark((this.#marked + step + length) % length)
    else if (event.key === "Enter") this.#run(this.#marked)
    else return
    event.preventDefault()
  }

  /** @param {number} place */
  #mark(place) {
    this.#list.children[this.#marked]?.removeAttribute("aria-selected")
    this.#marked = place
    const option = this.#list.children[place]
    setAttribute(this.#field, "aria-activedescendant", option?.id)
    if (option === undefined) return
    setAttribute(option, "aria-selected", "true")
    option.scrollIntoView({ block: "nearest" })
  }

  /** @param {number} place */
  #run(place) {
    const item = this.#found[place]
    if (item === undefined) return
    this.#dialog.close()
    item.run()
  }
}

/** @param {Item} item */
function textOf({ words, about = "", found = "", kind, state = "" }) {
  return `${words} ${about} ${found} ${state} ${kind}`
}

/** @param {Item} item @param {number} place */
function optionOf({ words, kind, about = "", state, keys = [] }, place) {
  const mark = new StateMark()
  if (state !== undefined) mark.set(state)
  return element(
    "li",
    { role: "option", id: `palette-${place}` },
    element("span", { class: "palette-words" }, words),
    element("span", { class: "palette-about" }, about),
    ...(state === undefined ? [] : [mark.element]),
    ...(keys.length > 0 ? [keysElement(keys)] : []),
    element("span", { class: "palette-kind" }, kind),
  )
}
