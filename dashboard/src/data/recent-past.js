/** Of which hosts the fleet page asks the last minute: those in sight whose past is not known yet. No DOM. */

import { MAX_HOSTS } from "./selection.js"

export const ASK_MILLISECONDS = 250

export class RecentPast {
  #ask
  /** @type {Set<string>} */
  #asked = new Set()
  #askedAt = Number.NEGATIVE_INFINITY

  /** @param {(ids: string[]) => void} ask gets all whose past is wanted */
  constructor(ask) {
    this.#ask = ask
  }

  /** Nothing was asked for any more. */
  forget() {
    this.#asked = new Set()
  }

  /**
   * Ask for what is missing, at most four times per second: a bridge takes ten messages.
   * @param {string[]} visible ids
   * @param {(id: string) => boolean} isFilled whether the past of a host is here
   * @param {number} now
   * @returns {boolean} whether something is still to be asked for
   */
  want(visible, isFilled, now) {
    const missing = visible.filter((id) => !isFilled(id))
    // What stays in sight stays asked for: the bridge then sends what comes late, too.
    const wanted = [...missing, ...visible.filter((id) => this.#asked.has(id) && isFilled(id))].slice(
      0,
      MAX_HOSTS,
    )
    if (wanted.every((id) => this.#asked.has(id))) return false
    if (now - this.#askedAt < ASK_MILLISECONDS) return true
    this.#askedAt = now
    this.#asked = new Set(wanted)
    this.#ask(wanted)
    return false
  }
}
