/** What the viewer chose for this browser: density, and the units in which numbers read. */

import { readIn } from "../data/numbers.js"

const KEY = "fleetglass.preferences"

/** Each choice with its values, the first of which holds until another is chosen. */
export const CHOICES = /** @type {const} */ ({
  density: ["comfortable", "compact"],
  network: ["bytes", "bits"],
  temperature: ["celsius", "fahrenheit"],
})

/** @typedef {keyof typeof CHOICES} Name */

export class Preferences {
  /** @type {Map<Name, string>} */
  #chosen = new Map()
  /** @type {Set<() => void>} */
  #listeners = new Set()

  constructor() {
    const kept = keptChoices()
    for (const [name, values] of entriesOf(CHOICES)) {
      this.#chosen.set(name, values.find((value) => value === kept.get(name)) ?? values[0])
    }
    this.#apply()
  }

  /** @param {Name} name */
  get(name) {
    return String(this.#chosen.get(name))
  }

  /** @param {Name} name @param {string} value one of its `CHOICES` */
  choose(name, value) {
    if (!CHOICES[name].some((one) => one === value) || value === this.get(name)) return
    this.#chosen.set(name, value)
    localStorage.setItem(KEY, JSON.stringify([...this.#chosen]))
    this.#apply()
    for (const listener of this.#listeners) listener()
  }

  /** The other one of two values. @param {Name} name */
  toggle(name) {
    this.choose(name, CHOICES[name].find((value) => value !== this.get(name)) ?? "")
  }

  /** @param {() => void} listener called at each change @returns {() => void} ends it */
  follow(listener) {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #apply() {
    document.documentElement.dataset.density = this.get("density")
    readIn({
      network: this.get("network") === "bits" ? "bits" : "bytes",
      temperature: this.get("temperature") === "fahrenheit" ? "fahrenheit" : "celsius",
    })
  }
}

/** @returns {Map<unknown, unknown>} */
function keptChoices() {
  try {
    return new Map(JSON.parse(localStorage.getItem(KEY) ?? "[]"))
  } catch {
    return new Map()
  }
}

/** @param {typeof CHOICES} choices @returns {[Name, readonly string[]][]} */
function entriesOf(choices) {
  return /** @type {[Name, readonly string[]][]} */ (Object.entries(choices))
}
