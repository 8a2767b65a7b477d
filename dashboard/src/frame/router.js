/** The page's address: every state of the page is a link. */

import { isHostId, isTime } from "../data/messages.js"

/**
 * `#/` the fleet, `#/host/<id>` a host, `#/host/<id>/<panel>` one panel of it, `#/compare` several hosts;
 * each with `?key=value`.
 * @typedef {{page: "fleet" | "host" | "compare", host: string, panel: string, query: URLSearchParams,
 *   isKnown: boolean}} Route isKnown: false
 *   where the address is none of these, and the fleet stands in for it
 */

export const FLEET_ADDRESS = "#/"
const TOKEN_PREFIX = "#token="
// Shorter, a page would be left before it is whole; a timer that is longer than 2³¹ ms would run at once.
const SHORTEST_CYCLE_SECONDS = 1
const MAX_CYCLE_SECONDS = 86_400
const TOKEN_KEY = "fleetglass.token"

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path, search = ""] = hash.replace(/^#/, "").split("?", 2)
  const query = new URLSearchParams(search)
  if (path === "/compare") return { page: "compare", host: "", panel: "", query, isKnown: true }
  const [, host = "", panel = ""] = path.match(/^\/host\/([^/]+)(?:\/([a-z0-9_-]+))?$/) ?? []
  if (isHostId(host)) return { page: "host", host, panel, query, isKnown: true }
  return { page: "fleet", host: "", panel: "", query, isKnown: path === "" || path === "/" }
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

/**
 * Change some of the query without a new entry in the history and without a new page.
 * @param {Record<string, string>} values empty ones are left out
 */
export function changeQuery(values) {
  const [path, search = ""] = location.hash.replace(/^#/, "").split("?", 2)
  const query = new URLSearchParams(search)
  for (const [key, value] of Object.entries(values)) {
    if (value === "") query.delete(key)
    else query.set(key, value)
  }
  const address = `#${path || "/"}${query.size > 0 ? `?${readable(query)}` : ""}`
  if (address !== location.hash) history.replaceState(history.state, "", address)
}

/**
 * @typedef {{win?: number, pause?: number, kiosk: boolean, cycleSeconds?: number}} FrameQuery win in seconds,
 *   pause in seconds since the epoch by the bridge's clock
 */

/** What the query of every page may hold. @param {URLSearchParams} query @returns {FrameQuery} */
export function frameQuery(query) {
  const pause = positive(query.get("pause"))
  const cycle = positive(query.get("cycle")) ?? 0
  return {
    win: positive(query.get("win")),
    pause: isTime(pause) ? pause : undefined,
    kiosk: query.get("kiosk") === "1",
    cycleSeconds: cycle >= SHORTEST_CYCLE_SECONDS && cycle <= MAX_CYCLE_SECONDS ? cycle : undefined,
  }
}

/**
 * The viewer token of a link `#token=…`: used once, kept for this tab only, out of the address at once.
 * @returns {string | undefined}
 */
export function takeToken() {
  if (location.hash.startsWith(TOKEN_PREFIX)) {
    keepToken(tokenIn(location.hash))
    history.replaceState(null, "", FLEET_ADDRESS)
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? undefined
}

/** @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token)
}

/** The token alone, from itself or from a whole link. @param {string} pasted */
export function tokenIn(pasted) {
  const at = pasted.indexOf(TOKEN_PREFIX)
  if (at < 0) return pasted.trim()
  const token = pasted.slice(at + TOKEN_PREFIX.length).trim()
  try {
    return decodeURIComponent(token)
  } catch {
    return token
  }
}

/** @param {string | null} text */
function positive(text) {
  const value = Number(text)
  return Number.isFinite(value) && value > 0 ? value : undefined
}

/** Commas stay as they are: a link is read and written by people, too. @param {URLSearchParams} query */
function readable(query) {
  return query.toString().replaceAll("%2C", ",")
}
