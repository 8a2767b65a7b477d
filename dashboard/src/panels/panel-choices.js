/**
 * What the viewer chose on the page of one host, kept in this browser: folded panels, shown devices, orders.
 * No DOM.
 */

const KEY = "fleetglass.host."
const SEPARATOR = "\u001f"
const MAX_CHOICES = 200

/** @typedef {boolean | string} PanelChoice */

export class PanelChoices {
  #key
  /** @type {Map<string, PanelChoice>} */
  #made = new Map()

  /** @param {string} host */
  constructor(host) {
    this.#key = KEY + host
    for (const [name, choice] of read(this.#key)) this.#made.set(name, choice)
  }

  /** @param {string} panel @param {string} name @returns {PanelChoice | undefined} undefined: never chosen */
  get(panel, name) {
    return this.#made.get(panel + SEPARATOR + name)
  }

  /** @param {string} panel @param {string} name @param {PanelChoice} choice */
  set(panel, name, choice) {
    this.#made.delete(panel + SEPARATOR + name)
    this.#made.set(panel + SEPARATOR + name, choice)
    // The oldest go first: devices that came and went leave theirs behind.
    for (const oldest of this.#made.keys()) {
      if (this.#made.size <= MAX_CHOICES) break
      this.#made.delete(oldest)
    }
    try {
      localStorage.setItem(this.#key, JSON.stringify([...this.#made]))
    } catch {
      // A browser that keeps nothing: the choice holds until the page is left.
    }
  }
}

/** @param {string} key @returns {[string, PanelChoice][]} */
function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "[]")
    if (!Array.isArray(kept)) return []
    return kept.filter(
      (one) =>
        Array.isArray(one) &&
        typeof one[0] === "string" &&
        (typeof one[1] === "boolean" || typeof one[1] === "string"),
    )
  } catch {
    return []
  }
}
