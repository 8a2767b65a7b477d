/** The fleet: every host in one table or grid. */

import { STATES } from "../data/messages.js"
import { count } from "../data/numbers.js"
import { ASK_MILLISECONDS, RecentPast } from "../data/recent-past.js"
import { MAX_HOSTS } from "../data/selection.js"
import { changeQuery, compareAddress, hostAddress } from "../frame/router.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { AddHost, CompareBar, FilterBar } from "./fleet-bars.js"
import { COLUMNS } from "./fleet-columns.js"
import { FleetGrid } from "./fleet-grid.js"
import { byTrouble, byValue, filterOf, fits, writeTags } from "./fleet-order.js"
import { FleetSummary } from "./fleet-summary.js"
import { rowOf, survey } from "./fleet-survey.js"
import { FleetTable } from "./fleet-table.js"
import { FleetTools, VIEWS } from "./fleet-tools.js"

const VIEW_KEY = "fleetglass.view"
const MAX_TO_COMPARE = 8
const SURVEY_MILLISECONDS = 1000
const NARROW = matchMedia("(max-width: 640px)")

export class FleetPage {
  #context
  /** What the address says. @type {Record<"q" | "state" | "tag" | "sort" | "view" | "hosts", string>} */
  #query
  /** @type {import("./fleet-order.js").Filter} */
  #filter
  /** @type {Set<string>} */
  #picked
  #tools
  #summary
  #table
  #grid
  #filterBar
  #compareBar
  #past = new RecentPast((ids) => this.#context.selection.fleet(ids))
  #pastTimer = 0
  /** @type {import("./fleet-survey.js").Survey | undefined} */
  #survey
  #surveyedAt = 0
  /** What the present choice and order of hosts were made from. @type {unknown[]} */
  #arranged = []
  /** @type {import("./fleet-cells.js").Moment & {arranged: unknown[]} | undefined} */
  #moment
  /** How many hosts fit the filter; before that is known, the place of some is held. */
  #shown = Number.NaN
  #colours
  #wasStill = false
  /** Each ends the following of something. @type {(() => void)[]} */
  #followed
  #nothing = element("p", { class: "nothing", hidden: true })
  #hint = new AddHost()
  #wantText

