/** The last values of a panel's charts as real tables, the newest first. */

import { element, setText } from "../widgets/dom.js"

/** @typedef {{columns: string[], rows: string[][]}} Values */

export class ValueTable {
  #title
  /** @type {{values: string, body: HTMLElement}[]} */
  #tables = []
  element = element("div", { class: "value-tables" })

  /** @param {string} title */
  constructor(title) {
    this.#title = title
  }

  /** @param {Values[]} tables */
  update(tables) {
    const heads = tables.map(({ columns }) => columns.join("\t"))
    if (
      heads.length !== this.#tables.length ||
      heads.some((head, index) => head !== this.#tables[index].values)
    )
      this.#build(tables, heads)
    for (const [index, { columns, rows }] of tables.entries())
      fill(this.#tables[index].body, columns.length, rows)
  }

  /** @param {Values[]} tables @param {string[]} heads */
  #build(tables, heads) {
    this.#tables = heads.map((values) => ({ values, body: element("tbody") }))
    this.element.replaceChildren(
      ...tables.map(({ columns }, index) =>
        element(
          "div",
          { class: "table-box", tabindex: "0", role: "region", "aria-label": `${this.#title}, last values` },
          element(
            "table",
            { class: "small-table", "aria-label": `${this.#title}, last values` },
            element(
              "thead",
              {},
              element(
                "tr",
                {},
                ...columns.map((column, place) =>
                  element("th", { scope: "col", class: place > 0 ? "cell-number" : "" }, column),
                ),
              ),
            ),
            this.#tables[index].body,
          ),
        ),
      ),
    )
  }
}

/** @param {HTMLElement} body @param {number} columns @param {string[][]} rows */
function fill(body, columns, rows) {
  while (body.children.length > rows.length) body.lastElementChild?.remove()
  while (body.children.length < rows.length) {
    const cells = Array.from({ length: columns }, (_, place) =>
      place === 0 ? element("th", { scope: "row" }) : element("td", { class: "cell-number" }),
    )
    body.append(element("tr", {}, ...cells))
  }
  for (const [index, row] of rows.entries()) {
    for (const [place, text] of row.entries()) {
      const cell = body.children[index].children[place]
      if (cell !== undefined) setText(cell, text)
    }
  }
}
