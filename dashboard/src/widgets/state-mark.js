/** A host's state as a glyph and a word: never by colour alone. */

import { element, setAttribute, setText } from "./dom.js"
import { age, clockTime } from "../data/numbers.js"

export class StateMark {
  #word = element("span", { class: "state-word" })
  element = element("span", { class: "state" }, element("span", { class: "glyph", "aria-hidden": "true" }), this.#word)

  /** @param {string} state @param {string} [words] instead of the state's name */
  set(state, words = state) {
    setAttribute(this.element, "data-state", state)
    setText(this.#word, words)
  }
}

/**
 * What a host's state means right now: "lost since 14:02:11", "late, last sample 4 s ago".
 * @param {import("../data/fleet.js").Host} host
 * @param {number} now or the moment at which time stands still: states are told even then
 */
export function stateInWords(host, now) {
  switch (host.state) {
    case "late":
      if (host.sinceMilliseconds > now) return `late since ${clockTime(host.sinceMilliseconds)}`
      return Number.isNaN(host.lastHeard) ? "late" : `late, last sample ${age(host.lastHeard, now)}`
    case "lost": return `lost since ${clockTime(host.sinceMilliseconds)}`
    case "stopped": return `stopped at ${clockTime(host.sinceMilliseconds)}`
    case "waiting": return "waiting for the first sample"
    default: return "live"
  }
}
