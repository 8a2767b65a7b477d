/** Stopping time: by key or button, and from a link that shows a moment of the past. No DOM. */

import { clockTime, date, isNumber, roughly } from "../data/numbers.js"
import { changeQuery } from "./router.js"

export class TimePause {
  #time
  #fleet
  #tell
  #kept = 900
  #isLink = false
  /**
   * @type {number | undefined} seconds since the epoch by the bridge's clock, of a link opened before that
   *   clock was known
   */
  #asked

  /**
   * @param {import("../charts/time-view.js").TimeView} time @param {import("../data/fleet.js").Fleet} fleet
   * @param {(words: string) => void} tell that a moment cannot be shown
   */
  constructor(time, fleet, tell) {
    this.#time = time
    this.#fleet = fleet
    this.#tell = tell
  }

  /**
   * A page opens, perhaps at a moment.
   * @param {import("./router.js").Route} route
   * @param {number | undefined} asked
   */
  open({ page }, asked) {
    // The fleet page has no past to show to whom is sent a link.
    this.#isLink = page !== "fleet"
    this.#asked = this.#fleet.bridgeClock.known ? undefined : asked
    if (asked === undefined || !this.#isLink) this.#time.pause(undefined)
    else this.#show(asked)
  }

  /** The bridge told its clock and how much of the past it keeps. @param {unknown} seconds */
  learn(seconds) {
    if (isNumber(seconds) && seconds > 0) this.#kept = seconds
    if (this.#asked !== undefined && this.#time.pausedAt !== undefined) this.#show(this.#asked)
    this.#asked = undefined
  }

  /** Stop, or go on. */
  toggle() {
    const { pausedAt } = this.#time
    const at = pausedAt === undefined ? Date.now() : undefined
    this.#time.pause(at)
    if (this.#isLink) changeQuery({ pause: at === undefined ? "" : ((at - this.#offset) / 1000).toFixed(3) })
  }

  get #offset() {
    return this.#fleet.bridgeClock.milliseconds ?? 0
  }

  /** @param {number} asked */
  #show(asked) {
    const at = asked * 1000 + this.#offset
    const ago = (Date.now() - at) / 1000
    if (this.#fleet.bridgeClock.known && (ago > this.#kept || ago < -1)) {
      const words = ago < 0 ? "is still to come" : `is over: only the last ${roughly(this.#kept)} are kept`
      this.#tell(`What this link shows, ${date(at)} ${clockTime(at)}, ${words}. This is now.`)
      changeQuery({ pause: "" })
      this.#time.pause(undefined)
    } else {
      this.#time.pause(at)
    }
  }
}
