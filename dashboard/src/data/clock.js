/** How far another machine's clock is from this browser's, learnt from the messages that arrive. No DOM. */

const BUCKET_MILLISECONDS = 30_000
// More than a message is ever overtaken by another.
const SET_BACK_SECONDS = 5

/**
 * Every message shows an upper bound of the difference: its delay is in it. The smallest seen in the last
 * minute is the best guess; older bounds are forgotten, so a way that became slower is learnt. A clock that
 * is set
 * is followed at once: set forward it gives a smaller bound, and set back its time runs backwards.
 */
export class ClockOffset {
  #current = Number.POSITIVE_INFINITY
  #previous = Number.POSITIVE_INFINITY
  #rotateAt = 0
  #newest = Number.NEGATIVE_INFINITY

  get known() {
    return this.milliseconds !== undefined
  }

  /** What to add to the other clock to get this one, or undefined. */
  get milliseconds() {
    const smallest = Math.min(this.#current, this.#previous)
    return Number.isFinite(smallest) ? smallest : undefined
  }

  /** @param {number} time seconds by the other clock @param {number} received milliseconds by this one */
  observe(time, received) {
    const bound = received - time * 1000
    if (!Number.isFinite(bound)) return
    if (time < this.#newest - SET_BACK_SECONDS) {
      this.#previous = this.#current = Number.POSITIVE_INFINITY
      this.#newest = time
    }
    this.#newest = Math.max(this.#newest, time)
    if (received >= this.#rotateAt) {
      this.#previous = this.#current
      this.#current = Number.POSITIVE_INFINITY
      this.#rotateAt = received + BUCKET_MILLISECONDS
    }
    this.#current = Math.min(this.#current, bound)
  }
}
