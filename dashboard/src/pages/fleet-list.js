/** Hosts in lines of one height: any order, any number. Of a long fleet only the lines in sight exist. */

import { setAttribute } from "../widgets/dom.js"

const ALL_UP_TO = 60
const LINES_BEYOND_SIGHT = 6
// A frame must not wait for hundreds of hosts: what is over comes in the next ones.
const NEW_LINES_IN_FRAME = 12
const WRITE_BUDGET_MILLISECONDS = 4

/** @typedef {import("../data/fleet.js").Host} Host */
/** @typedef {import("./fleet-cells.js").Moment} Moment */
/**
 * @typedef {{element: HTMLElement, link: HTMLElement, write: (host: Host, moment: Moment,
 *   place: number) => void, close: () => void}} Item one host; place: from 0, in the order
 */
/**
 * @typedef {{perLine: number, lineHeight: number, gap: number, covered: number}} Geometry lineHeight: with
 *   the gap below; covered: what hides the top of the window; in pixels
 */

export class HostList {
  #body
  #above
  #below
  #make
  #geometry
  /** @type {Map<string, Item>} */
  #items = new Map()
  /** @type {Host[]} */
  #order = []
  #pointed = false
  /** Id of the host that the keyboard is at. */
  #cursor = ""
  /** Whether that host gets the focus as soon as it is in the page. */
  #focusIsDue = false
  /** @type {Moment | undefined} */
  #moment
  /** The moment that each shows; nothing, where it is still another host's. @type {WeakMap<Item, Moment>} */
  #shows = new WeakMap()

  /**
   * @param {{body: HTMLElement, above: HTMLElement, below: HTMLElement, make: () => Item,
   *   geometry: () => Geometry}} parts
   *   above and below stand for the lines out of sight
   */
  constructor({ body, above, below, make, geometry }) {
    this.#body = body
    this.#above = above
    this.#below = below
    this.#make = make
    this.#geometry = geometry
    body.append(above, below)
    body.addEventListener("pointerenter", (event) => {
      this.#pointed = event.pointerType === "mouse"
    })
    body.addEventListener("pointerleave", () => {
      this.#pointed = false
    })
    body.addEventListener("focusin", (event) => {
      const id =
        event.target instanceof Element
          ? event.target.closest("[data-host]")?.getAttribute("data-host")
          : null
      if (id) this.#point(id)
    })
  }

