/** The top of a value axis: a round number above the data, quick to grow and slow to shrink. No DOM. */

import { MAX_MAGNITUDE } from "../data/contract.js"
import { isNumber } from "../data/numbers.js"

const HEADROOM = 1.1
// No axis ends lower, or beyond the largest number with its headroom.
const LOWEST_END = 1e-12
const HIGHEST_END = 2 * MAX_MAGNITUDE
const SHRINK_AFTER_MILLISECONDS = 10_000
const STEPS = [1, 2, 5, 10]

/**
 * The next of 1, 2, 5 × 10ⁿ, or of 1, 2, 5, …, 500 × 1024ⁿ for sizes.
 * @param {number} value NaN and what is not above 0 give the lowest end, Infinity the highest
 * @param {boolean} binary whether it is a size
 */
export function roundUp(value, binary) {
  const reached = value > LOWEST_END ? Math.min(value, HIGHEST_END) : LOWEST_END
  let base = 1
  if (binary) while (reached >= base * 1000) base *= 1024
  const decade = 10 ** Math.floor(Math.log10(reached / base))
  const step = STEPS.find((one) => one * decade * base >= reached) ?? 10
  const rounded = step * decade
  return binary && rounded >= 1000 ? base * 1024 : rounded * base
}

export class Scale {
  #fixed
  #least
  #binary
  #wanted = new Map()
  #lowerSince = 0
  /** @type {number} */
  max

  /**
   * @param {{max?: number, least?: number, binary?: boolean}} options a fixed top, or the least of a moving
   *   one
   */
  constructor({ max, least = 1, binary = false } = {}) {
    this.#fixed = max
    this.#least = least
    this.#binary = binary
    this.max = max ?? roundUp(least, binary)
  }

  /**
   * Say how high one of the charts on this axis reaches now.
   * @param {unknown} who
   * @param {number} highest 0 where that is unknown
   * @param {number} now
   */
  report(who, highest, now) {
    if (this.#fixed !== undefined) return
    this.#wanted.set(who, isNumber(highest) ? highest : 0)
    const needed = roundUp(Math.max(this.#least, ...this.#wanted.values()) * HEADROOM, this.#binary)
    if (needed >= this.max) {
      this.#lowerSince = now
      this.max = needed
    } else if (now - this.#lowerSince > SHRINK_AFTER_MILLISECONDS) {
      this.#lowerSince = now
      this.max = needed
    }
  }

  /** Fix the top, once it is known. @param {number} max no axis ends at 0 or below: then it stays as it is */
  fix(max) {
    if (!isNumber(max) || max < LOWEST_END) return
    this.#fixed = max
    this.max = max
  }

  /** Forget what was drawn. */
  reset() {
    this.#wanted.clear()
    if (this.#fixed === undefined) this.max = roundUp(this.#least, this.#binary)
  }
}
