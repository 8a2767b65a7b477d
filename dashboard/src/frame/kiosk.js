/** A wall: nothing but data, a screen that stays on, no pointer, and one host after the other. */

import { changeQuery, FLEET_ADDRESS, frameQuery, hostAddress, parseRoute } from "./router.js"

const POINTER_HIDES_AFTER_MILLISECONDS = 3000
const OVERVIEW = "overview"

export class Kiosk {
  #pointerTimer = 0
  #cycleTimer = 0
  /** @type {WakeLockSentinel | undefined} */
  #lock
  #hostIds
  on = false

  /** @param {() => string[]} hostIds all hosts, in the order to go through them */
  constructor(hostIds) {
    this.#hostIds = hostIds
    document.addEventListener("pointermove", () => this.#showPointer())
    document.addEventListener("visibilitychange", () => this.#holdLock())
  }

  /** @param {import("./router.js").Route} route what is open now */
  follow(route) {
    const { kiosk, cycleSeconds } = frameQuery(route.query)
    this.on = kiosk
    document.documentElement.toggleAttribute("data-kiosk", kiosk)
    clearInterval(this.#cycleTimer)
    if (kiosk && cycleSeconds !== undefined) {
      this.#cycleTimer = window.setInterval(() => {
        location.hash = this.#next(route)
      }, cycleSeconds * 1000)
    }
    this.#showPointer()
    void this.#holdLock()
  }

  enter() {
    this.#change({ kiosk: "1" })
  }

  leave() {
    this.#change({ kiosk: "", cycle: "", [OVERVIEW]: "" })
  }

  /** @param {Record<string, string>} query */
  #change(query) {
    changeQuery(query)
    this.follow(parseRoute(location.hash))
  }

  /**
   * The address after this one; all that is asked for besides goes along.
   * @param {import("./router.js").Route} route
   */
  #next({ page, host, query }) {
    const given = (query.get("hosts") ?? "").split(",").filter(Boolean)
    const ids = given.length > 0 ? given : this.#hostIds()
    const carried = new URLSearchParams(query)
    if (page === "fleet") carried.set(OVERVIEW, "1")
    const place = page === "host" ? ids.indexOf(host) : -1
    const next = ids[place + 1]
    if (ids.length === 0) return location.hash
    const goesToFleet = next === undefined && carried.has(OVERVIEW)
    const address = goesToFleet ? FLEET_ADDRESS : hostAddress(next ?? ids[0] ?? "")
    return `${address}?${carried}`
  }

  #showPointer() {
    clearTimeout(this.#pointerTimer)
    document.documentElement.removeAttribute("data-pointer")
    if (!this.on) return
    this.#pointerTimer = window.setTimeout(() => {
      document.documentElement.dataset.pointer = "hidden"
    }, POINTER_HIDES_AFTER_MILLISECONDS)
  }

  async #holdLock() {
    if (!this.on || document.hidden) {
      await this.#lock?.release()
      this.#lock = undefined
    } else if (this.#lock === undefined || this.#lock.released) {
      // Not every browser has it, and one may refuse it, as with a low battery.
      this.#lock = await navigator.wakeLock?.request("screen").catch(() => undefined)
    }
  }
}
