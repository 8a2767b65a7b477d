/** A real table whose rows have a key: only changed cells are written. */

import { MISSING, MISSING_TITLE } from "../data/numbers.js"
import { element, setAttribute, setText } from "./dom.js"
import { Meter } from "./meter.js"

/**
 * @typedef {"warn" | "critical" | null} Level
 * @typedef {{title: string, kind?: "text" | "number" | "meter", grows?: boolean, minor?: boolean,
 *   trouble?: (value: unknown) => Level}} Column
 *   minor: hidden where space is short; trouble: what is wrong with a value
 * @typedef {{key: string, cells: unknown[], picked?: boolean, colour?: number}} Row a meter's cell is a
 *   percentage, any other a
 *   text; colour: of its line in a chart
 * @typedef {{element: HTMLElement, write: ((value: unknown) => void)[], pick?: HTMLElement}} Written
 */

export class KeyedTable {
  #columns
  #onPick
  #body = element("tbody")
  /** @type {Map<string, Written>} */
  #rows = new Map()
  element

  /**
   * @param {string} label
   * @param {Column[]} columns
   * @param {(key: string) => void} [onPick] makes the first cell a button
   */
  constructor(label, columns, onPick) {
    this.#columns = columns
    this.#onPick = onPick
    const heads = columns.map((column) =>
      element("th", { scope: "col", class: classOf(column) }, column.title),
    )
    // It may scroll: keys must reach it, where they reach nothing inside.
    this.element = element(
      "div",
      { class: "table-box", tabindex: onPick ? undefined : "0" },
      element(
        "table",
        { class: onPick ? "small-table picking" : "small-table", "aria-label": label },
        element("thead", {}, element("tr", {}, ...heads)),
        this.#body,
      ),
    )
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
    for (const { key, cells, picked, colour } of rows) {
      const row = this.#rows.get(key) ?? this.#add(key)
      if (row.element === place) place = place.nextElementSibling
      else this.#body.insertBefore(row.element, place)
      for (const [index, cell] of cells.entries()) row.write[index]?.(cell)
      if (row.pick) setAttribute(row.pick, "aria-pressed", String(picked === true))
      setAttribute(
        row.element,
        "class",
        [picked ? "picked" : "", colour === undefined ? "" : `line-${colour}`].filter(Boolean).join(" ") ||
          null,
      )
    }
  }

  /** @param {string} key */
  #add(key) {
    /** @type {Written} */
    const row = { element: element("tr"), write: [] }
    this.#columns.forEach((column, index) => {
      const cell = element(index === 0 ? "th" : "td", {
        class: classOf(column),
        scope: index === 0 ? "row" : undefined,
      })
      row.element.append(cell)
      row.write.push(
        column.kind === "meter"
          ? meterIn(cell, column)
          : textIn(index === 0 ? this.#holder(cell, key, row) : cell, column),
      )
    })
    this.#rows.set(key, row)
    return row
  }

  /**
   * What the text of a first cell is in.
   * @param {HTMLElement} cell
   * @param {string} key
   * @param {Written} row
   */
  #holder(cell, key, row) {
    const onPick = this.#onPick
    if (onPick === undefined) return cell
    row.pick = element("button", { type: "button", class: "pick" })
    row.pick.addEventListener("click", () => onPick(key))
    cell.append(row.pick)
    return row.pick
  }
}

/** @param {HTMLElement} cell @param {Column} column @returns {(value: unknown) => void} */
function meterIn(cell, { trouble }) {
  const meter = new Meter(trouble)
  cell.append(meter.element)
  return (value) => meter.set(value)
}

/** @param {HTMLElement} cell @param {Column} column @returns {(value: unknown) => void} */
function textIn(cell, { grows, trouble }) {
  return (value) => {
    setText(cell, String(value ?? MISSING))
    setAttribute(cell, "title", value === MISSING ? MISSING_TITLE : grows ? String(value ?? "") : null)
    if (trouble) setAttribute(cell, "data-level", trouble(value))
  }
}

/** @param {Column} column */
function classOf({ kind = "text", grows, minor }) {
  return [`cell-${kind}`, grows ? "grows" : "", minor ? "minor" : ""].filter(Boolean).join(" ")
}
