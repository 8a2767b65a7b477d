/** What can be done with a key: pages and frame offer actions, and the help and the palette list the same ones. */

import { isTyping } from "./dom.js"

const KEY = "fleetglass.single-keys"

/**
 * `keys` as `KeyboardEvent.key` names them; an action without any is found in the palette only.
 * @typedef {{words: string, keys?: string[], run: () => void}} Action
 */

export class Actions {
  /** @type {Action[]} */
  frame = []
  /** @type {Action[]} */
  page = []
  /** Whether keys without a modifier mean anything (WCAG 2.1.4). */
  enabled = localStorage.getItem(KEY) !== "off"

  /** Those of the page that is open first: they win. */
  get all() { return [...this.page, ...this.frame] }

  /** @param {boolean} enabled */
  enable(enabled) {
    this.enabled = enabled
    localStorage.setItem(KEY, enabled ? "on" : "off")
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (!this.enabled || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    // What has the focus uses these keys itself.
    if ((event.key === "Enter" || event.key === " ") && event.target instanceof Element && event.target.matches("a, button, summary")) return
    const action = this.all.find(({ keys }) => keys?.includes(event.key))
    if (action === undefined) return
    event.preventDefault()
    action.run()
  }
}
