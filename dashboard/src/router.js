/** The page's address: `#/` the fleet, `#/host/<id>` one host, either with `?key=value`. */

import { isHostId } from "./messages.js"

/** @typedef {{page: "fleet" | "host", host?: string, query: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path, search = ""] = hash.replace(/^#/, "").split("?", 2)
  const query = new URLSearchParams(search)
  const host = path.match(/^\/host\/([^/]+)$/)?.[1]
  return isHostId(host) ? { page: "host", host, query } : { page: "fleet", query }
}

/** @param {string} id */
export function hostAddress(id) {
  return `#/host/${id}`
}

export const FLEET_ADDRESS = "#/"

/** Change the query without a new entry in the history and without a new page. @param {Record<string, string>} values empty ones are left out */
export function replaceQuery(values) {
  const path = location.hash.replace(/^#/, "").split("?", 1)[0] || "/"
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ""))
  history.replaceState(null, "", `#${path}${query.size > 0 ? `?${query}` : ""}`)
}

/**
 * The viewer token of a link `#token=…`: used once, kept for this tab only, out of the address at once.
 * @returns {string | undefined}
 */
export function takeToken() {
  const given = location.hash.match(/^#token=(.+)$/)?.[1]
  if (given !== undefined) {
    sessionStorage.setItem("fleetglass.token", decodeURIComponent(given))
    history.replaceState(null, "", FLEET_ADDRESS)
  }
  return sessionStorage.getItem("fleetglass.token") ?? undefined
}
