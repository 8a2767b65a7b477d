/** The chip that says how the page is connected, and behind it everything that is known about the way. */

import { bytes, clockTime, count } from "../data/numbers.js"
import { silentSeconds } from "../data/socket.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { Menu } from "../widgets/menu.js"

const RATE_OVER_MILLISECONDS = 5000

/**
 * @typedef {{viewers: number, protocol: number, pageVersion: string}} Welcome as the bridge said when the
 *   page connected
 */

export class LinkMenu {
  /** @type {Map<string, {row: HTMLElement, value: HTMLElement}>} */
  #rows = new Map()
  #list = element("dl", { class: "facts" })
  #welcome
  /** @type {{at: number, frames: number, characters: number}[]} */
  #received = []
  button
  box

  /** @param {() => Welcome} welcome */
  constructor(welcome) {
    this.#welcome = welcome
    const menu = new Menu(
      "connecting",
      { class: "link-chip", title: "the connection in detail" },
      element("h2", { class: "menu-title" }, "Connection"),
      this.#list,
    )
    this.button = menu.button
    this.box = menu.box
    setAttribute(this.box, "aria-label", "Connection")
  }

  /**
   * @param {import("../data/socket.js").Link} link
   * @param {import("../data/fleet.js").Fleet} fleet
   * @param {number} now
   */
  update(link, fleet, now) {
    const open = link.phase === "open"
    const silent = silentSeconds(link, now) > 0
    const state = !open || silent ? "lost" : fleet.broker.state === "connected" ? "live" : "late"
    const latency = link.latency === undefined ? "" : ` · ${Math.max(0, Math.round(link.latency))} ms`
    setAttribute(this.button, "data-state", state)
    setText(
      this.button,
      !open ? "not connected" : silent ? "silent" : state === "live" ? `live${latency}` : "no broker",
    )
    this.#received = [
      ...this.#received.filter(({ at }) => now - at <= RATE_OVER_MILLISECONDS),
      { at: now, frames: link.frames, characters: link.characters },
    ]
    for (const [name, value] of this.#lines(link, fleet)) this.#write(name, value)
  }

  /**
   * @param {import("../data/socket.js").Link} link
   * @param {import("../data/fleet.js").Fleet} fleet
   * @returns {[string, string][]}
   */
  #lines(link, fleet) {
    const { viewers, protocol, pageVersion } = this.#welcome()
    const { state, since } = fleet.broker
    const greeted = pageVersion !== ""
    return [
      ["round trip", link.latency === undefined ? "" : `${Math.max(0, Math.round(link.latency))} ms`],
      ["connected", link.phase === "open" ? `since ${clockTime(link.openedAt)}` : "no"],
      ["broker", greeted ? `${state} since ${clockTime(fleet.fromBridge(since))}` : ""],
      [
        "bridge's clock",
        fleet.bridgeClock.milliseconds === undefined ? "" : clockWords(fleet.bridgeClock.milliseconds),
      ],
      ["received", this.#rates()],
      ["viewers when connected", greeted ? count(viewers) : ""],
      ["bridge", fleet.bridgeVersion],
      ["page", pageVersion],
      ["protocol", greeted ? String(protocol) : ""],
    ]
  }

  /** @param {string} name @param {string} text empty where it is not known */
  #write(name, text) {
    let line = this.#rows.get(name)
    if (line === undefined) {
      const value = element("dd")
      line = { row: element("div", {}, element("dt", {}, name), value), value }
      this.#rows.set(name, line)
      this.#list.append(line.row)
    }
    line.row.hidden = text === ""
    setText(line.value, text)
  }

  #rates() {
    const [oldest] = this.#received
    const newest = this.#received.at(-1)
    if (oldest === undefined || newest === undefined || newest.at - oldest.at < 1000) return ""
    const seconds = (newest.at - oldest.at) / 1000
    const frames = (newest.frames - oldest.frames) / seconds
    const characters = (newest.characters - oldest.characters) / seconds
    return `${frames.toFixed(1)} frames/s, ${bytes(characters)}/s`
  }
}

/**
 * The delay of the fastest message is in it.
 * @param {number} offset milliseconds to add to the bridge's clock
 */
function clockWords(offset) {
  const seconds = (Math.abs(offset) / 1000).toFixed(2)
  return seconds === "0.00" ? "as here" : `${seconds} s ${offset > 0 ? "behind" : "ahead"}`
}
