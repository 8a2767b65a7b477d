/** The top of a value axis: a round number above the data, quick to grow and slow to shrink. No DOM. */

const HEADROOM = 1.1
const SHRINK_AFTER_MILLISECONDS = 10_000
const STEPS = [1, 2, 5, 10]

/** The next of 1, 2, 5 × 10ⁿ, or of 1, 2, 5, …, 500 × 1024ⁿ for sizes. @param {number} value @param {boolean} binary */
export function roundUp(value, binary) {
  let base = 1
  if (binary) while (value >= base * 1000) base *= 1024
  const decade = 10 ** Math.floor(Math.log10(value / base))
  const step = STEPS.find((one) => one * decade * base >= value) ?? 10
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

  /** @param {{max?: number, least?: number, binary?: boolean}} options a fixed top, or the least of a moving one */
  constructor({ max, least = 1, binary = false } = {}) {
    this.#fixed = max
    this.#least = least
    this.#binary = binary
    this.max = max ?? roundUp(least, binary)
  }

  /** Say how high one of the charts on this axis reaches now. @param {unknown} who @param {number} highest @param {number} now */
  report(who, highest, now) {
    if (this.#fixed !== undefined) return
    this.#wanted.set(who, highest)
    const needed = roundUp(Math.max(this.#least, ...this.#wanted.values()) * HEADROOM, this.#binary)
    if (needed >= this.max) {
      this.#lowerSince = now
      this.max = needed
    } else if (now - this.#lowerSince > SHRINK_AFTER_MILLISECONDS) {
      this.#lowerSince = now
      this.max = needed
    }
  }

  /** Fix the top, once it is known. @param {number} max */
  fix(max) {
    this.#fixed = max
    this.max = max
  }

  /** Forget what was drawn. */
  reset() {
    this.#wanted.clear()
    if (this.#fixed === undefined) this.max = roundUp(this.#least, this.#binary)
  }
}
