/**
 * The full-width bar that says what is wrong with the way from the hosts to here, or that time is stopped.
 */

import { clockTime } from "../data/numbers.js"
import { silentSeconds } from "../data/socket.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"
import { TokenForm } from "./token-form.js"

const FIRST_CONNECTION_QUIET_MILLISECONDS = 300
const NOTICE_MILLISECONDS = 15_000

/**
 * @typedef {{kind: "none" | "opening" | "lost" | "broker" | "site" | "token" | "paused" | "version" |
 *   "notice", text: string, summary?: string}} Words
 *   summary: what a listener hears, without seconds that count
 * @typedef {{link: import("../data/socket.js").Link, fleet: import("../data/fleet.js").Fleet,
 *   pausedAt: number | undefined, pageVersion: string}} Facts
 */

export class StatusBar {
  #text = element("p")
  #retry
  #resume
  #reload = button("Reload", () => location.reload())
  #form
  #openedAt = Date.now()
  #notice = { text: "", until: 0 }
  #refusal = { code: "", text: "" }
  element

  /**
   * @param {HTMLElement} root
   * @param {{retry: () => void, resume: () => void, hasToken: boolean, useToken: (token: string) => void}}
   *   doing
   */
  constructor(root, { retry, resume, hasToken, useToken }) {
    this.#retry = button("Retry now", retry)
    this.#resume = button("Resume", resume)
    this.#form = new TokenForm(hasToken, useToken)
    this.element = element(
      "div",
      { class: "bar", role: "region", "aria-label": "Connection", hidden: true },
      this.#text,
      this.#form.element,
      this.#retry,
      this.#resume,
      this.#reload,
    )
    root.append(this.element)
  }

  /** @param {string} text @param {number} now */
  notice(text, now) {
    this.#notice = { text, until: now + NOTICE_MILLISECONDS }
  }

  /** @param {string} code @param {string} text why the bridge refused, empty when it no longer does */
  refuse(code, text) {
    this.#refusal = { code, text }
  }

  /**
   * @param {Facts} facts
   * @param {number} now
   * @returns {string} what a listener is to know, empty when all is well
   */
  update(facts, now) {
    const { kind, text, summary } = this.#words(facts, now)
    this.element.hidden = kind === "none"
    setAttribute(this.element, "data-kind", kind)
    setText(this.#text, text)
    // It stays during an attempt, which would else take the focus away.
    const { phase, attempt } = facts.link
    const retries = phase === "waiting" || (phase === "connecting" && attempt > 0)
    this.#retry.hidden = !retries || this.#refusal.code === "bad_protocol"
    this.#resume.hidden = kind !== "paused"
    this.#reload.hidden = kind !== "version"
    this.#form.show(kind === "token")
    setAttribute(document.body, "data-link", kind === "none" ? "ok" : kind)
    return kind === "none" || kind === "opening" ? "" : (summary ?? text)
  }

  /** @param {Facts} facts @param {number} now @returns {Words} */
  #words({ link, fleet, pausedAt, pageVersion }, now) {
    if (link.phase === "refused") {
      return {
        kind: "token",
        text: this.#form.wasTried
          ? "The bridge does not know this viewer token."
          : "This bridge asks for its viewer token.",
      }
    }
    if (link.phase !== "open") return this.#wordsOfDialling(link, fleet, now)
    const silent = silentSeconds(link, now)
    if (silent > 0) {
      return {
        kind: "lost",
        text: `The bridge has been silent for ${silent} s. All values are from before.`,
        summary: "The bridge is silent.",
      }
    }
    if (fleet.broker.state !== "connected") {
      const since = clockTime(fleet.fromBridge(fleet.broker.since))
      return {
        kind: "broker",
        text: `The bridge lost its broker at ${since} and is reconnecting. All values are from before.`,
      }
    }
    if (pausedAt !== undefined) return { kind: "paused", text: `Paused at ${clockTime(pausedAt)}` }
    if (fleet.sitesAway.length > 0) return { kind: "site", text: sitesInWords(fleet) }
    if (pageVersion !== fleet.bridgeVersion) {
      return {
        kind: "version",
        text: `The bridge is now of version ${fleet.bridgeVersion}, this page of ${pageVersion}.`,
      }
    }
    return now < this.#notice.until ? { kind: "notice", text: this.#notice.text } : { kind: "none", text: "" }
  }

  /**
   * @param {import("../data/socket.js").Link} link
   * @param {import("../data/fleet.js").Fleet} fleet
   * @param {number} now
   * @returns {Words}
   */
  #wordsOfDialling(link, fleet, now) {
    if (this.#refusal.code === "bad_protocol") {
      return {
        kind: "version",
        text: `The bridge speaks another version of the protocol: ${this.#refusal.text}.`,
      }
    }
    if (link.attempt === 0) {
      const quiet = now - this.#openedAt < FIRST_CONNECTION_QUIET_MILLISECONDS
      return quiet ? { kind: "none", text: "" } : { kind: "opening", text: "Connecting to the bridge" }
    }
    const why = this.#refusal.text
      ? `The bridge refused: ${this.#refusal.text}`
      : fleet.known
        ? "Connection to bridge lost"
        : "No connection to the bridge"
    const seconds = Math.max(0, Math.ceil((link.retryAt - now) / 1000))
    const what = link.phase === "waiting" ? `retrying in ${seconds} s` : "retrying"
    return { kind: "lost", text: `${why}, ${what} (attempt ${link.attempt})`, summary: `${why}.` }
  }
}

/** @param {import("../data/fleet.js").Fleet} fleet */
function sitesInWords(fleet) {
  const sites = fleet.sitesAway.map(
    ([prefix, since]) => `${prefix} since ${clockTime(fleet.fromBridge(since))}`,
  )
  const whose = sites.length === 1 ? "its" : "their"
  return `Cut off: ${sites.join(", ")}. What is shown of ${whose} hosts is from before.`
}
