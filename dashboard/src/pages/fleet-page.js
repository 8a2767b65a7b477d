/** The fleet: every host in one table. */

import { button, element, setAttribute, setText } from "../dom.js"
import { STATES } from "../fleet.js"
import { count } from "../numbers.js"
import { changeQuery } from "../router.js"
import { FleetSummary } from "./fleet-summary.js"
import { FleetTable } from "./fleet-table.js"

const HINT_UP_TO_HOSTS = 3

export class FleetPage {
  #context
  #query
  #states
  #table
  #colours
  #unfollow
  #summary = new FleetSummary()
  #counters = new Map()
  #search = element("input", { type: "search", class: "search", placeholder: "filter  /", "aria-label": "Filter hosts by name, system, tag or state", autocomplete: "off", spellcheck: "false" })
  #nothing = element("p", { class: "nothing", hidden: true })
  #hint = addHost()
  #title = element("h1", { class: "unseen" }, "Fleet")
  #onScroll = () => this.#context.scheduler.wantText()

  /** @param {object} context @param {import("../router.js").Route} route */
  constructor(context, { query }) {
    this.#context = context
    this.#query = { q: query.get("q") ?? "", state: query.get("state") ?? "", sort: query.get("sort") ?? "" }
    this.#states = new Set(this.#query.state.split(",").filter((state) => STATES.includes(state)))
    this.#table = new FleetTable(this.#query.sort, (sort) => this.#remember({ sort }))
    this.#search.value = this.#query.q
    this.#search.addEventListener("input", () => this.#remember({ q: this.#search.value }))
    this.#search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return
      this.#search.value = ""
      this.#search.blur()
      this.#remember({ q: "" })
    })
    context.tools.replaceChildren(this.#makeCounters(), this.#search)
    context.main.replaceChildren(this.#title, this.#summary.element, this.#table.element, this.#nothing, this.#hint)
    document.title = "Fleetglass"
    this.#unfollow = context.theme.follow((colours) => {
      this.#colours = colours
      context.scheduler.wantText()
    })
    window.addEventListener("scroll", this.#onScroll, { passive: true })
    window.addEventListener("resize", this.#onScroll)
    context.selection.fleet([])
  }

  /** Undo the constructor. */
  close() {
    this.#unfollow()
    window.removeEventListener("scroll", this.#onScroll)
    window.removeEventListener("resize", this.#onScroll)
    this.#context.main.replaceChildren()
    this.#context.tools.replaceChildren()
  }

  take() {}

  /** @returns {import("../actions.js").Action[]} */
  get actions() {
    return [{ words: "Filter hosts", keys: ["/"], run: () => this.#search.focus() }]
  }

  /** @param {number} now */
  update(now) {
    const { fleet } = this.#context
    const all = [...fleet.hosts.values()]
    const shown = all.filter((host) => this.#isWanted(host))
    this.#summary.update(all)
    this.#table.update(shown, { fleet, colours: this.#colours, now })
    this.#writeCounters(fleet.counts())
    this.#table.element.hidden = shown.length === 0
    this.#summary.element.hidden = all.length === 0
    this.#hint.hidden = !fleet.known || all.length > HINT_UP_TO_HOSTS
    this.#nothing.hidden = shown.length > 0
    setText(this.#nothing, !fleet.known ? "" : all.length === 0 ? "No host has been heard yet." : `None of ${count(all.length)} hosts fits the filter.`)
    if (fleet.known) this.#context.selection.fleet(this.#table.visible)
  }

  #isWanted(host) {
    if (this.#states.size > 0 && !this.#states.has(host.state)) return false
    const words = this.#query.q.toLowerCase().split(/\s+/).filter(Boolean)
    if (words.length === 0) return true
    const tags = Array.isArray(host.info.tags) ? host.info.tags : []
    const text = [host.id, host.name, host.state, host.info.os_name ?? "", host.synthetic ? "synthetic" : "", ...tags].join("\n").toLowerCase()
    return words.every((word) => text.includes(word))
  }

  #remember(change) {
    Object.assign(this.#query, change)
    changeQuery(this.#query)
    this.#context.scheduler.wantText()
  }

  #makeCounters() {
    const box = element("div", { class: "counters", role: "group", "aria-label": "Filter by state" })
    for (const state of STATES) {
      const number = element("span", { class: "number" }, "0")
      const one = button("", () => this.#toggle(state), { class: "counter", "data-state": state, "aria-pressed": "false" })
      one.append(element("span", { class: "glyph", "aria-hidden": "true" }), number, element("span", { class: "counter-word" }, ` ${state}`))
      this.#counters.set(state, { element: one, number })
      box.append(one)
    }
    return box
  }

  #toggle(state) {
    if (!this.#states.delete(state)) this.#states.add(state)
    this.#remember({ state: [...this.#states].join(",") })
  }

  #writeCounters(counts) {
    for (const [state, { element: one, number }] of this.#counters) {
      setText(number, count(counts.get(state)))
      one.hidden = state !== "live" && counts.get(state) === 0 && !this.#states.has(state)
      setAttribute(one, "aria-pressed", String(this.#states.has(state)))
    }
  }
}

/** How a host comes to be here, to copy. */
function addHost() {
  const command = `fleetglass agent --broker mqtt://${location.hostname || "127.0.0.1"}:1883`
  const copy = button("Copy", async () => {
    await navigator.clipboard?.writeText(command)
    setText(copy, "Copied")
  })
  return element("section", { class: "hint", hidden: true, "aria-label": "Add a host" },
    element("p", {}, "To see a host here, run the agent on it. It publishes to the broker once per second and appears by itself:"),
    element("p", { class: "command" }, element("code", {}, command), copy))
}
