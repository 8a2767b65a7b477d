/**
 * What can be done with a key: pages and frame offer actions, and the help and the palette list the same
 * ones.
 */

import { isTyping } from "../widgets/dom.js"

const KEY = "fleetglass.single-keys"

/**
 * `keys` as `KeyboardEvent.key` names them, with "Ctrl+" before one that is meant with Ctrl or ⌘, which works
 * while typing and with single keys off, too; an action without any is found in the palette only.
 * @typedef {{words: string, keys?: string[], panel?: string, when?: () => boolean, run: () => void}} Action
 *   `panel`: title of the one that it
 *   goes to; `when`: whether it can be done now
 */

export class Actions {
  /** @type {Action[]} */
  frame = []
  /** @type {Action[]} */
  page = []
  /** Whether keys without a modifier mean anything (WCAG 2.1.4). */
  enabled = localStorage.getItem(KEY) !== "off"

  /** Those of the page that is open first: they win. */
  get all() {
    return [...this.page, ...this.frame]
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    this.enabled = enabled
    localStorage.setItem(KEY, enabled ? "on" : "off")
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const withControl = event.ctrlKey || event.metaKey
    if (event.altKey) return
    if (!withControl && (!this.enabled || isTyping(event.target) || usesItself(event))) return
    const key = withControl ? `Ctrl+${event.key.toLowerCase()}` : event.key
    const action = this.all.find(({ keys, when }) => keys?.includes(key) && (when === undefined || when()))
    if (action === undefined) return
    event.preventDefault()
    action.run()
  }
}

/** Whether what has the focus uses the key. @param {KeyboardEvent} event */
function usesItself({ key, target }) {
  return (key === "Enter" || key === " ") && target instanceof Element && target.matches("a, button, summary")
}
