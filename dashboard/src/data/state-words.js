/** What the state of a host means, in words. No DOM. */

import { age, clockTime, roughly } from "./numbers.js"

/**
 * What a host's state means right now: "lost since 14:02:11", "suspended for 8 h".
 * @param {import("./fleet.js").Host} host
 * @param {number} now or the moment at which time stands still: states are told even then
 */
export function stateInWords(host, now) {
  switch (host.state) {
    case "late":
      if (host.sinceMilliseconds > now) return `late since ${clockTime(host.sinceMilliseconds)}`
      return Number.isNaN(host.lastHeard) ? "late" : `late, last sample ${age(host.lastHeard, now)}`
    case "lost":
      return `lost since ${clockTime(host.sinceMilliseconds)}`
    case "suspended":
      return `suspended for ${roughly(Math.max(0, now - host.sinceMilliseconds) / 1000)}`
    case "stopped":
      return `stopped at ${clockTime(host.sinceMilliseconds)}`
    case "waiting":
      return host.isUnheard ? "has not reported yet" : "waiting for the first sample"
    default:
      return "live"
  }
}
