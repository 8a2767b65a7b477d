/** The table of hosts: any order, any length; of a long fleet only the rows in sight exist. */

import { button, element, setAttribute } from "../dom.js"
import { byColumn, byTrouble, COLUMNS } from "./fleet-columns.js"

const ALL_ROWS_UP_TO = 60
const ROWS_BEYOND_SIGHT = 6

class Row {
  #cells
  element

  constructor(id) {
    this.#cells = COLUMNS.map((column) => column.make())
    this.element = element("tr", { "data-host": id }, ...COLUMNS.map((column, index) =>
      element(index === 0 ? "th" : "td", { class: `column-${column.key}${column.numeric ? " numeric" : ""}`, scope: index === 0 ? "row" : undefined }, this.#cells[index].element)))
  }

  write(host, moment) {
    setAttribute(this.element, "data-state", host.state)
    for (const cell of this.#cells) cell.write(host, moment)
  }
}

export class FleetTable {
  #body = element("tbody")
  #above = element("tr", { class: "spacer", "aria-hidden": "true" }, element("td", { colspan: String(COLUMNS.length) }))
  #below = element("tr", { class: "spacer", "aria-hidden": "true" }, element("td", { colspan: String(COLUMNS.length) }))
  #rows = new Map()
  #order = []
  #heads = new Map()
  #sort
  #onSort
  #pointed = false
  #table

  /** @param {string} sort a column's key, with `-` before it descending, or "" for troubled hosts first @param {(sort: string) => void} onSort */
  constructor(sort, onSort) {
    this.#onSort = onSort
    this.#sort = COLUMNS.some((column) => column.sort && column.key === sort.replace(/^-/, "")) ? sort : ""
    const heads = COLUMNS.map((column) => this.#head(column))
    this.#table = element("table", { class: "fleet-table", "aria-label": "Hosts" }, element("thead", {}, element("tr", {}, ...heads)), this.#body)
    this.element = this.#table
    this.#body.append(this.#above, this.#below)
    this.#body.addEventListener("pointerenter", (event) => { this.#pointed = event.pointerType === "mouse" })
    this.#body.addEventListener("pointerleave", () => { this.#pointed = false })
    this.#showSort()
  }

  /** Ids of the rows that exist, top to bottom. */
  get visible() { return [...this.#rows.keys()] }

  /** @param {import("../fleet.js").Host[]} hosts those to show @param {import("./fleet-columns.js").Moment} moment */
  update(hosts, moment) {
    this.#order = this.#arrange(hosts)
    const [from, to] = this.#inSight()
    const shown = this.#order.slice(from, to)
    this.#place(shown, from)
    this.#spacer(this.#above, from)
    this.#spacer(this.#below, this.#order.length - to)
    setAttribute(this.#table, "aria-rowcount", String(this.#order.length + 1))
    for (const host of shown) this.#rows.get(host.id).write(host, moment)
  }

  /** Rows must not jump under a click: while the pointer or the focus is here, the order stays. */
  #arrange(hosts) {
    const held = this.#pointed || this.#body.contains(document.activeElement)
    if (!held || this.#order.length === 0) return hosts.toSorted(this.#comparison())
    const places = new Map(this.#order.map((host, place) => [host.id, place]))
    const place = (host) => places.get(host.id) ?? Number.MAX_SAFE_INTEGER
    return hosts.toSorted((a, b) => place(a) - place(b) || byTrouble(a, b))
  }

  #comparison() {
    const column = COLUMNS.find((one) => one.key === this.#sort.replace(/^-/, ""))
    return column === undefined ? byTrouble : byColumn(column, this.#sort.startsWith("-"))
  }

  #inSight() {
    const total = this.#order.length
    if (total <= ALL_ROWS_UP_TO) return [0, total]
    const top = this.#body.getBoundingClientRect().top
    const height = this.#rowHeight
    const from = Math.max(0, Math.floor(-top / height) - ROWS_BEYOND_SIGHT)
    return [Math.min(from, total), Math.min(total, from + Math.ceil(window.innerHeight / height) + 2 * ROWS_BEYOND_SIGHT)]
  }

  get #rowHeight() {
    return Number.parseFloat(getComputedStyle(this.#table).getPropertyValue("--row")) || 44
  }

  #place(shown, from) {
    const wanted = new Set(shown.map((host) => host.id))
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue
      row.element.remove()
      this.#rows.delete(id)
    }
    const rows = new Map()
    let place = this.#above.nextElementSibling
    shown.forEach((host, index) => {
      const row = this.#rows.get(host.id) ?? new Row(host.id)
      if (row.element === place) place = place.nextElementSibling
      else this.#body.insertBefore(row.element, place)
      setAttribute(row.element, "aria-rowindex", String(from + index + 2))
      rows.set(host.id, row)
    })
    this.#rows = rows
  }

  #spacer(row, count) {
    row.hidden = count === 0
    row.firstElementChild.style.height = `${count * this.#rowHeight}px`
  }

  #head(column) {
    const head = element("th", { scope: "col", class: `column-${column.key}${column.numeric ? " numeric" : ""}` })
    if (column.sort) {
      head.append(button(column.title, () => this.#sortBy(column), { "aria-label": column.label ?? column.title, title: `sort by ${column.label ?? column.title}` }))
      this.#heads.set(column.key, head)
    } else {
      head.append(element("span", {}, column.title))
    }
    return head
  }

  /** Numbers: largest first, then smallest first, then troubled first again. */
  #sortBy(column) {
    const steps = column.numeric ? [`-${column.key}`, column.key, ""] : [column.key, `-${column.key}`, ""]
    this.#sort = steps[(steps.indexOf(this.#sort) + 1) % steps.length]
    this.#order = []
    this.#showSort()
    this.#onSort(this.#sort)
  }

  #showSort() {
    for (const [key, head] of this.#heads) {
      const direction = this.#sort === key ? "ascending" : this.#sort === `-${key}` ? "descending" : null
      setAttribute(head, "aria-sort", direction)
    }
  }
}
