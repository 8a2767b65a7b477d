/** The page's address: every state of the page is a link. */

import { isHostId } from "./messages.js"

/**
 * `#/` the fleet, `#/host/<id>` a host, `#/host/<id>/<panel>` one panel of it, `#/compare` several hosts;
 * each with `?key=value`.
 * @typedef {{page: "fleet" | "host" | "compare", host: string, panel: string, query: URLSearchParams}} Route
 */

export const FLEET_ADDRESS = "#/"

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path, search = ""] = hash.replace(/^#/, "").split("?", 2)
  const query = new URLSearchParams(search)
  if (path === "/compare") return { page: "compare", host: "", panel: "", query }
  const [, host = "", panel = ""] = path.match(/^\/host\/([^/]+)(?:\/([a-z0-9_-]+))?$/) ?? []
  return isHostId(host) ? { page: "host", host, panel, query } : { page: "fleet", host: "", panel: "", query }
}

/** @param {string} id @param {string} [panel] */
export function hostAddress(id, panel = "") {
  return `#/host/${id}${panel === "" ? "" : `/${panel}`}`
}

/** @param {string[]} hosts @param {string[]} [metrics] */
export function compareAddress(hosts, metrics = []) {
  const query = new URLSearchParams({ hosts: hosts.join(",") })
  if (metrics.length > 0) query.set("metric", metrics.join(","))
  return `#/compare?${readable(query)}`
}

/** Change some of the query without a new entry in the history and without a new page. @param {Record<string, string>} values empty ones are left out */
export function changeQuery(values) {
  const [path, search = ""] = location.hash.replace(/^#/, "").split("?", 2)
  const query = new URLSearchParams(search)
  for (const [key, value] of Object.entries(values)) {
    if (value === "") query.delete(key)
    else query.set(key, value)
  }
  history.replaceState(null, "", `#${path || "/"}${query.size > 0 ? `?${readable(query)}` : ""}`)
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

/** Commas stay as they are: a link is read and written by people, too. @param {URLSearchParams} query */
function readable(query) {
  return query.toString().replaceAll("%2C", ",")
}
