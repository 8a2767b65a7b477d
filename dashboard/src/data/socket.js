/**
 * The WebSocket to the bridge: says hello, keeps the selection, notices silence, comes back by itself.
 * No DOM.
 */

import { parseMessage } from "./messages.js"

const PROTOCOL = 1
const SUBPROTOCOL = "fleetglass.v1"
const FIRST_RETRY_MILLISECONDS = 500
const MAX_WAIT_MILLISECONDS = 15_000
// Somebody waits, and one dial of each page in some 1.5 s costs a bridge that is back next to nothing.
const MAX_WAIT_SEEN_MILLISECONDS = 2_000
const SHARE_LEFT_TO_CHANCE = 0.5
const DIAL_TAKES_MILLISECONDS = 1_000
const PING_MILLISECONDS = 2_000
const MISSED_PINGS_ALLOWED = 3
// A bridge that works answers every ping.
const SILENT_MILLISECONDS = PING_MILLISECONDS * 2

/**
 * refused: the bridge wants another token, and is not asked again before there is one.
 * @typedef {{phase: "connecting" | "open" | "waiting" | "refused", attempt: number, retryAt: number,
 *   latency: number | undefined, heardAt: number, openedAt: number, frames: number, characters: number}} Link
 *   frames and characters:
 *   received so far
 */

export class BridgeSocket {
  #url
  #token
  #handlers
  #world
  /** @type {WebSocket | null} */
  #socket = null
  #greeted = false
  /** @type {object | null} */
  #selection = null
  #retryTimer = 0
  #pingTimer = 0
  #pingId = 0
  #pingSentAt = 0
  #unanswered = 0
  #refused = false
  /** Whether the bridge was there and let nobody in. */
  #turnedAway = false
  #dialledAt = 0
  /** @type {Link} */
  link = {
    phase: "connecting",
    attempt: 0,
    retryAt: 0,
    latency: undefined,
    heardAt: 0,
    openedAt: 0,
    frames: 0,
    characters: 0,
  }

  /**
   * @param {string} url
   * @param {{token?: string, onMessage: (message: any, received: number) => void,
   *   onLink: (link: Link) => void}} options
   * @param {{WebSocket: typeof WebSocket, now: () => number, random: () => number, isSeen: () => boolean,
   *   setTimeout: (run: () => void, wait: number) => number, clearTimeout: (timer: number) => void}} [world]
   *   isSeen: whether somebody sees the page
   */
  constructor(url, { token, onMessage, onLink }, world = browserWorld()) {
    this.#url = url
    this.#token = token
    this.#handlers = { onMessage, onLink }
    this.#world = world
  }

  /** Connect and stay connected until `close`. */
  open() {
    this.#dial()
  }

  close() {
    this.#world.clearTimeout(this.#retryTimer)
    this.#drop()
  }

  /** Try at once, if not connected; a dial that has had its time is given up. */
  retryNow() {
    const { phase } = this.link
    const hangs = phase === "connecting" && this.#world.now() - this.#dialledAt > DIAL_TAKES_MILLISECONDS
    if (phase !== "waiting" && !hangs) return
    this.#world.clearTimeout(this.#retryTimer)
    this.#drop()
    this.#dial()
  }

  /** Come again with this token. @param {string} token */
  useToken(token) {
    this.#token = token
    this.#refused = false
    this.#world.clearTimeout(this.#retryTimer)
    this.#drop()
    this.#dial()
  }

  /**
   * Ask the bridge for this and nothing else; asked again after every reconnection.
   * @param {object} selection
   */
  watch(selection) {
    this.#selection = selection
    if (this.#greeted) this.#send({ type: "watch", ...selection })
  }

  #dial() {
    this.#turnedAway = false
    this.#dialledAt = this.#world.now()
    this.#setLink({ phase: "connecting" })
    const socket = new this.#world.WebSocket(this.#url, SUBPROTOCOL)
    this.#socket = socket
    socket.onopen = () => {
      this.#send({ type: "hello", protocol: PROTOCOL, ...(this.#token ? { token: this.#token } : {}) })
    }
    socket.onmessage = (event) => this.#receive(event.data)
    socket.onclose = () => this.#lost()
    // A dial that hangs is noticed like a connection that fell silent.
    this.#unanswered = 0
    this.#schedulePing()
  }

  /** @param {unknown} data */
  #receive(data) {
    this.link.frames += 1
    this.link.characters += String(data).length
    const message = parseMessage(data)
    if (message === null) return
    this.#unanswered = 0
    this.link.heardAt = this.#world.now()
    if (message.type === "pong") {
      if (message.id === this.#pingId) this.#setLink({ latency: this.#world.now() - this.#pingSentAt })
    } else if (message.type === "welcome") {
      this.#greeted = true
      this.#setLink({ phase: "open", attempt: 0, openedAt: this.#world.now() })
      if (this.#selection !== null) this.watch(this.#selection)
      this.#ping()
    } else if (message.type === "error") {
      this.#turnedAway = !this.#greeted
      if (message.code === "bad_token") this.#refused = true
    }
    this.#handlers.onMessage(message, this.#world.now())
  }

  #schedulePing() {
    this.#pingTimer = this.#world.setTimeout(() => {
      if (this.#unanswered >= MISSED_PINGS_ALLOWED) {
        this.#lost()
        return
      }
      this.#unanswered += 1
      if (this.#greeted) this.#ping()
      this.#schedulePing()
    }, PING_MILLISECONDS)
  }

  #ping() {
    this.#pingId += 1
    this.#pingSentAt = this.#world.now()
    this.#send({ type: "ping", id: this.#pingId })
  }

  #lost() {
    this.#drop()
    if (this.#refused) {
      this.#setLink({ phase: "refused", latency: undefined })
      return
    }
    const attempt = this.link.attempt + 1
    const isAwaited = this.#world.isSeen() && !this.#turnedAway
    const longest = isAwaited ? MAX_WAIT_SEEN_MILLISECONDS : MAX_WAIT_MILLISECONDS
    const most = Math.min(longest, FIRST_RETRY_MILLISECONDS * 2 ** (attempt - 1))
    const wait = most * (1 - SHARE_LEFT_TO_CHANCE * (1 - this.#world.random()))
    this.#setLink({ phase: "waiting", attempt, retryAt: this.#world.now() + wait, latency: undefined })
    this.#retryTimer = this.#world.setTimeout(() => this.#dial(), wait)
  }

  #drop() {
    this.#world.clearTimeout(this.#pingTimer)
    this.#greeted = false
    const socket = this.#socket
    this.#socket = null
    if (socket === null) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message))
  }

  /** @param {Partial<Link>} change */
  #setLink(change) {
    this.link = { ...this.link, ...change }
    this.#handlers.onLink(this.link)
  }
}

/**
 * How long an open connection has brought nothing, in whole seconds; 0 while that is usual.
 * @param {Link} link
 * @param {number} now
 */
export function silentSeconds(link, now) {
  const silent = link.phase === "open" ? now - link.heardAt : 0
  return silent > SILENT_MILLISECONDS ? Math.floor(silent / 1000) : 0
}

/** @returns {ConstructorParameters<typeof BridgeSocket>[2] & object} */
function browserWorld() {
  return {
    WebSocket: window.WebSocket,
    now: () => Date.now(),
    random: () => Math.random(),
    isSeen: () => !document.hidden,
    setTimeout: (run, wait) => window.setTimeout(run, wait),
    clearTimeout: (timer) => window.clearTimeout(timer),
  }
}