  /** Ids of the hosts that are in the page, top to bottom. */
  get visible() {
    return [...this.#items.keys()]
  }

  /** Id of the host that the keyboard is at, or "". */
  get cursor() {
    return this.#order.some((host) => host.id === this.#cursor) ? this.#cursor : ""
  }

  /** The next order counts, whether or not the pointer is here. */
  release() {
    this.#order = []
  }

  /** @param {Host[]} hosts those to show @param {import("./fleet-order.js").Comparison} comparison */
  arrange(hosts, comparison) {
    this.#order = this.#arrange(hosts, comparison)
  }

  /**
   * Bring some of what is in sight up to date.
   * @param {Moment} moment the same one as long as nothing changed
   * @returns {boolean} whether all is
   */
  update(moment) {
    this.#moment = moment
    return this.#write(moment)
  }

  /** Undo what was made. */
  close() {
    for (const item of this.#items.values()) item.close()
  }

  /** Move the keyboard's place, and the focus with it. @param {"host" | "line"} step @param {number} by */
  move(step, by) {
    if (this.#moment === undefined || this.#order.length === 0) return
    const { perLine, lineHeight, covered } = this.#geometry()
    const at = this.#order.findIndex((host) => host.id === this.#cursor)
    const first = this.#firstInSight(perLine, lineHeight, covered)
    const wanted = at < 0 ? first : at + by * (step === "line" ? perLine : 1)
    const place = Math.max(0, Math.min(this.#order.length - 1, wanted))
    const top = this.#body.getBoundingClientRect().top + Math.floor(place / perLine) * lineHeight
    if (top < covered) window.scrollBy({ top: top - covered, behavior: "instant" })
    else if (top + lineHeight > window.innerHeight)
      window.scrollBy({ top: top + lineHeight - window.innerHeight, behavior: "instant" })
    const { id } = this.#order[place]
    this.#write(this.#moment)
    const link = this.#items.get(id)?.link
    if (link) link.focus({ preventScroll: true })
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    this.#point(id)
    this.#focusIsDue = link === undefined
  }

  /** The keyboard is nowhere any more. */
  leave() {
    this.#point("")
    if (document.activeElement instanceof HTMLElement && this.#body.contains(document.activeElement))
      document.activeElement.blur()
  }

  /** @param {number} perLine @param {number} lineHeight @param {number} covered */
  #firstInSight(perLine, lineHeight, covered) {
    return Math.max(0, Math.ceil((covered - this.#body.getBoundingClientRect().top) / lineHeight)) * perLine
  }

  /** @param {string} id */
  #point(id) {
    this.#focusIsDue = false
    const before = this.#items.get(this.#cursor)
    this.#cursor = id
    if (before) setAttribute(before.element, "data-cursor", null)
    const item = this.#items.get(id)
    if (item) setAttribute(item.element, "data-cursor", "")
  }

  /**
   * Nothing must jump under a click: while the pointer or the focus is here, the order stays.
   * @param {Host[]} hosts
   * @param {import("./fleet-order.js").Comparison} comparison
   */
  #arrange(hosts, comparison) {
    const wanted = new Set(hosts)
    const before = this.#order.filter((host) => wanted.delete(host))
    const held = before.length > 0 && (this.#pointed || this.#body.contains(document.activeElement))
    // Almost sorted already, and so sorted again in no time.
    return held ? [...before, ...[...wanted].sort(comparison)] : [...before, ...wanted].sort(comparison)
  }

  /**
   * First line that is in the page, the one after the last, whether these are all that belong there, and the
   * hosts in them.
   * @returns {{spaceOf: (lines: number) => number, lines: number, from: number, to: number, isWhole: boolean,
   *   shown: Host[]}}
   */
  #measure() {
    const { perLine, lineHeight, gap } = this.#geometry()
    const { top } = this.#body.getBoundingClientRect()
    const lines = Math.ceil(this.#order.length / perLine)
    const first = Math.min(lines, Math.max(0, Math.floor(-top / lineHeight)))
    const last = Math.min(lines, Math.max(0, Math.ceil((window.innerHeight - top) / lineHeight)))
    const few = this.#order.length <= ALL_UP_TO
    const from = few ? 0 : Math.max(0, first - LINES_BEYOND_SIGHT)
    const wanted = few ? lines : Math.min(lines, last + LINES_BEYOND_SIGHT)
    const to = Math.min(wanted, from + Math.floor(this.#items.size / perLine) + NEW_LINES_IN_FRAME)
    const spaceOf = (/** @type {number} */ lines) => Math.max(0, lines * lineHeight - gap)
    return {
      spaceOf,
      lines,
      from,
      to,
      isWhole: to === wanted,
      shown: this.#order.slice(from * perLine, to * perLine),
    }
  }

  /**
   * What is measured comes first, what is written last: so a layout is computed once.
   * @param {Moment} moment
   * @returns {boolean} whether all is written
   */
  #write(moment) {
    const { spaceOf, lines, from, to, isWhole, shown } = this.#measure()
    const focused = document.activeElement
    this.#place(shown)
    // A row that is moved within the page loses the focus.
    const link = this.#focusIsDue ? this.#items.get(this.#cursor)?.link : focused
    if (document.activeElement === document.body && link instanceof HTMLElement && this.#body.contains(link))
      link.focus({ preventScroll: true })
    space(this.#above, spaceOf(from))
    space(this.#below, spaceOf(lines - to))
    return this.#writeSome(shown, moment) && isWhole
  }

  /** @param {Host[]} shown @param {Moment} moment @returns {boolean} whether none is left */
  #writeSome(shown, moment) {
    const late = performance.now() + WRITE_BUDGET_MILLISECONDS
    const start = this.#order.indexOf(shown[0])
    let isAll = true
    for (const [index, host] of shown.entries()) {
      const item = /** @type {Item} */ (this.#items.get(host.id))
      if (this.#shows.get(item) === moment) continue
      if (this.#shows.has(item) && performance.now() > late) {
        isAll = false
        continue
      }
      item.write(host, moment, start + index)
      this.#shows.set(item, moment)
    }
    return isAll
  }

  /**
   * What went out of sight is used again for what came in: scrolling makes nothing new.
   * @param {Host[]} shown
   */
  #place(shown) {
    const wanted = new Set(shown.map((host) => host.id))
    /** @type {Item[]} */
    const spare = []
    for (const [id, item] of this.#items) {
      if (wanted.has(id)) continue
      this.#items.delete(id)
      // The focus must not find itself at another host.
      if (item.element.contains(document.activeElement)) drop(item)
      else spare.push(item)
    }
    const items = new Map(
      shown.map((host) => [host.id, this.#items.get(host.id) ?? this.#adopt(spare.pop(), host.id)]),
    )
    for (const item of spare) drop(item)
    this.#items = items
    let place = this.#above.nextElementSibling
    for (const { element } of items.values()) {
      if (element === place) place = place.nextElementSibling
      else this.#body.insertBefore(element, place)
    }
  }

  /** @param {Item | undefined} item @param {string} id */
  #adopt(item, id) {
    const adopted = item ?? this.#make()
    this.#shows.delete(adopted)
    setAttribute(adopted.element, "data-host", id)
    setAttribute(adopted.element, "data-cursor", id === this.#cursor ? "" : null)
    return adopted
  }
}

/** @param {Item} item */
function drop(item) {
  item.element.remove()
  item.close()
}

/** @param {HTMLElement} spacer @param {number} height */
function space(spacer, height) {
  spacer.hidden = height === 0
  const stretched = spacer.firstElementChild ?? spacer
  if (stretched instanceof HTMLElement) stretched.style.height = `${height}px`
}
