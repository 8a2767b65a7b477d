/** Hosts in lines of one height: any order, any number. Of a long fleet only the lines in sight exist. */

import { setAttribute } from "../dom.js"

const ALL_UP_TO = 60
const LINES_BEYOND_SIGHT = 6

/** @typedef {import("../fleet.js").Host} Host */
/** @typedef {import("./fleet-cells.js").Moment} Moment */
/** @typedef {{element: HTMLElement, link: HTMLElement, write: (host: Host, moment: Moment) => void, draw: (host: Host, moment: Moment) => void}} Item one host */
/** @typedef {{perLine: number, lineHeight: number, covered: number}} Geometry covered: what hides the top of the window, in pixels */

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
  /** @type {Moment | undefined} */
  #moment
  #from = 0

  /**
   * @param {{body: HTMLElement, above: HTMLElement, below: HTMLElement, make: (id: string) => Item, geometry: () => Geometry}} parts
   *   above and below stand for the lines out of sight
   */
  constructor({ body, above, below, make, geometry }) {
    this.#body = body
    this.#above = above
    this.#below = below
    this.#make = make
    this.#geometry = geometry
    body.append(above, below)
    body.addEventListener("pointerenter", (event) => { this.#pointed = event.pointerType === "mouse" })
    body.addEventListener("pointerleave", () => { this.#pointed = false })
    body.addEventListener("focusin", (event) => {
      const id = event.target instanceof Element ? event.target.closest("[data-host]")?.getAttribute("data-host") : null
      if (id) this.#point(id)
    })
  }

  /** Ids of the hosts that are in the page, top to bottom. */
  get visible() { return [...this.#items.keys()] }

  /** Id of the host that the keyboard is at, or "". */
  get cursor() { return this.#order.some((host) => host.id === this.#cursor) ? this.#cursor : "" }

  /** The next order counts, whether or not the pointer is here. */
  release() { this.#order = [] }

  /** @param {Host[]} hosts those to show @param {import("./fleet-order.js").Comparison} comparison @param {Moment} moment */
  update(hosts, comparison, moment) {
    this.#order = this.#arrange(hosts, comparison)
    this.#moment = moment
    this.#write(moment)
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
    else if (top + lineHeight > window.innerHeight) window.scrollBy({ top: top + lineHeight - window.innerHeight, behavior: "instant" })
    const { id } = this.#order[place]
    this.#point(id)
    this.#write(this.#moment)
    this.#items.get(id)?.link.focus({ preventScroll: true })
  }

  /** The keyboard is nowhere any more. */
  leave() {
    this.#point("")
    if (document.activeElement instanceof HTMLElement && this.#body.contains(document.activeElement)) document.activeElement.blur()
  }

  /** @param {number} perLine @param {number} lineHeight @param {number} covered */
  #firstInSight(perLine, lineHeight, covered) {
    return Math.max(0, Math.ceil((covered - this.#body.getBoundingClientRect().top) / lineHeight)) * perLine
  }

  /** @param {string} id */
  #point(id) {
    const before = this.#items.get(this.#cursor)
    this.#cursor = id
    if (before) setAttribute(before.element, "data-cursor", null)
    const item = this.#items.get(id)
    if (item) setAttribute(item.element, "data-cursor", "")
  }

  /** Nothing must jump under a click: while the pointer or the focus is here, the order stays. @param {Host[]} hosts @param {import("./fleet-order.js").Comparison} comparison */
  #arrange(hosts, comparison) {
    const held = this.#pointed || this.#body.contains(document.activeElement)
    if (!held || this.#order.length === 0) return hosts.toSorted(comparison)
    const places = new Map(this.#order.map((host, place) => [host.id, place]))
    const place = (/** @type {Host} */ host) => places.get(host.id) ?? Number.MAX_SAFE_INTEGER
    return hosts.toSorted((a, b) => place(a) - place(b) || comparison(a, b))
  }

  /** All text first, then all canvases: measuring between two changes costs a layout each. @param {Moment} moment */
  #write(moment) {
    const { perLine, lineHeight } = this.#geometry()
    const { top } = this.#body.getBoundingClientRect()
    const lines = Math.ceil(this.#order.length / perLine)
    const [first, last] = seen(top, lineHeight, lines)
    const [from, to] = this.#order.length <= ALL_UP_TO ? [0, lines] : [Math.max(0, first - LINES_BEYOND_SIGHT), Math.min(lines, last + LINES_BEYOND_SIGHT)]
    const shown = this.#order.slice(from * perLine, to * perLine)
    this.#place(shown, from * perLine)
    space(this.#above, from * lineHeight)
    space(this.#below, (lines - to) * lineHeight)
    for (const host of shown) this.#item(host).write(host, moment)
    for (const host of this.#order.slice(first * perLine, last * perLine)) this.#items.get(host.id)?.draw(host, moment)
  }

  /** @param {Host[]} shown @param {number} from */
  #place(shown, from) {
    const wanted = new Set(shown.map((host) => host.id))
    for (const [id, item] of this.#items) {
      if (wanted.has(id)) continue
      item.element.remove()
      this.#items.delete(id)
    }
    /** @type {Map<string, Item>} */
    const items = new Map()
    let place = this.#above.nextElementSibling
    shown.forEach((host, index) => {
      const item = this.#item(host)
      if (item.element === place) place = place.nextElementSibling
      else this.#body.insertBefore(item.element, place)
      setAttribute(item.element, "aria-rowindex", item.element.matches("tr") ? String(from + index + 2) : null)
      items.set(host.id, item)
    })
    this.#items = items
  }

  /** @param {Host} host */
  #item({ id }) {
    let item = this.#items.get(id)
    if (item === undefined) {
      item = this.#make(id)
      setAttribute(item.element, "data-host", id)
      setAttribute(item.element, "data-cursor", id === this.#cursor ? "" : null)
      this.#items.set(id, item)
    }
    return item
  }
}

/** First line in sight, and the one after the last. @param {number} top @param {number} lineHeight @param {number} lines @returns {[number, number]} */
function seen(top, lineHeight, lines) {
  const first = Math.min(lines, Math.max(0, Math.floor(-top / lineHeight)))
  return [first, Math.min(lines, Math.max(0, Math.ceil((window.innerHeight - top) / lineHeight)))]
}

/** @param {HTMLElement} spacer @param {number} height */
function space(spacer, height) {
  spacer.hidden = height === 0
  const stretched = spacer.firstElementChild ?? spacer
  if (stretched instanceof HTMLElement) stretched.style.height = `${height}px`
}
