/**
 * Values made up from a seed, so that each run of a property is the same, and a failing one can be run again.
 */

/** What JSON, an address or a kept choice can put where a number belongs. */
export const ABSURD = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e308,
  -1e308,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  5e-324,
  -5e-324,
  0,
  -0,
  1,
  -1,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 64,
  1e24,
  1.001e24,
  -(2 ** 64),
  1e21,
  1e38,
  1e39,
  8.64e15,
  8.65e15,
  1e11,
  1e12,
]
const LARGEST_SEED = 2_147_483_647
const RUNS = 300

export class Chance {
  #state

  constructor(seed) {
    this.#state = 1 + (seed % (LARGEST_SEED - 1))
  }

  /** From 0 to below 1 (Lehmer's generator, "minimal standard": Park and Miller, CACM 31/10, 1988). */
  share() {
    this.#state = (this.#state * 48_271) % LARGEST_SEED
    return this.#state / LARGEST_SEED
  }

  /** A whole number from 0 to below the end. */
  below(end) {
    return Math.floor(this.share() * end)
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** Mostly an absurd number, sometimes a usual one, sometimes one of any size. */
  number() {
    const kind = this.below(4)
    if (kind === 0) return Math.round(this.share() * 1e4) / 100
    if (kind === 1) return (this.share() - 0.5) * 10 ** (this.below(620) - 310)
    return this.pick(ABSURD)
  }

  /** As `number`, and now and then something that is no number at all. */
  value() {
    return this.below(8) === 0
      ? this.pick([null, undefined, "7", "", true, [], {}, [1], Symbol.iterator.description])
      : this.number()
  }

  /** An object with each of the names, or without it. */
  object(names) {
    return Object.fromEntries(names.filter(() => this.below(5) > 0).map((name) => [name, this.value()]))
  }

  list(length, make) {
    return Array.from({ length: this.below(length + 1) }, make)
  }
}

/** Have a property hold for many seeds; what fails names its seed. */
export function forAll(property, runs = RUNS) {
  for (let seed = 1; seed <= runs; seed += 1) {
    try {
      property(new Chance(seed * 7919))
    } catch (error) {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error })
    }
  }
}
