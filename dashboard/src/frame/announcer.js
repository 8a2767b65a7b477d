/**
 * The messages for screen readers: changes only, and at most one message in 5 s. No DOM.
 */

const QUIET_MILLISECONDS = 5000
const NAMED_UP_TO = 3
const WORDS = new Map([
  ["late", "late"],
  ["lost", "lost"],
  ["suspended", "suspended"],
  ["stopped", "stopped"],
  ["live", "back"],
])

export class Announcer {
  #said = Number.NEGATIVE_INFINITY
  /** What is wrong with the way from the hosts to here, as said last and as it is now. */
  #trouble = { said: "", now: "" }
  /** @type {Map<string, {name: string, from: string, to: string}>} by host id */
  #changes = new Map()

  /** @param {string} words what is wrong with the connection, empty when all is well */
  connection(words) {
    this.#trouble.now = words
  }

  /**
   * A host changed its state.
   * @param {{id: string, name: string}} host
   * @param {string} from
   * @param {string} to
   */
  host({ id, name }, from, to) {
    const first = this.#changes.get(id)?.from ?? from
    // What came and went before it was told is no news.
    if (first === to) this.#changes.delete(id)
    else this.#changes.set(id, { name, from: first, to })
  }

  /** The next message, or undefined while there is nothing new or it is too early. @param {number} now */
  next(now) {
    if (now - this.#said < QUIET_MILLISECONDS) return undefined
    const parts = []
    if (this.#trouble.now !== this.#trouble.said) parts.push(this.#trouble.now || "Connection is back.")
    for (const [state, word] of WORDS) {
      const names = [...this.#changes.values()]
        .filter(({ from, to }) => to === state && from !== "waiting")
        .map(({ name }) => name)
      if (names.length > 0)
        parts.push(`${names.length > NAMED_UP_TO ? `${names.length} hosts` : names.join(", ")} ${word}.`)
    }
    this.#trouble.said = this.#trouble.now
    this.#changes.clear()
    if (parts.length === 0) return undefined
    this.#said = now
    return parts.join(" ")
  }
}
