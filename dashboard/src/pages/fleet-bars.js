/**
 * What is said around the hosts: the filter that is in force, the hosts picked to be compared, and how a host
 * comes to be here.
 */

import { count } from "../data/numbers.js"
import { button, element, setText } from "../widgets/dom.js"

const HINT_UP_TO_HOSTS = 3

/** Which filter is in force, and the way out of it. */
export class FilterBar {
  #text = element("p")
  #tags = element("span", { class: "tags" })
  #onTag
  #written = ""
  element

  /** @param {{onTag: (tag: string) => void, onClear: () => void}} handlers onTag: gets one to leave out */
  constructor({ onTag, onClear }) {
    this.#onTag = onTag
    const showAll = button("Show all", onClear)
    showAll.append(key("Esc"))
    this.element = element("div", { class: "filter-bar", hidden: true }, this.#text, this.#tags, showAll)
  }

  /** @param {import("./fleet-order.js").Filter} filter @param {number} shown @param {number} total */
  update({ words, states, tags }, shown, total) {
    this.element.hidden = total === 0 || words.length + states.size + tags.length === 0
    setText(
      this.#text,
      `${count(shown)} of ${count(total)} hosts${states.size > 0 ? `: ${[...states].join(", ")}` : ""}`,
    )
    const key = JSON.stringify(tags)
    if (key === this.#written) return
    this.#written = key
    this.#tags.replaceChildren(
      ...tags.map((tag) =>
        button(`${tag} ×`, () => this.#onTag(tag), {
          class: "tag-button",
          "aria-label": `Without the tag ${tag}`,
        }),
      ),
    )
  }
}

/** Hosts picked to be compared. */
export class CompareBar {
  #text = element("p")
  #go
  element

  /** @param {{onCompare: () => void, onClear: () => void}} handlers */
  constructor({ onCompare, onClear }) {
    this.#go = /** @type {HTMLButtonElement} */ (button("Compare", onCompare))
    const clear = button("Clear", onClear)
    this.#go.append(key("Enter"))
    clear.append(key("Esc"))
    this.element = element(
      "section",
      { class: "compare-bar", hidden: true, "aria-label": "Hosts to compare" },
      this.#text,
      this.#go,
      clear,
    )
  }

  /** @param {Set<string>} picked ids @param {(id: string) => string} nameOf */
  update(picked, nameOf) {
    this.element.hidden = picked.size === 0
    const names = [...picked].map(nameOf).join(", ")
    setText(
      this.#text,
      picked.size === 1
        ? `1 host picked: ${names}. Pick another to compare.`
        : `${picked.size} hosts picked: ${names}`,
    )
    this.#go.disabled = picked.size < 2
  }
}

/** How a host comes to be here, to copy. */
export class AddHost {
  #summary = element("summary", {}, "Add a host")
  element

  constructor() {
    this.element = /** @type {HTMLDetailsElement} */ (
      element(
        "details",
        { class: "hint", hidden: true },
        this.#summary,
        element(
          "p",
          {},
          "Run the agent on it. It publishes to the broker once per second, and the host appears here by " +
            "itself. On the machine where the broker runs:",
        ),
        command("fleetglass agent"),
        element(
          "p",
          {},
          "On any other, with the name or address of the broker that this bridge reads from in place of " +
            "BROKER:",
        ),
        command("fleetglass agent --broker mqtt://BROKER:1883"),
        element(
          "p",
          {},
          "The broker that fleetglass up starts by itself can only be reached from its own machine. " +
            "For others, run a broker that they can reach and name it with --broker here, too.",
        ),
      )
    )
  }

  /** @param {boolean} known whether it is known which hosts there are @param {number} hosts that reported */
  update(known, hosts) {
    this.element.hidden = !known || hosts > HINT_UP_TO_HOSTS
    if (known && hosts === 0) this.element.open = true
  }
}

/** @param {string} text */
function command(text) {
  const copy = button(
    "Copy",
    async () => {
      await navigator.clipboard?.writeText(text)
      setText(copy, "Copied")
    },
    { "aria-label": `Copy: ${text}` },
  )
  return element("p", { class: "command" }, element("code", {}, text), copy)
}

/** The key that does the same, for the eye. @param {string} name */
function key(name) {
  return element("kbd", { "aria-hidden": "true" }, name)
}