  /** @param {any} context @param {import("../frame/router.js").Route} route */
  constructor(context, { query }) {
    this.#context = context
    const read = (/** @type {string} */ key) => query.get(key) ?? ""
    this.#query = {
      q: read("q"),
      state: read("state"),
      tag: read("tag"),
      sort: read("sort"),
      view: read("view"),
      hosts: read("hosts"),
    }
    this.#filter = filterOf(query, [...STATES, "attention"])
    this.#picked = new Set(read("hosts").split(",").filter(Boolean).slice(0, MAX_TO_COMPARE))
    this.#wantText = () => context.scheduler.wantText()
    this.#colours = context.theme.colours
    this.#tools = new FleetTools({
      onState: (state) => this.#toggleState(state),
      onWords: (q) => this.#narrow({ q }),
      onView: (view) => this.#show(view),
      onDown: () => this.#list.move("host", 0),
    })
    this.#summary = new FleetSummary(context.scheduler, () => this.#toggleState("attention"))
    this.#table = new FleetTable(context.scheduler, (sort) => this.#sort(sort))
    this.#table.showSort(this.#query.sort)
    this.#grid = new FleetGrid(context.scheduler)
    this.#filterBar = new FilterBar({
      onTag: (tag) => this.#toggleTag(tag),
      onClear: () => this.#clearFilter(),
    })
    this.#compareBar = new CompareBar({
      onCompare: () => this.#compare(),
      onClear: () => this.#pick(new Set()),
    })
    /** @type {HTMLElement[]} */
    const views = [this.#table.element, this.#grid.element]
    for (const hosts of views) {
      hosts.addEventListener("click", (event) => this.#click(event))
      hosts.addEventListener("keydown", (event) => this.#press(event))
    }
    context.tools.replaceChildren(...this.#tools.elements)
    context.main.replaceChildren(
      element("h1", { class: "unseen" }, "Fleet"),
      this.#summary.element,
      this.#filterBar.element,
      ...views,
      this.#nothing,
      this.#compareBar.element,
      this.#hint.element,
    )
    document.title = "Fleetglass"
    context.preferences.choose("density", read("density"))
    this.#followed = [
      context.theme.follow((/** @type {import("../charts/colours.js").Colours} */ colours) => {
        this.#colours = colours
        this.#wantText()
      }),
      context.time.follow(() => this.#followTime()),
      context.preferences.follow(() => changeQuery({ density: context.preferences.get("density") })),
    ]
    window.addEventListener("scroll", this.#wantText, { passive: true })
    window.addEventListener("resize", this.#wantText)
    // While another page was open no pulses came.
    this.#forgetPast()
    this.#choosePresent()
  }

  /** Undo the constructor. */
  close() {
    for (const end of this.#followed) end()
    window.clearTimeout(this.#pastTimer)
    window.removeEventListener("scroll", this.#wantText)
    window.removeEventListener("resize", this.#wantText)
    this.#table.list.close()
    this.#grid.list.close()
    this.#summary.close()
    this.#context.main.replaceChildren()
    this.#context.tools.replaceChildren()
  }

  /** @param {Record<string, any>} message @param {number} received */
  take({ type }, received) {
    if (type === "pulse" && !this.#context.fleet.isStill) {
      // Here and not in `update`, which rests while nobody sees the page.
      this.#survey = this.#look(received)
      this.#context.fleet.sums.append(rowOf(this.#survey), received)
    } else if (type === "host" || type === "fleet") {
      this.#surveyedAt = 0
    }
  }

  /** @returns {import("../frame/actions.js").Action[]} */
  get actions() {
    return [
      { words: "Filter hosts", keys: ["/"], run: () => this.#tools.search.focus() },
      { words: "Next host", keys: ["j"], run: () => this.#list.move("host", 1) },
      { words: "Previous host", keys: ["k"], run: () => this.#list.move("host", -1) },
      { words: "Host below", keys: ["ArrowDown"], run: () => this.#list.move("line", 1) },
      { words: "Host above", keys: ["ArrowUp"], run: () => this.#list.move("line", -1) },
      { words: "Open the host, or compare those picked", keys: ["Enter"], run: () => this.#enter() },
      { words: "Pick the host to compare it", keys: ["c"], run: () => this.#togglePicked(this.#list.cursor) },
      {
        words: "Table or grid",
        keys: ["g"],
        run: () => this.#show(VIEWS.find((view) => view !== this.#view) ?? "table"),
      },
      { words: "Only hosts that need attention", run: () => this.#toggleState("attention") },
      { words: "Pick none, show all hosts", keys: ["Escape"], run: () => this.#escape() },
    ]
  }

  /** @param {number} now */
  update(now) {
    const { fleet } = this.#context
    if (!fleet.known) return
    if (this.#survey === undefined || now - this.#surveyedAt >= SURVEY_MILLISECONDS)
      this.#survey = this.#look(now)
    const { counts, total, alerts } = this.#survey
    const alertsOf = (/** @type {import("../data/fleet.js").Host} */ host) => alerts.get(host) ?? []
    this.#arrange(this.#survey, alertsOf)
    this.#choosePresent()
    // It measures, and so comes before what is written.
    if (!this.#list.update(this.#momentOf(now, alertsOf))) this.#wantText()
    this.#tools.update(counts, { states: this.#filter.states, words: this.#query.q, view: this.#view })
    this.#summary.update(this.#survey, this.#filter.states.has("attention"), {
      sums: fleet.sums,
      colours: this.#colours,
      now,
    })
    this.#filterBar.update(this.#filter, this.#shown, total)
    this.#compareBar.update(this.#picked, (id) => fleet.host(id)?.fullName ?? id)
    this.#writeNothing(total)
    this.#wantPast()
  }

  get #view() {
    const chosen = this.#query.view || localStorage.getItem(VIEW_KEY) || ""
    return VIEWS.includes(chosen) ? chosen : NARROW.matches ? "grid" : "table"
  }

  get #present() {
    return this.#view === "grid" ? this.#grid : this.#table
  }

  get #list() {
    return this.#present.list
  }

  /** @param {number} now */
  #look(now) {
    this.#surveyedAt = now
    return survey(this.#context.fleet.hosts.values(), now)
  }

  /**
   * The same one until something changed.
   * @param {number} now
   * @param {import("./fleet-order.js").AlertsOf} alertsOf
   * @returns {import("./fleet-cells.js").Moment}
   */
  #momentOf(now, alertsOf) {
    if (
      this.#moment === undefined ||
      this.#moment.arranged !== this.#arranged ||
      this.#moment.picked !== this.#picked ||
      this.#moment.colours !== this.#colours
    ) {
      this.#moment = { arranged: this.#arranged, picked: this.#picked, colours: this.#colours, now, alertsOf }
    }
    return this.#moment
  }

  /**
   * Choose and order the hosts, if anything changed since: scrolling changes nothing.
   * @param {import("./fleet-survey.js").Survey} survey
   * @param {import("./fleet-order.js").AlertsOf} alertsOf
   */
  #arrange(survey, alertsOf) {
    const key = [survey, this.#filter, this.#query.sort, this.#view]
    if (key.every((part, index) => part === this.#arranged[index])) return
    this.#arranged = key
    const shown = [...this.#context.fleet.hosts.values()].filter((host) => fits(host, this.#filter, alertsOf))
    this.#shown = shown.length
    this.#present.begin(shown.length)
    this.#list.arrange(shown, this.#comparison(alertsOf))
  }

  /** @param {import("./fleet-order.js").AlertsOf} alertsOf */
  #comparison(alertsOf) {
    const { sort } = this.#query
    const column = COLUMNS.find((one) => one.key === sort.replace(/^-/, ""))
    return column === undefined ? byTrouble(alertsOf) : byValue(column.sort, sort.startsWith("-"))
  }

  #choosePresent() {
    const { known, hosts } = this.#context.fleet
    const none = known && hosts.size === 0
    this.#summary.element.hidden = none
    this.#table.element.hidden = none || this.#shown === 0 || this.#view !== "table"
    this.#grid.element.hidden = none || this.#shown === 0 || this.#view !== "grid"
    setAttribute(this.#context.main, "aria-busy", known ? null : "true")
    this.#hint.update(known, hosts.size - (this.#survey?.counts.get("waiting") ?? 0))
  }

  /** What came while time stood still was left out. */
  #followTime() {
    const { isStill } = this.#context.fleet
    if (this.#wasStill && !isStill) this.#forgetPast()
    this.#wasStill = isStill
  }

  /** The last minute of all hosts is asked for again. */
  #forgetPast() {
    this.#past.forget()
    this.#context.fleet.forgetPast()
    this.#context.selection.fleet([])
  }

  /** @param {number} total */
  #writeNothing(total) {
    this.#nothing.hidden = this.#shown > 0
    setText(
      this.#nothing,
      total === 0 ? "No host has been heard yet." : `No host matches the filter (${count(total)} hidden).`,
    )
  }

  #wantPast() {
    const { hosts } = this.#context.fleet
    const heard = [...hosts.values()].filter((host) => !host.isUnheard).map(({ id }) => id)
    // Of a small fleet all: then the past of its sums is known, too.
    const wanted =
      heard.length <= MAX_HOSTS ? heard : this.#list.visible.filter((id) => !hosts.get(id)?.isUnheard)
    const waits = this.#past.want(wanted, (id) => hosts.get(id)?.filled === true, Date.now())
    if (!waits || this.#pastTimer !== 0) return
    this.#pastTimer = window.setTimeout(() => {
      this.#pastTimer = 0
      this.#wantText()
    }, ASK_MILLISECONDS)
  }

  /** @param {Event} event */
  #click({ target }) {
    if (!(target instanceof HTMLElement)) return
    if (target.dataset.tag !== undefined) this.#toggleTag(target.dataset.tag)
    if (target.matches(".pick-host"))
      this.#togglePicked(target.closest("[data-host]")?.getAttribute("data-host") ?? "")
  }

  /** With hosts picked, Enter compares, wherever the focus is. @param {KeyboardEvent} event */
  #press(event) {
    if (
      event.key !== "Enter" ||
      this.#picked.size < 2 ||
      !(event.target instanceof Element) ||
      !event.target.matches(".host-link")
    )
      return
    event.preventDefault()
    this.#compare()
  }

  #enter() {
    if (this.#picked.size > 1) this.#compare()
    else if (this.#list.cursor !== "") location.hash = hostAddress(this.#list.cursor)
  }

  #escape() {
    if (this.#picked.size > 0) this.#pick(new Set())
    else this.#clearFilter()
    this.#list.leave()
  }

  #compare() {
    if (this.#picked.size > 1) location.hash = compareAddress([...this.#picked])
  }

  /** @param {string} id */
  #togglePicked(id) {
    if (id === "") return
    const picked = new Set(this.#picked)
    if (!picked.delete(id) && picked.size < MAX_TO_COMPARE) picked.add(id)
    this.#pick(picked)
  }

  /** @param {Set<string>} picked */
  #pick(picked) {
    this.#picked = picked
    this.#remember({ hosts: [...picked].join(",") })
  }

  /** @param {string} state */
  #toggleState(state) {
    const states = new Set(this.#filter.states)
    if (!states.delete(state)) states.add(state)
    this.#narrow({ state: [...states].join(",") })
  }

  /** @param {string} tag */
  #toggleTag(tag) {
    const { tags } = this.#filter
    this.#narrow({ tag: writeTags(tags.includes(tag) ? tags.filter((one) => one !== tag) : [...tags, tag]) })
  }

  #clearFilter() {
    this.#tools.search.value = ""
    this.#narrow({ q: "", state: "", tag: "" })
  }

  /** @param {Partial<Record<"q" | "state" | "tag", string>>} change */
  #narrow(change) {
    this.#remember(change)
    this.#filter = filterOf(new URLSearchParams(this.#query), [...STATES, "attention"])
  }

  /** @param {string} sort */
  #sort(sort) {
    this.#table.showSort(sort)
    this.#remember({ sort })
  }

  /** @param {string} view */
  #show(view) {
    localStorage.setItem(VIEW_KEY, view)
    this.#remember({ view })
  }

  /** @param {Partial<Record<"q" | "state" | "tag" | "sort" | "view" | "hosts", string>>} change */
  #remember(change) {
    Object.assign(this.#query, change)
    changeQuery(change)
    this.#wantText()
  }
}
