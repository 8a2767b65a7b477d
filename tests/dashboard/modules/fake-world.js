/** Time that passes when a test says so, and WebSockets that do what it says. */

export class FakeWorld {
  #now = 1_000_000
  #timers = new Map()
  #numbers = 0
  /** @type {FakeSocket[]} every one that was opened */
  sockets = []
  randomValue = 1
  /** Whether somebody sees the page. */
  seen = true

  constructor() {
    const { sockets } = this
    this.WebSocket = class extends FakeSocket {
      constructor(url, subprotocol) {
        super(url, subprotocol)
        sockets.push(this)
      }
    }
  }

  now = () => this.#now
  random = () => this.randomValue
  isSeen = () => this.seen
  setTimeout = (run, wait) => {
    this.#numbers += 1
    this.#timers.set(this.#numbers, { run, at: this.#now + wait })
    return this.#numbers
  }
  clearTimeout = (timer) => {
    this.#timers.delete(timer)
  }

  get socket() {
    return this.sockets.at(-1)
  }
  get timers() {
    return this.#timers.size
  }

  /** Let time pass and run what is due, in its order. */
  pass(milliseconds) {
    const end = this.#now + milliseconds
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)
      if (next === undefined) break
      this.#timers.delete(next[0])
      this.#now = next[1].at
      next[1].run()
    }
    this.#now = end
  }
}

class FakeSocket {
  readyState = 0
  sent = []
  closed = false

  constructor(url, subprotocol) {
    this.url = url
    this.subprotocol = subprotocol
  }

  send(text) {
    this.sent.push(JSON.parse(text))
  }
  close() {
    this.closed = true
    this.readyState = 3
  }

  /** The other side accepts. */
  accept() {
    this.readyState = 1
    this.onopen?.({})
  }

  /** The other side says something. */
  say(message) {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) })
  }

  /** The connection ends with a code. */
  end(code) {
    this.readyState = 3
    this.onclose?.({ code })
  }
}
