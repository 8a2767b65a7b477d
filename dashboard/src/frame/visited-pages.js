/**
 * Where the viewer was: how far each page was scrolled, how that of the fleet was left, and from which panel
 * one comes. No DOM.
 */

import { FLEET_ADDRESS, parseRoute } from "./router.js"

export class VisitedPages {
  /** @type {Map<string, number>} pixels by address */
  #tops = new Map()
  #left = parseRoute("")
  /** The fleet page as it was left, with its filter. */
  fleetAddress = FLEET_ADDRESS

  /** @param {string} address @param {number} top how far it was scrolled, in pixels */
  leave(address, top) {
    this.#tops.set(address || FLEET_ADDRESS, top)
    this.#left = parseRoute(address)
    const { page, query } = this.#left
    // Who ends a kiosk on another page does not want it back.
    if (page === "fleet" && query.get("kiosk") !== "1") this.fleetAddress = address || FLEET_ADDRESS
  }

  /** How far a page was scrolled when it was left. @param {string} address */
  topOf(address) {
    return this.#tops.get(address || FLEET_ADDRESS) ?? 0
  }

  /** The panel that filled the page that was left last, if it was one of this host. @param {string} host */
  panelLeft(host) {
    return this.#left.host === host ? this.#left.panel : ""
  }
}
