/** Which keys do what right now: read from the actions themselves, so that it cannot say anything else. */

import { button, element } from "../widgets/dom.js"
import { boxOf } from "../widgets/menu.js"

const KEY_NAMES = new Map([
  [" ", "Space"],
  ["Escape", "Esc"],
  ["ArrowDown", "↓"],
  ["ArrowUp", "↑"],
  ["ArrowLeft", "←"],
  ["ArrowRight", "→"],
])
const IS_APPLE = navigator.platform.startsWith("Mac") || navigator.platform.startsWith("iP")

export class Help {
  #actions
  #lists = element("div", { class: "help-lists" })
  #off = element(
    "p",
    { class: "quiet", hidden: true },
    "Single keys are switched off in the settings; those with Ctrl work.",
  )
  #dialog

  /** @param {import("./actions.js").Actions} actions */
  constructor(actions) {
    this.#actions = actions
    const close = button("Close", () => this.#dialog.close(), { class: "quiet-button close" })
    this.#dialog = boxOf(
      "help",
      "Keys",
      close,
      element("h2", { class: "menu-title" }, "Keys"),
      this.#off,
      this.#lists,
    )
  }

  open() {
    const { page, frame, enabled } = this.#actions
    /** @type {Set<string>} */
    const seen = new Set()
    this.#lists.replaceChildren(listOf("On this page", page, seen), listOf("Everywhere", frame, seen))
    this.#off.hidden = enabled
    this.#dialog.showModal()
  }
}

/** @param {string[]} keys as actions name them @returns {HTMLElement} */
export function keysElement(keys) {
  const names = keys.map((key) => element("kbd", {}, keyName(key)))
  return element("span", { class: "keys" }, ...names)
}

/** @param {string} key @returns {string} */
function keyName(key) {
  if (key.startsWith("Ctrl+"))
    return `${IS_APPLE ? "⌘" : "Ctrl"} ${keyName(key.slice("Ctrl+".length)).toUpperCase()}`
  return KEY_NAMES.get(key) ?? key
}

/**
 * @param {string} title
 * @param {import("./actions.js").Action[]} actions
 * @param {Set<string>} seen keys that mean something already
 */
function listOf(title, actions, seen) {
  const rows = []
  for (const { words, keys = [] } of actions) {
    const own = keys.filter((key) => !seen.has(key))
    for (const key of own) seen.add(key)
    if (own.length > 0)
      rows.push(element("div", {}, element("dt", {}, keysElement(own)), element("dd", {}, words)))
  }
  return element(
    "section",
    { hidden: rows.length === 0 },
    element("h3", {}, title),
    element("dl", { class: "help-list" }, ...rows),
  )
}
