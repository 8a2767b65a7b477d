/** What the palette finds on any page. */

import { hostAddress } from "./router.js"

export const PALETTE_KEY = "Ctrl+k"
const HOSTS_FIRST = 8
const TROUBLED_FIRST = ["lost", "late", "live", "waiting", "suspended", "stopped"]

/**
 * Some hosts, all panels and actions, then the other hosts: in this order they are listed while nothing is
 * typed.
 * @param {{hosts: import("../data/fleet.js").Host[], actions: import("./actions.js").Actions}} from
 * @returns {import("./palette.js").Item[]}
 */
export function everythingToFind({ hosts, actions }) {
  const items = hosts
    .toSorted((a, b) => TROUBLED_FIRST.indexOf(a.state) - TROUBLED_FIRST.indexOf(b.state))
    .map((host) => hostItem(host))
  // What leads here is no news here.
  const possible = actions.all.filter(
    ({ keys, when }) => !keys?.includes(PALETTE_KEY) && (when === undefined || when()),
  )
  const panels = possible.flatMap(({ panel, keys, run }) =>
    panel === undefined ? [] : [{ words: panel, kind: "panel", keys, run }],
  )
  const others = possible.flatMap(({ words, panel, keys, run }) =>
    panel === undefined ? [{ words, kind: "action", keys, run }] : [],
  )
  return [...items.slice(0, HOSTS_FIRST), ...panels, ...others, ...items.slice(HOSTS_FIRST)]
}

/**
 * @param {import("../data/fleet.js").Host} host
 * @param {() => void} [run] by default it is opened
 * @returns {import("./palette.js").Item}
 */
export function hostItem(
  host,
  run = () => {
    location.hash = hostAddress(host.id)
  },
) {
  const about = [host.id === host.name ? "" : host.id, ...host.tags].filter(Boolean).join(" ")
  return { words: host.name, kind: "host", about, state: host.state, run }
}
