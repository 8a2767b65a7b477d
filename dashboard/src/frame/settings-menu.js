/** The viewer's choices, kept in this browser. */

import { element } from "../widgets/dom.js"
import { Menu } from "../widgets/menu.js"
import { SegmentedControl } from "../widgets/segmented-control.js"
import { CHOICES } from "./preferences.js"
import { THEMES } from "./theme.js"

const WORDS = new Map([
  ["auto", "system"],
  ["bits", "bit/s"],
  ["celsius", "°C"],
  ["fahrenheit", "°F"],
])
const LABELS = new Map([
  ["density", "Density"],
  ["network", "Network"],
  ["temperature", "Temperature"],
])

export class SettingsMenu {
  #choices
  button
  box

  /**
   * @param {{theme: import("./theme.js").Theme, preferences: import("./preferences.js").Preferences,
   *   actions: import("./actions.js").Actions}} context
   */
  constructor({ theme, preferences, actions }) {
    const names = /** @type {import("./preferences.js").Name[]} */ (Object.keys(CHOICES))
    this.#choices = [
      choice("Theme", THEMES, { chosen: () => theme.choice, choose: (value) => theme.choose(value) }),
      ...names.map((name) =>
        choice(LABELS.get(name) ?? name, CHOICES[name], {
          chosen: () => preferences.get(name),
          choose: (value) => preferences.choose(name, value),
        }),
      ),
      choice("Single keys", ["on", "off"], {
        chosen: () => (actions.enabled ? "on" : "off"),
        choose: (value) => actions.enable(value === "on"),
      }),
    ]
    const rows = this.#choices.map(({ label, buttons }) =>
      element(
        "div",
        { class: "menu-row" },
        element("span", { "aria-hidden": "true" }, label),
        buttons.element,
      ),
    )
    const menu = new Menu(
      "Settings",
      { class: "quiet-button settings" },
      element("h2", { class: "menu-title" }, "Settings"),
      ...rows,
    )
    this.button = menu.button
    this.box = menu.box
  }

  /** Show what is chosen: keys choose, too. */
  update() {
    for (const { buttons } of this.#choices) buttons.update()
  }
}

/**
 * @template {string} Value
 * @param {string} label
 * @param {readonly Value[]} values
 * @param {{chosen: () => Value, choose: (value: Value) => void}} chosen
 */
function choice(label, values, chosen) {
  return {
    label,
    buttons: new SegmentedControl(
      label,
      values.map((value) => ({ value, words: WORDS.get(value) ?? value })),
      chosen,
    ),
  }
}
