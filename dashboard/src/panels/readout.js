/**
 * What is read at the top of a panel: large values, a legend whose entries are values and switches, and lists
 * of facts.
 */

import { MISSING, MISSING_TITLE } from "../data/numbers.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"

/** One or two large values, and small ones beside them. */
export class Readout {
  /** @type {Map<string, HTMLElement>} */
  #values = new Map()
  element

  /**
   * @param {{key: string, label: string, large?: boolean, colour?: number}[]} items
   * @param {...Node} beside
   */
  constructor(items, ...beside) {
    const list = element("dl", { class: "reading-list" })
    for (const { key, label, large, colour } of items) {
      const value = element("dd", {}, MISSING)
      list.append(
        element(
          "div",
          { class: large ? "reading large" : "reading" },
          element("dt", {}, ...swatch(colour), label),
          value,
        ),
      )
      this.#values.set(key, value)
    }
    this.element = element("div", { class: "readout" }, list, ...beside)
  }

  /** @param {string} key @param {string} text */
  set(key, text) {
    write(this.#values.get(key), text)
  }
}

/** The series of a chart with their values; each is a button that takes it out of the chart. */
export class Legend {
  /** @type {Map<string, {value: HTMLElement, button: HTMLElement}>} */
  #entries = new Map()
  element = element("div", { class: "legend", role: "group", "aria-label": "Series" })

  /**
   * @param {{name: string, label?: string, colour: number}[]} series
   * @param {(hidden: Set<string>) => void} onChange called now and at each change
   * @param {{isShown: (name: string) => boolean, choose: (name: string, shown: boolean) => void}} panel
   *   remembers
   */
  constructor(series, onChange, panel) {
    for (const { name, label = name, colour } of series) {
      const value = element("span", { class: "value" }, MISSING)
      const toggle = button(
        "",
        () => {
          panel.choose(name, !panel.isShown(name))
          setAttribute(toggle, "aria-pressed", String(panel.isShown(name)))
          onChange(hidden())
        },
        { class: "series", "aria-pressed": String(panel.isShown(name)), "data-series": name },
      )
      toggle.append(...swatch(colour), label, " ", value)
      this.#entries.set(name, { value, button: toggle })
      this.element.append(toggle)
    }
    const hidden = () => new Set(series.map(({ name }) => name).filter((name) => !panel.isShown(name)))
    onChange(hidden())
  }

  /** @param {string} name @param {string} text */
  set(name, text) {
    write(this.#entries.get(name)?.value, text)
  }
}

/** A list of names and values; what is missing is left out. */
export class Facts {
  /** @type {Map<string, {element: HTMLElement, value: HTMLElement}>} */
  #rows = new Map()
  element

  /** @param {string} [kind] a class beside `facts` */
  constructor(kind = "") {
    this.element = element("dl", { class: `facts ${kind}`.trim() })
  }

  /** @param {[string, string][]} facts name and value */
  update(facts) {
    const shown = new Set()
    for (const [name, value] of facts) {
      if (value === MISSING || value === "") continue
      shown.add(name)
      const row = this.#rows.get(name) ?? this.#add(name)
      setText(row.value, value)
      setAttribute(row.value, "title", value)
    }
    for (const [name, row] of this.#rows) {
      if (shown.has(name)) continue
      row.element.remove()
      this.#rows.delete(name)
    }
  }

  /** @param {string} name */
  #add(name) {
    const value = element("dd")
    const row = { value, element: element("div", {}, element("dt", {}, name), value) }
    this.#rows.set(name, row)
    this.element.append(row.element)
    return row
  }
}

/** @param {number | undefined} colour */
function swatch(colour) {
  return colour === undefined
    ? []
    : [element("span", { class: `swatch swatch-${colour}`, "aria-hidden": "true" })]
}

/** @param {HTMLElement | undefined} value @param {string} text */
function write(value, text) {
  if (value === undefined) return
  setText(value, text)
  setAttribute(value, "title", text === MISSING ? MISSING_TITLE : null)
}
