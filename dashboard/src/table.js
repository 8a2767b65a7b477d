/** A real table whose rows have a key: only changed cells are written. */

import { element, setAttribute, setText } from "./dom.js"
import { Meter } from "./meter.js"
import { MISSING, MISSING_TITLE } from "./numbers.js"

/**
 * @typedef {{title: string, kind?: "text" | "number" | "meter", grows?: boolean, minor?: boolean, trouble?: (value: unknown) => "warn" | "critical" | null}} Column minor: hidden where space is short; trouble: of a meter
 * @typedef {{key: string, cells: unknown[], picked?: boolean}} Row a meter's cell is a percentage, any other a text
 */

export class KeyedTable {
  #columns
  #onPick
  #body = element("tbody")
  #rows = new Map()

  /** @param {string} label @param {Column[]} columns @param {(key: string) => void} [onPick] makes the first cell a button */
  constructor(label, columns, onPick) {
    this.#columns = columns
    this.#onPick = onPick
    const heads = columns.map((column) => element("th", { scope: "col", class: classOf(column) }, column.title))
    this.element = element("div", { class: "table-box" },
      element("table", { class: "small-table", "aria-label": label }, element("thead", {}, element("tr", {}, ...heads)), this.#body))
  }

  /** @param {Row[]} rows in the order to show */
  update(rows) {
    const wanted = new Set(rows.map((row) => row.key))
    for (const [key, row] of this.#rows) {
      if (!wanted.has(key)) {
        row.element.remove()
        this.#rows.delete(key)
      }
    }
    let place = this.#body.firstElementChild
    for (const { key, cells, picked } of rows) {
      const row = this.#rows.get(key) ?? this.#add(key)
      if (row.element === place) place = place.nextElementSibling
      else this.#body.insertBefore(row.element, place)
      cells.forEach((cell, index) => row.write[index](cell))
      if (this.#onPick) setAttribute(row.pick, "aria-pressed", String(picked === true))
      row.element.classList.toggle("picked", picked === true)
    }
  }

  #add(key) {
    const row = { element: element("tr"), write: [], pick: null }
    this.#columns.forEach((column, index) => {
      const first = index === 0
      const cell = element(first ? "th" : "td", { class: classOf(column), scope: first ? "row" : undefined })
      row.element.append(cell)
      if (column.kind === "meter") {
        const meter = new Meter(column.trouble)
        cell.append(meter.element)
        row.write.push((value) => meter.set(value))
      } else {
        const holder = first && this.#onPick ? element("button", { type: "button", class: "pick" }) : cell
        if (holder !== cell) {
          holder.addEventListener("click", () => this.#onPick(key))
          cell.append(holder)
          row.pick = holder
        }
        row.write.push((value) => {
          setText(holder, String(value ?? MISSING))
          if (value === MISSING) setAttribute(holder, "title", MISSING_TITLE)
          else setAttribute(holder, "title", column.grows ? String(value) : null)
        })
      }
    })
    this.#rows.set(key, row)
    return row
  }
}

/** @param {Column} column */
function classOf({ kind = "text", grows, minor }) {
  return [`cell-${kind}`, grows ? "grows" : "", minor ? "minor" : ""].filter(Boolean).join(" ")
}
