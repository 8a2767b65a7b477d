/** The hosts as cards. */

import { BUSY_METER_LIMIT } from "../data/limits.js"
import { celsius, networkRate } from "../data/numbers.js"
import { element, setAttribute } from "../widgets/dom.js"
import { conditionCell, coresCell, identityCell, meterCell, sparklineCell, textCell } from "./fleet-cells.js"
import { HostList } from "./fleet-list.js"

const SKELETON_CARDS = 8
/** @type {[string, string, import("../data/limits.js").Limit?][]} */
const METERS = [
  ["CPU", "cpu_percent", BUSY_METER_LIMIT],
  ["memory", "memory_percent"],
  ["disk", "filesystem_percent"],
]

export class FleetGrid {
  element = element("ul", { class: "fleet-grid", role: "list", "aria-label": "Hosts" })
  list

  /** @param {import("../charts/scheduler.js").Scheduler} scheduler */
  constructor(scheduler) {
    this.list = new HostList({
      body: this.element,
      above: spacer(),
      below: spacer(),
      make: () => new Card(scheduler),
      geometry: () => this.#geometry(),
    })
    this.element.prepend(
      ...Array.from({ length: SKELETON_CARDS }, () =>
        element("li", { class: "card skeleton", "aria-hidden": "true" }, element("span", { class: "bone" })),
      ),
    )
  }

  /** The hosts are known: what held their place goes. */
  begin() {
    for (const card of this.element.querySelectorAll(".skeleton")) card.remove()
  }

  /** @returns {import("./fleet-list.js").Geometry} */
  #geometry() {
    const style = getComputedStyle(this.element)
    const perLine = style.gridTemplateColumns.split(" ").length
    const covered = document.getElementById("header")?.getBoundingClientRect().bottom ?? 0
    const gap = Number.parseFloat(style.rowGap)
    return { perLine, lineHeight: Number.parseFloat(style.getPropertyValue("--card")) + gap, gap, covered }
  }
}

class Card {
  #cells
  link
  element

  /** @param {import("../charts/scheduler.js").Scheduler} scheduler */
  constructor(scheduler) {
    const identity = identityCell()
    const condition = conditionCell()
    const meters = METERS.map(([words, field, limit]) => ({ words, cell: meterCell(field, limit) }))
    const sparkline = sparklineCell(scheduler)
    const cores = coresCell(scheduler)
    const received = textCell(({ pulse }) => networkRate(pulse.network_receive_bytes_per_second))
    const sent = textCell(({ pulse }) => networkRate(pulse.network_transmit_bytes_per_second))
    const hottest = textCell(({ pulse }) => celsius(pulse.temperature_celsius))
    this.#cells = [
      identity,
      condition,
      ...meters.map(({ cell }) => cell),
      sparkline,
      cores,
      received,
      sent,
      hottest,
    ]
    this.link = identity.link
    this.element = element(
      "li",
      { class: "card" },
      identity.element,
      condition.element,
      element(
        "dl",
        { class: "card-meters" },
        ...meters.map(({ words, cell }) =>
          element("div", {}, element("dt", {}, words), element("dd", {}, cell.element)),
        ),
      ),
      element("div", { class: "card-strips" }, sparkline.element, cores.element),
      element(
        "dl",
        { class: "card-line" },
        named("received", "↓", received.element),
        named("sent", "↑", sent.element),
        named("hottest sensor", "", hottest.element),
      ),
    )
  }

  /** Undo the constructor. */
  close() {
    for (const cell of this.#cells) cell.close?.()
  }

  /** @param {import("../data/fleet.js").Host} host @param {import("./fleet-cells.js").Moment} moment */
  write(host, moment) {
    setAttribute(this.element, "data-state", host.state)
    setAttribute(this.element, "data-unheard", host.isUnheard ? "" : null)
    setAttribute(this.element, "data-picked", moment.picked.has(host.id) ? "" : null)
    for (const cell of this.#cells) cell.write(host, moment)
  }
}

/** @param {string} name for those who cannot see @param {string} sign @param {Node} value */
function named(name, sign, value) {
  return element(
    "div",
    {},
    element(
      "dt",
      {},
      element("span", { class: "unseen" }, name),
      element("span", { "aria-hidden": "true" }, sign),
    ),
    element("dd", {}, value),
  )
}

function spacer() {
  return element("li", { class: "spacer", "aria-hidden": "true", hidden: true })
}
