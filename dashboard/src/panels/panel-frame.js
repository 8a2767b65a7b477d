/**
 * A panel's box: title in the border, what can be done with it, and words where there is no data. What it
 * holds lives only while it is open.
 */

import { isObject } from "../data/messages.js"
import { age } from "../data/numbers.js"
import { hostAddress } from "../frame/router.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"
import { ValueTable } from "./value-table.js"

const FOLDED = "folded"
const NOT_AVAILABLE = "not available on this host"
// Beyond the gap of a chart, so that a sample that is on its way makes no words.
const SILENCE_GAPS = 2

/** @typedef {import("./panel.js").Context} Context @typedef {import("./panel.js").Kind} Kind */

export class PanelFrame {
  #context
  #onFold
  #whole
  /** @type {import("./panel.js").Panel | undefined} */
  #panel
  /** @type {ValueTable | undefined} */
  #table
  #title
  #note = element("p", { class: "note", hidden: true })
  #body = element("div", { class: "panel-body" })
  #tableButton = button("table", () => this.#showTable(this.#table === undefined), {
    class: "tool",
    "aria-pressed": "false",
  })
  #fullLink
  /** Whether its content is there and its groups are wanted. */
  isOpen
  element

  /**
   * @param {Context} context
   * @param {Kind} kind
   * @param {{digit?: string, usuallyOpen: boolean, whole: boolean, onFold: () => void}} how `whole`: alone on
   *   the page
   */
  constructor(context, kind, { digit = "", usuallyOpen, whole, onFold }) {
    this.#context = context
    this.kind = kind
    this.#onFold = onFold
    this.#whole = whole
    const folded = context.choices.get(kind.key, FOLDED)
    this.isOpen = whole || (folded === undefined ? usuallyOpen : !folded)
    const id = `panel-${kind.key}`
    this.#body.id = `${id}-body`
    this.#title = button("", () => this.fold(), { "aria-controls": this.#body.id })
    if (digit !== "") this.#title.append(element("span", { class: "digit", "aria-hidden": "true" }, digit))
    this.#title.append(kind.title)
    this.#fullLink = element(
      "a",
      { class: "tool", href: hostAddress(context.host.id, whole ? "" : kind.key) },
      whole ? "back" : "full",
    )
    setAttribute(this.#fullLink, "aria-label", whole ? "Back to all panels" : `${kind.title}, full screen`)
    setAttribute(this.#tableButton, "aria-label", `${kind.title} as table`)
    this.element = element(
      "section",
      {
        class: whole ? "panel whole" : "panel",
        "data-panel": kind.key,
        "aria-labelledby": id,
        tabindex: "-1",
      },
      element("h2", { class: "panel-title", id }, this.#title),
      element("div", { class: "panel-tools" }, this.#tableButton, this.#fullLink),
      this.#note,
      this.#body,
    )
    this.#dress()
  }

  /** Undo the constructor. */
  close() {
    this.#empty()
  }

  /** Whether the host has nothing of this kind. */
  get isAbsent() {
    const { samples, host } = this.#context
    const [group] = this.kind.groups
    if (group === undefined) return false
    const payload = samples.group(group).latest
    if (payload !== undefined) return this.kind.isEmpty?.(payload) === true && this.#trouble() === ""
    const { groups } = host.info
    const isTold = isObject(groups) && Object.hasOwn(groups, group)
    return (isObject(groups) || this.kind.optional === true) && !isTold && this.#trouble() === ""
  }

  /** Close it, or open it again, and remember that. */
  fold() {
    this.open(!this.isOpen)
    this.#context.choices.set(this.kind.key, FOLDED, !this.isOpen)
    this.#onFold()
  }

  /** As a link says, which is not remembered. @param {boolean} isOpen */
  open(isOpen) {
    this.isOpen = isOpen || this.#whole
    this.#dress()
  }

  /** Write what changed. @param {number} now */
  update(now) {
    const words = this.#words(now)
    setText(this.#note, words.text)
    this.#note.hidden = words.text === ""
    setAttribute(this.element, "data-trouble", words.kind === "none" ? null : words.kind)
    const [group] = this.kind.groups
    const payload = group === undefined ? undefined : this.#context.samples.group(group).latest
    if (!this.isOpen || this.isAbsent || (payload !== undefined && this.kind.isEmpty?.(payload))) {
      this.#empty()
      return
    }
    this.#fill()
    this.#panel?.update(payload, now)
    this.#table?.update(this.#panel?.tables() ?? [])
  }

  #fill() {
    if (this.#panel !== undefined) return
    this.#panel = this.kind.make(this.#context, this.kind)
    this.#body.append(this.#panel.body)
    this.#tableButton.hidden = !this.#panel.hasTable
  }

  #empty() {
    if (this.#panel === undefined) return
    this.#showTable(false)
    this.#panel.close()
    this.#panel = undefined
    this.#body.replaceChildren()
    this.#tableButton.hidden = true
  }

  /** @param {boolean} shown */
  #showTable(shown) {
    setAttribute(this.#tableButton, "aria-pressed", String(shown))
    setAttribute(this.element, "data-view", shown ? "table" : null)
    this.#table?.element.remove()
    this.#table = shown ? new ValueTable(this.kind.title) : undefined
    if (this.#table === undefined) return
    this.#table.update(this.#panel?.tables() ?? [])
    this.#body.append(this.#table.element)
  }

  #dress() {
    setAttribute(this.#title, "aria-expanded", String(this.isOpen))
    setAttribute(this.element, "data-folded", this.isOpen ? null : "true")
    this.#tableButton.hidden = !(this.#panel?.hasTable ?? false)
    this.#body.hidden = !this.isOpen
  }

  /** @param {number} now @returns {{kind: "none" | "failed" | "old" | "absent" | "waiting", text: string}} */
  #words(now) {
    const trouble = this.#trouble()
    if (trouble !== "") return { kind: "failed", text: trouble }
    if (this.isAbsent) return { kind: "absent", text: this.kind.none ?? NOT_AVAILABLE }
    const { samples, host, time } = this.#context
    const [group] = this.kind.groups
    if (group === undefined || !this.isOpen) return { kind: "none", text: "" }
    const { latest } = samples.group(group)
    if (latest === undefined && time.pausedAt !== undefined)
      return { kind: "waiting", text: "no sample of this moment" }
    if (latest === undefined)
      return {
        kind: "waiting",
        text: host.state === "live" ? "waiting for the first sample" : "no sample received",
      }
    const heard = latest.time * 1000 + host.offsetMilliseconds
    const isOld = host.state === "live" && now - heard > SILENCE_GAPS * samples.gap(group)
    return isOld ? { kind: "old", text: `last sample ${age(heard, now)}` } : { kind: "none", text: "" }
  }

  /** What the agent says went wrong with the first group. */
  #trouble() {
    const runs = this.#context.samples.group("collector").latest?.collectors
    const [group] = this.kind.groups
    const run = isObject(runs) && group !== undefined && Object.hasOwn(runs, group) ? runs[group] : undefined
    const { state, reason } = isObject(run) ? run : {}
    return state === "failed" || state === "late" ? `collector ${state}${reason ? `: ${reason}` : ""}` : ""
  }
}
