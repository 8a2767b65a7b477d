/** Where the viewer was: how far each page was scrolled, and how that of the fleet was left. No DOM. */

import { FLEET_ADDRESS, parseRoute } from "./router.js"

/** @type {Map<string, number>} pixels by address */
const tops = new Map()
let fleet = FLEET_ADDRESS

/** @param {string} address @param {number} top how far it was scrolled, in pixels */
export function leave(address, top) {
  tops.set(address || FLEET_ADDRESS, top)
  const { page, query } = parseRoute(address)
  // Who ends a kiosk on another page does not want it back.
  if (page === "fleet" && query.get("kiosk") !== "1") fleet = address || FLEET_ADDRESS
}

/** How far a page was scrolled when it was left. @param {string} address */
export function topOf(address) { return tops.get(address || FLEET_ADDRESS) ?? 0 }

/** The fleet page as it was left, with its filter. */
export function fleetAddress() { return fleet }
