/**
 * Keeps duplicates and latecomers out of a stream of samples, and follows an agent that started again.
 * No DOM.
 */

const RESTART_INTERVALS = 2.5

export class TickOrder {
  #tick = -1
  #time = Number.NEGATIVE_INFINITY
  /** @type {string | undefined} */
  #session

  /**
   * Whether a sample is newer than all before it.
   * @param {import("./contract.js").Sample} sample
   * @param {number} intervalSeconds
   */
  accept(sample, intervalSeconds) {
    const otherSession =
      sample.session !== undefined && this.#session !== undefined && sample.session !== this.#session
    // A group carries no session: a lower tick clearly later is an agent that started again.
    const startedAgain = sample.time > this.#time + RESTART_INTERVALS * intervalSeconds
    if (!(sample.tick > this.#tick || otherSession || startedAgain)) return false
    this.#tick = sample.tick
    this.#time = sample.time
    this.#session = sample.session ?? this.#session
    return true
  }

  /**
   * The same of the newest sample of a past. A past may come in parts, the newest first, and an older part is
   * never
   * newer, whatever its ticks and session.
   * @param {import("./contract.js").Sample} sample
   * @param {number} intervalSeconds
   */
  acceptPast(sample, intervalSeconds) {
    return sample.time > this.#time && this.accept(sample, intervalSeconds)
  }
}
