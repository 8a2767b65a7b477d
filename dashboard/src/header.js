/** The strip at the top: where one is, what the page is connected to, and the viewer's choices. */

import { button, element, setAttribute, setText } from "./dom.js"
import { FLEET_ADDRESS } from "./router.js"
import { silentSeconds } from "./socket.js"

export class Header {
  /** Where the page of the moment puts its own tools. */
  tools = element("div", { class: "tools" })
  #link = element("span", { class: "link-chip" })
  #theme
  #context

  /** @param {HTMLElement} root @param {{theme: import("./theme.js").Theme}} context */
  constructor(root, context) {
    this.#context = context
    this.#theme = button("", () => this.#nextTheme(), { class: "theme" })
    root.append(
      element("a", { class: "brand", href: FLEET_ADDRESS }, "Fleetglass"),
      this.tools,
      element("div", { class: "header-end" }, this.#link, this.#theme),
    )
    this.#nameTheme()
  }

  /** @param {import("./socket.js").Link} link @param {import("./fleet.js").Fleet} fleet @param {number} now */
  update(link, fleet, now) {
    const open = link.phase === "open"
    const silent = silentSeconds(link, now) > 0
    const state = !open || silent ? "lost" : fleet.broker.state === "connected" ? "live" : "late"
    setAttribute(this.#link, "data-state", state)
    const latency = link.latency === undefined ? "" : ` · ${Math.max(0, Math.round(link.latency))} ms`
    setText(this.#link, !open ? "not connected" : silent ? "silent" : state === "live" ? `live${latency}` : "no broker")
    setAttribute(this.#link, "title", open ? `bridge ${fleet.bridgeVersion}, round trip` : "the page has no connection to its bridge")
  }

  #nextTheme() {
    this.#context.theme.next()
    this.#nameTheme()
  }

  #nameTheme() {
    setText(this.#theme, this.#context.theme.choice)
    setAttribute(this.#theme, "aria-label", `Theme: ${this.#context.theme.choice}`)
  }
}
