/** One host in full. A page is made for one host and thrown away with it: nothing of another can stay. */

import { DeliveryRecord } from "../data/delivery-record.js"
import { isObject } from "../data/messages.js"
import { clockTime, date } from "../data/numbers.js"
import { Samples } from "../data/samples.js"
import { hostAddress } from "../frame/router.js"
import { JUMPS } from "../panels/catalogue.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { HostIdentity } from "./host-identity.js"
import { HostPanels } from "./host-panels.js"
import { HostTools } from "./host-tools.js"

/** @typedef {import("../data/fleet.js").Host} Host */

export class HostPage {
  #context
  #route
  #id
  #tools
  #unfollow
  #asked = 0
  #identity = new HostIdentity()
  #delivery = new DeliveryRecord()
  /** @type {Samples | undefined} */
  #samples
  /** @type {HostPanels | undefined} */
  #panels
  #unknown = element(
    "p",
    { class: "nothing", hidden: true },
    "No host of this name is known to the bridge. It appears here when its agent is heard.",
  )
  #unheard = element("p", { class: "nothing", hidden: true })
  #place = element("div")

  /**
   * @param {import("../frame/page-context.js").PageContext} context
   * @param {import("../frame/router.js").Route} route
   */
  constructor(context, route) {
    this.#context = context
    this.#route = route
    this.#id = route.host
    this.#tools = new HostTools(context.fleet, route, context.visited.fleetAddress, (seconds) =>
      context.time.setSeconds(seconds),
    )
    this.#unfollow = context.time.follow(() => this.#followTime())
    context.tools.replaceChildren(...this.#tools.elements)
    context.main.replaceChildren(this.#identity.element, this.#unknown, this.#unheard, this.#place)
    this.#tools.showWindow(context.time.seconds)
    const host = context.fleet.host(this.#id)
    if (host !== undefined) this.#adopt(host)
    this.#ask()
  }

  /** Undo the constructor. */
  close() {
    this.#unfollow()
    this.#panels?.close()
    this.#context.main.replaceChildren()
    this.#context.tools.replaceChildren()
    delete this.#context.main.dataset.state
  }

  /** @param {Record<string, any>} message @param {number} received */
  take(message, received) {
    const host = this.#context.fleet.host(this.#id)
    if (host === undefined) return
    this.#adopt(host)
    if (message.type === "host" && message.id === this.#id && isObject(message.delivery))
      this.#delivery.take(message.delivery, received, this.#context.time.pausedAt === undefined)
    if (message.host !== this.#id) return
    if (message.type === "live") this.#samples?.take(message.samples, received)
    if (message.type === "history") this.#samples?.takePast(message.samples, received)
  }

  /** @returns {import("../frame/actions.js").Action[]} */
  get actions() {
    const isWhole = this.#route.panel !== ""
    const frames = this.#panels?.frames ?? []
    const focused = () => this.#panels?.focused
    return [
      { words: "Previous host", keys: ["["], run: () => this.#tools.step(-1) },
      { words: "Next host", keys: ["]"], run: () => this.#tools.step(1) },
      {
        words: isWhole ? "Back to all panels" : "All hosts",
        keys: ["Escape"],
        run: () => {
          location.hash = isWhole ? hostAddress(this.#id) : this.#context.visited.fleetAddress
        },
      },
      {
        words: "Full screen of the panel in focus",
        keys: ["f"],
        when: () => isWhole || focused() !== undefined,
        run: () => this.#fill(isWhole ? "" : focused()?.kind.key),
      },
      {
        words: "Fold or unfold the panel in focus",
        keys: [" "],
        when: () => focused() !== undefined,
        run: () => focused()?.fold(),
      },
      ...(isWhole
        ? []
        : frames.flatMap(({ kind }) => {
            const digit = JUMPS.indexOf(kind.key) + 1
            return [
              {
                words: `Go to ${kind.title}`,
                panel: kind.title,
                ...(digit > 0 ? { keys: [String(digit)] } : {}),
                run: () => this.#panels?.jump(kind.key),
              },
              { words: `${kind.title}, full screen`, run: () => this.#fill(kind.key) },
            ]
          })),
    ]
  }

  /** @param {number} now */
  update(now) {
    const { fleet, main } = this.#context
    const host = fleet.host(this.#id)
    this.#tools.update()
    this.#identity.update(host, this.#id, now)
    document.title = `${host?.fullName ?? this.#id} · Fleetglass`
    this.#unknown.hidden = host !== undefined || !fleet.known
    this.#unheard.hidden = host?.isUnheard !== true
    if (host?.isUnheard) setText(this.#unheard, unheardInWords(host))
    this.#place.hidden = host === undefined || host.isUnheard
    if (host !== undefined) {
      this.#adopt(host)
      setAttribute(main, "data-state", host.state)
      this.#panels?.update(now)
    }
    this.#ask()
  }

  /** A host that was removed and comes again is another one. @param {Host} host */
  #adopt(host) {
    if (this.#samples?.host === host) return
    const { fleet, scheduler, theme, time } = this.#context
    this.#panels?.close()
    this.#samples = new Samples(host, time)
    this.#panels = new HostPanels(
      { host, samples: this.#samples, fleet, scheduler, theme, time, delivery: this.#delivery },
      this.#route,
      () => this.#tellActions(),
    )
    this.#panels.focusNext = this.#route.panel === "" ? this.#context.visited.panelLeft(this.#id) : ""
    this.#place.replaceChildren(this.#panels.element)
    this.#tellActions()
  }

  /** @param {string | undefined} panel alone on the page; "" for all */
  #fill(panel) {
    if (panel !== undefined) location.hash = hostAddress(this.#id, panel)
  }

  #tellActions() {
    this.#context.actions.page = this.actions
  }

  /** Who is there is not known yet only for a moment; before that it is not known which groups are wanted. */
  #ask() {
    const { fleet, selection, time } = this.#context
    if (this.#panels === undefined && !fleet.known) return
    const groups = this.#panels?.groups ?? "*"
    if (time.seconds > this.#asked && this.#asked > 0) selection.hostAnew(this.#id, time.seconds, groups)
    else selection.host(this.#id, time.seconds, groups)
    this.#asked = time.seconds
  }

  #followTime() {
    const { time } = this.#context
    this.#tools.showWindow(time.seconds)
    if (time.pausedAt === undefined) this.#samples?.goOn()
    this.#context.scheduler.repaint()
    this.#ask()
  }
}

/** @param {Host} host */
function unheardInWords({ id, sinceMilliseconds: since }) {
  return (
    `This host is expected and has not reported yet. The bridge has waited for it since ${date(since)} ` +
    `${clockTime(since)}. It appears here when an agent with the host id ${id} reaches the broker.`
  )
}
