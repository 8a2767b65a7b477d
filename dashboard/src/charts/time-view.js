/**
 * Which stretch of time the charts of a page show: how long, up to when, and the moment pointed at. No DOM.
 */

import { isMoment } from "../data/numbers.js"

const KEY = "fleetglass.window"
export const WINDOWS_SECONDS = [60, 300, 900]

const FASTEST_PERIOD_MILLISECONDS = 100
const SLOWEST_PERIOD_MILLISECONDS = 1000
const DELIVERY_MILLISECONDS = 400
const MAX_DELAY_MILLISECONDS = 3000

export class TimeView {
  #listeners = new Set()
  seconds = WINDOWS_SECONDS[0]
  /** @type {number | undefined} milliseconds by this page's clock; what comes later is kept, not shown */
  pausedAt
  /** @type {number | undefined} milliseconds; every chart marks it */
  pointedAt

  constructor() {
    const kept = Number(localStorage.getItem(KEY))
    if (WINDOWS_SECONDS.includes(kept)) this.seconds = kept
  }

  /** The moment at the right edge. @param {number} now */
  end(now) {
    return this.pausedAt ?? now
  }

  /** @param {number} seconds one of `WINDOWS_SECONDS` */
  setSeconds(seconds) {
    if (!WINDOWS_SECONDS.includes(seconds) || seconds === this.seconds) return
    this.seconds = seconds
    localStorage.setItem(KEY, String(seconds))
    this.#tell()
  }

  /** Longer by a step, or shorter by one. @param {1 | -1} by */
  step(by) {
    const next = WINDOWS_SECONDS[WINDOWS_SECONDS.indexOf(this.seconds) + by]
    if (next !== undefined) this.setSeconds(next)
  }

  /** @param {number | undefined} at undefined, or what is no moment, goes on */
  pause(at) {
    this.pausedAt = isMoment(at) ? at : undefined
    this.#tell()
  }

  /** @param {number | undefined} at */
  point(at) {
    if (at === this.pointedAt) return
    this.pointedAt = at
    this.#tell()
  }

  /** @param {() => void} listener called at each change @returns {() => void} ends it */
  follow(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell() {
    for (const listener of this.#listeners) listener()
  }
}

/**
 * How long after its sample a moment is drawn, so that lines enter as a whole, in milliseconds.
 * @param {number} intervalSeconds between two samples
 */
export function drawnLater(intervalSeconds) {
  return Math.min(MAX_DELAY_MILLISECONDS, intervalSeconds * 1000 + DELIVERY_MILLISECONDS)
}

/**
 * How often it is worth painting, in milliseconds: once per pixel, and ten times a second unless told
 * otherwise.
 * @param {number} seconds shown
 * @param {number} width pixels
 */
export function paintedEvery(seconds, width, fastest = FASTEST_PERIOD_MILLISECONDS) {
  return Math.min(SLOWEST_PERIOD_MILLISECONDS, Math.max(fastest, (seconds * 1000) / Math.max(1, width)))
}
