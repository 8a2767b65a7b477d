/** What the bridge is asked for; asked again only when it changed. No DOM. */

export const MAX_HOSTS = 64
const FLEET_HISTORY_SECONDS = 60
const MAX_HISTORY_SECONDS = 900
// Charts draw a little in the past, so their left edge is older than the window is long.
const DRAWN_LATER_SECONDS = 5

export class Selection {
  #socket
  #last = ""

  /** @param {import("./socket.js").BridgeSocket} socket */
  constructor(socket) { this.#socket = socket }

  /** The pulses of all hosts, and the last minute of the rows in sight. @param {string[]} visible */
  fleet(visible) {
    const ids = visible.slice(0, MAX_HOSTS).toSorted()
    this.#ask({ fleet: true, hosts: Object.fromEntries(ids.map((id) => [id, []])), history: FLEET_HISTORY_SECONDS })
  }

  /** Everything of one host, with its past. @param {string} id @param {number} seconds */
  host(id, seconds) {
    this.#ask({ fleet: false, hosts: Object.fromEntries([[id, "*"]]), history: Math.min(MAX_HISTORY_SECONDS, seconds + DRAWN_LATER_SECONDS) })
  }

  /** The same host with a longer past: the bridge sends the past only of a host that is added. @param {string} id @param {number} seconds */
  hostAnew(id, seconds) {
    this.#ask({ fleet: false, hosts: {}, history: 0 })
    this.host(id, seconds)
  }

  #ask(selection) {
    const text = JSON.stringify(selection)
    if (text === this.#last) return
    this.#last = text
    this.#socket.watch(selection)
  }
}
