/** The hosts as a table. */

import { button, element, setAttribute } from "../widgets/dom.js"
import { COLUMNS } from "./fleet-columns.js"
import { HostList } from "./fleet-list.js"

const SKELETON_ROWS = 12

export class FleetTable {
  #heads = new Map()
  #body = element("tbody")
  /** A cell of the head: it stays at the top of the window. */
  #stuck
  #onSort
  #table
  list

  /**
   * @param {import("../charts/scheduler.js").Scheduler} scheduler
   * @param {(sort: string) => void} onSort gets a column's key, with `-` before it descending, or "" for the
   *   usual order
   */
  constructor(scheduler, onSort) {
    this.#onSort = onSort
    const heads = COLUMNS.map((column) => this.#makeHead(column))
    this.#stuck = heads[0]
    this.#table = element(
      "table",
      { class: "fleet-table", "aria-label": "Hosts" },
      element("thead", {}, element("tr", {}, ...heads)),
      this.#body,
    )
    this.list = new HostList({
      body: this.#body,
      above: spacer(),
      below: spacer(),
      make: () => new Row(scheduler),
      geometry: () => ({
        perLine: 1,
        lineHeight: this.#rowHeight,
        gap: 0,
        covered: this.#stuck.getBoundingClientRect().bottom,
      }),
    })
    // Only hosts have a line height; until the first comes, empty rows hold their place.
    this.#body.prepend(...Array.from({ length: SKELETON_ROWS }, skeletonRow))
  }

  get element() {
    return this.#table
  }

  /** @param {string} sort as given to `onSort` */
  showSort(sort) {
    for (const [key, head] of this.#heads) {
      setAttribute(head, "aria-sort", sort === key ? "ascending" : sort === `-${key}` ? "descending" : null)
    }
  }

  /** The hosts are known: what held their place goes. @param {number} hosts how many there are */
  begin(hosts) {
    for (const row of this.#body.querySelectorAll(".skeleton")) row.remove()
    setAttribute(this.#table, "aria-rowcount", String(hosts + 1))
  }

  get #rowHeight() {
    return Number.parseFloat(getComputedStyle(this.#table).getPropertyValue("--row"))
  }

  /** @param {import("./fleet-columns.js").FleetColumn} column */
  #makeHead(column) {
    const label = column.label ?? column.title
    const head = element(
      "th",
      { scope: "col", class: classOf(column) },
      button(column.title, () => this.#sortBy(column), { "aria-label": label, title: `sort by ${label}` }),
    )
    this.#heads.set(column.key, head)
    return head
  }

  /**
   * Numbers: largest first, then smallest first, then the usual order again.
   * @param {import("./fleet-columns.js").FleetColumn} column
   */
  #sortBy({ key }) {
    const steps = key === "name" ? [key, `-${key}`, ""] : [`-${key}`, key, ""]
    const now = this.#heads.get(key).getAttribute("aria-sort")
    const at = now === null ? -1 : steps.indexOf(now === "ascending" ? key : `-${key}`)
    this.list.release()
    this.#onSort(steps[(at + 1) % steps.length])
  }
}

class Row {
  #cells
  element

  /** @param {import("../charts/scheduler.js").Scheduler} scheduler */
  constructor(scheduler) {
    this.#cells = COLUMNS.map((column) => column.make(scheduler))
    this.element = element(
      "tr",
      {},
      ...COLUMNS.map((column, index) =>
        element(
          index === 0 ? "th" : "td",
          { class: classOf(column), scope: index === 0 ? "row" : undefined },
          this.#cells[index].element,
        ),
      ),
    )
  }

  /** Undo the constructor. */
  close() {
    for (const cell of this.#cells) cell.close?.()
  }

  get link() {
    return /** @type {HTMLElement} */ (this.element.querySelector(".host-link"))
  }

  /**
   * @param {import("../data/fleet.js").Host} host
   * @param {import("./fleet-cells.js").Moment} moment
   * @param {number} place
   */
  write(host, moment, place) {
    // The first is the head.
    setAttribute(this.element, "aria-rowindex", String(place + 2))
    setAttribute(this.element, "data-state", host.state)
    setAttribute(this.element, "data-unheard", host.isUnheard ? "" : null)
    setAttribute(this.element, "data-picked", moment.picked.has(host.id) ? "" : null)
    for (const cell of this.#cells) cell.write(host, moment)
  }
}

/** @param {import("./fleet-columns.js").FleetColumn} column */
function classOf({ key, numeric }) {
  return `column-${key}${numeric ? " numeric" : ""}`
}

/** Of one cell: there are as many columns as there is room for. */
function spacer() {
  return element("tr", { class: "spacer", "aria-hidden": "true", hidden: true }, element("td"))
}

function skeletonRow() {
  return element(
    "tr",
    { class: "skeleton", "aria-hidden": "true" },
    ...COLUMNS.map((column) => element("td", { class: classOf(column) }, element("span", { class: "bone" }))),
  )
}
