/** The full-width bar that says what is wrong with the way from the hosts to here. */

import { button, element, setAttribute, setText } from "./dom.js"
import { clockTime } from "./numbers.js"
import { silentSeconds } from "./socket.js"

const FIRST_CONNECTION_QUIET_MILLISECONDS = 300
const NOTICE_MILLISECONDS = 10_000

export class StatusBar {
  #text = element("p")
  #said = element("p", { class: "unseen", role: "status" })
  #retry
  #openedAt = Date.now()
  #notice = { text: "", until: 0 }
  #refusal = ""

  /** @param {HTMLElement} root @param {() => void} retryNow */
  constructor(root, retryNow) {
    this.#retry = button("Retry now", retryNow)
    this.element = element("div", { class: "bar", role: "region", "aria-label": "Connection", hidden: true }, this.#text, this.#retry)
    root.append(this.element, this.#said)
  }

  /** @param {string} text @param {number} now */
  notice(text, now) { this.#notice = { text, until: now + NOTICE_MILLISECONDS } }

  /** @param {string} text why the bridge refused, empty when it no longer does */
  refuse(text) { this.#refusal = text }

  /** @param {import("./socket.js").Link} link @param {import("./fleet.js").Fleet} fleet @param {number} now */
  update(link, fleet, now) {
    const { kind, text, summary } = this.#words(link, fleet, now)
    this.element.hidden = kind === "none"
    setAttribute(this.element, "data-kind", kind)
    setText(this.#text, text)
    // The seconds count for the eye; a listener hears only that something changed.
    setText(this.#said, summary ?? text)
    this.#retry.hidden = link.phase !== "waiting"
    setAttribute(document.body, "data-link", kind === "none" ? "ok" : kind)
  }

  #words(link, fleet, now) {
    if (link.phase !== "open") {
      if (link.attempt === 0) {
        const quiet = now - this.#openedAt < FIRST_CONNECTION_QUIET_MILLISECONDS
        return quiet ? { kind: "none", text: "" } : { kind: "opening", text: "Connecting to the bridge" }
      }
      const why = this.#refusal ? `The bridge refused: ${this.#refusal}` : fleet.known ? "Connection to bridge lost" : "No connection to the bridge"
      const seconds = Math.max(0, Math.ceil((link.retryAt - now) / 1000))
      const what = link.phase === "waiting" ? `retrying in ${seconds} s` : "retrying"
      return { kind: "lost", text: `${why}, ${what} (attempt ${link.attempt})`, summary: why }
    }
    const silent = silentSeconds(link, now)
    if (silent > 0) {
      return { kind: "lost", text: `The bridge has been silent for ${silent} s. All values are from before.`, summary: "The bridge is silent" }
    }
    if (fleet.broker.state !== "connected") {
      const since = clockTime(fleet.fromBridge(fleet.broker.since))
      return { kind: "broker", text: `The bridge lost its broker at ${since} and is reconnecting. All values are from before.` }
    }
    return now < this.#notice.until ? { kind: "notice", text: this.#notice.text } : { kind: "none", text: "" }
  }
}
