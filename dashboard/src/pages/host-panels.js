/** The panels of one host: which there are, which are open, and where they stand. */

import { isHostId } from "../data/messages.js"
import { changeQuery } from "../frame/router.js"
import { JUMPS, KINDS, KNOWN_GROUPS, OPEN_ON_PHONES } from "../panels/catalogue.js"
import { genericKind } from "../panels/generic.js"
import { PanelChoices } from "../panels/panel-choices.js"
import { PanelFrame } from "../panels/panel-frame.js"
import { element, setText } from "../widgets/dom.js"
import { arrange, LAST_ROW, paired, ROWS } from "./host-layout.js"

const PHONE = "(max-width: 640px)"
// The bridge takes no more names at once.
const MAX_GROUPS = 64
const KEYS = new Set(KINDS.map(({ key }) => key))

/** @typedef {import("../panels/panel.js").Context} Context */

export class HostPanels {
  #context
  #onChange
  #only
  #noPanel = element("p", { class: "nothing", hidden: true })
  /** @type {Map<string, PanelFrame>} */
  #frames = new Map()
  #open
  #isPhone = matchMedia(PHONE).matches
  #arranged = ""
  /** Key of the panel that gets the focus as soon as it is in the page. */
  focusNext = ""
  element = element("div", { class: "panels" })

  /**
   * @param {Omit<Context, "choices">} context
   * @param {{panel: string, query: URLSearchParams}} route `panel`: the only one to show, or ""; `open` of
   *   the query: those that are open
   * @param {() => void} onChange there is another panel
   */
  constructor(context, { panel, query }, onChange) {
    this.#onChange = onChange
    this.#context = { ...context, choices: new PanelChoices(context.host.id) }
    this.#only = panel
    this.#open = query.get("open")?.split(",")
    for (const kind of KINDS) this.#add(kind)
    setText(this.#noPanel, `This host has no panel "${panel}".`)
    this.element.append(this.#noPanel)
    this.#writeAddress()
  }

  /** Undo the constructor. */
  close() {
    for (const frame of this.#frames.values()) frame.close()
  }

  /** The groups that the open panels need, or all. @returns {string[] | "*"} */
  get groups() {
    const shown = this.frames.filter((frame) => this.#isShown(frame))
    if (shown.length === 0 || (this.#only === "" && shown.every((frame) => frame.isOpen))) return "*"
    // Failures of collectors are said in every panel.
    const wanted = new Set([
      "collector",
      ...shown.filter((frame) => frame.isOpen).flatMap((frame) => frame.kind.groups),
    ])
    return [...wanted].slice(0, MAX_GROUPS).sort()
  }

  /** Those that can be jumped to or opened, in order. */
  get frames() {
    return [...this.#frames.values()]
  }

  /** The panel that has the focus, if one has. */
  get focused() {
    return this.frames.find((frame) => frame.element.contains(document.activeElement))
  }

  /** @param {string} key */
  jump(key) {
    const frame = this.#frames.get(key)
    if (frame === undefined || !this.#isShown(frame)) return
    frame.element.scrollIntoView({ block: "center" })
    frame.element.focus({ preventScroll: true })
  }

  /** Write what changed. @param {number} now */
  update(now) {
    this.#addUnknown()
    this.#place()
    this.#frames.get(this.focusNext)?.element.focus({ preventScroll: true })
    this.focusNext = ""
    this.#noPanel.hidden = this.#only === "" || this.#frames.has(this.#only)
    for (const frame of this.#frames.values()) if (this.#isShown(frame)) frame.update(now)
  }

  /** @param {import("../panels/panel.js").Kind} kind */
  #add(kind) {
    const digit = JUMPS.indexOf(kind.key) + 1
    const frame = new PanelFrame(this.#context, kind, {
      digit: digit > 0 ? String(digit) : "",
      usuallyOpen: this.#isUsuallyOpen(kind.key),
      whole: kind.key === this.#only,
      onFold: () => this.#followFold(),
    })
    if (this.#open !== undefined) frame.open(this.#open.includes(kind.key))
    this.#frames.set(kind.key, frame)
  }

  /** Groups that no panel was made for, told by the host or simply sent. */
  #addUnknown() {
    const { samples, host } = this.#context
    const told = host.info.groups && typeof host.info.groups === "object" ? Object.keys(host.info.groups) : []
    for (const group of new Set([...told, ...samples.names])) {
      // A group is named as a host is; what is not came by no topic.
      if (KNOWN_GROUPS.has(group) || group === "pulse" || !isHostId(group) || this.#frames.size >= MAX_GROUPS)
        continue
      const kind = genericKind(group, KEYS)
      if (this.#frames.has(kind.key)) continue
      this.#add(kind)
      this.#onChange()
    }
  }

  #followFold() {
    this.#open = this.frames.filter((frame) => frame.isOpen).map(({ kind }) => kind.key)
    this.#writeAddress()
    this.#context.scheduler.wantText()
  }

  /** What is not as usual is in the address, so that it can be passed on. */
  #writeAddress() {
    if (this.#only !== "") return
    const isUsual = this.frames.every((frame) => frame.isOpen === this.#isUsuallyOpen(frame.kind.key))
    changeQuery({
      open: isUsual
        ? ""
        : this.frames
            .filter((frame) => frame.isOpen)
            .map(({ kind }) => kind.key)
            .join(","),
    })
  }

  /** @param {string} key */
  #isUsuallyOpen(key) {
    return !this.#isPhone || OPEN_ON_PHONES.has(key)
  }

  #place() {
    const others = this.frames.map(({ kind }) => kind.key).filter((key) => !KEYS.has(key))
    const rows = [
      ...ROWS,
      ...paired(["unit", ...others].filter((key) => this.#stateOf(key) === "open")),
      ...paired(["unit", ...others].filter((key) => this.#stateOf(key) !== "open")),
      LAST_ROW,
    ]
    const lines = arrange(rows, (key) => this.#stateOf(key))
    const arranged = JSON.stringify(lines)
    if (arranged === this.#arranged) return
    this.#arranged = arranged
    const focused = document.activeElement
    this.element.replaceChildren(
      this.#noPanel,
      ...lines.map(({ kind, cells }) =>
        element(
          "div",
          { class: `panel-line ${kind}` },
          ...cells.map(({ columns, panels }) =>
            element(
              "div",
              { class: `cell columns-${columns}` },
              ...panels.flatMap((key) => this.#frames.get(key)?.element ?? []),
            ),
          ),
        ),
      ),
    )
    if (focused instanceof HTMLElement && this.element.contains(focused))
      focused.focus({ preventScroll: true })
  }

  /** @param {string} key */
  #stateOf(key) {
    const frame = this.#frames.get(key)
    if (frame === undefined || !this.#isShown(frame)) return "none"
    return frame.isAbsent ? (this.#only === key ? "open" : "absent") : frame.isOpen ? "open" : "folded"
  }

  /** @param {PanelFrame} frame */
  #isShown({ kind }) {
    return this.#only === "" || kind.key === this.#only
  }
}
