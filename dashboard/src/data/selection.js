/** What the bridge is asked for; asked again only when it changed. No DOM. */

export const MAX_HOSTS = 64
const FLEET_HISTORY_SECONDS = 60
const MAX_HISTORY_SECONDS = 900
const NOTHING = { fleet: false, hosts: {}, history: 0 }
// Charts draw a little in the past, so their left edge is older than the window is long.
const DRAWN_LATER_SECONDS = 5

export class Selection {
  #socket
  #time
  #last = JSON.stringify(NOTHING)

  /** @param {import("./socket.js").BridgeSocket} socket @param {{pausedAt: number | undefined}} [time] */
  constructor(socket, time = { pausedAt: undefined }) {
    this.#socket = socket
    this.#time = time
  }

  /**
   * Ask for nothing: a page that opens gets the past of whatever it asks for, though the one before had it.
   */
  release() {
    this.#ask(NOTHING)
  }

  /**
   * The pulses of all hosts, and the past of some with these groups of their detail.
   * @param {Map<string, string[]>} groups by host
   * @param {number} seconds
   */
  compare(groups, seconds) {
    this.#ask({
      fleet: true,
      hosts: Object.fromEntries([...groups].slice(0, MAX_HOSTS)),
      history: this.#past(seconds),
    })
  }

  /** The pulses of all hosts, and the last minute of the rows in sight. @param {string[]} visible */
  fleet(visible) {
    const ids = visible.slice(0, MAX_HOSTS).toSorted()
    this.#ask({
      fleet: true,
      hosts: Object.fromEntries(ids.map((id) => [id, []])),
      history: FLEET_HISTORY_SECONDS,
    })
  }

  /**
   * Groups of one host, or all, with their past.
   * @param {string} id
   * @param {number} seconds
   * @param {string[] | "*"} [groups]
   */
  host(id, seconds, groups = "*") {
    this.#ask({ fleet: false, hosts: Object.fromEntries([[id, groups]]), history: this.#past(seconds) })
  }

  /**
   * The same host with a longer past: the bridge sends the past only of a host that is added.
   * @param {string} id
   * @param {number} seconds
   * @param {string[] | "*"} [groups]
   */
  hostAnew(id, seconds, groups = "*") {
    this.release()
    this.host(id, seconds, groups)
  }

  /** How much to ask for; all there is while the page shows a moment in it. @param {number} seconds */
  #past(seconds) {
    return this.#time.pausedAt === undefined
      ? Math.min(MAX_HISTORY_SECONDS, seconds + DRAWN_LATER_SECONDS)
      : MAX_HISTORY_SECONDS
  }

  /** @param {{fleet: boolean, hosts: Record<string, string[] | "*">, history: number}} selection */
  #ask(selection) {
    const text = JSON.stringify(selection)
    if (text === this.#last) return
    this.#last = text
    this.#socket.watch(selection)
  }
}
