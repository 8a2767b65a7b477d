/** The strip at the top: where one is, what the page is connected to, and the viewer's choices. */

import { STATES } from "../data/messages.js"
import { count } from "../data/numbers.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"
import { LinkMenu } from "./link-menu.js"
import { FLEET_ADDRESS } from "./router.js"
import { SettingsMenu } from "./settings-menu.js"

/**
 * @typedef {{theme: import("./theme.js").Theme, preferences: import("./preferences.js").Preferences,
 *   actions: import("./actions.js").Actions, welcome: () => import("./link-menu.js").Welcome,
 *   find: () => void, help: () => void, pause: () => void}}
 *   Doing
 */

export class Header {
  /** Where the page of the moment puts its own tools. */
  tools = element("div", { class: "tools" })
  #link
  #settings
  #pause
  #counters = STATES.map((state) => ({
    state,
    element: element(
      "a",
      { class: "counter", "data-state": state, href: `${FLEET_ADDRESS}?state=${state}` },
      element("span", { class: "glyph", "aria-hidden": "true" }),
    ),
    number: element("span", { class: "number" }),
  }))
  #fleet

  /** @param {HTMLElement} root @param {Doing} doing */
  constructor(root, { theme, preferences, actions, welcome, find, help, pause }) {
    this.#link = new LinkMenu(welcome)
    this.#settings = new SettingsMenu({ theme, preferences, actions })
    this.#pause = button("Pause", pause, { class: "quiet-button pause", title: "p" })
    for (const one of this.#counters) one.element.append(one.number)
    this.#fleet = element(
      "nav",
      { class: "fleet-counters", "aria-label": "Fleet by state" },
      ...this.#counters.map((one) => one.element),
    )
    root.append(
      element("a", { class: "brand", href: FLEET_ADDRESS }, "Fleetglass"),
      this.#fleet,
      this.tools,
      element(
        "div",
        { class: "header-end" },
        button("Find", find, { class: "quiet-button find", title: "host, panel or action  Ctrl K" }),
        this.#pause,
        this.#settings.button,
        button("?", help, { class: "quiet-button help", "aria-label": "Help", title: "keys  ?" }),
        this.#link.button,
      ),
      this.#link.box,
      this.#settings.box,
    )
  }

  /**
   * @param {{link: import("../data/socket.js").Link, fleet: import("../data/fleet.js").Fleet,
   *   pausedAt: number | undefined, page: string}} facts
   * @param {number} now
   */
  update({ link, fleet, pausedAt, page }, now) {
    this.#link.update(link, fleet, now)
    this.#settings.update()
    setAttribute(this.#pause, "aria-pressed", String(pausedAt !== undefined))
    // The fleet page has them as filters of its own.
    this.#fleet.hidden = page === "fleet" || !fleet.known
    if (!this.#fleet.hidden) this.#writeCounters(fleet.counts())
  }

  /** @param {Map<string, number>} counts */
  #writeCounters(counts) {
    for (const { state, element: link, number } of this.#counters) {
      const hosts = counts.get(state) ?? 0
      link.hidden = hosts === 0
      setText(number, count(hosts))
      setAttribute(link, "aria-label", `${hosts} ${state}`)
      setAttribute(link, "title", `${hosts} ${state}`)
    }
  }
}
