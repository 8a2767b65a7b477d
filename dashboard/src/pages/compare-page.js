/** Some hosts beside each other: a chart for each metric with a line for each host. */

import { WINDOWS_SECONDS } from "../charts/time-view.js"
import { isHostId } from "../data/messages.js"
import { stateInWords } from "../data/state-words.js"
import { hostItem } from "../frame/palette-items.js"
import { changeQuery, hostAddress } from "../frame/router.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"
import { SegmentedControl } from "../widgets/segmented-control.js"
import { StateMark } from "../widgets/state-mark.js"
import { HEADLINE, meaningOf, metricOf, metricsOf } from "./compare-metrics.js"
import { ComparePanel } from "./compare-panel.js"
import { ComparePast } from "./compare-past.js"
import { byName } from "./fleet-columns.js"

const MAX_HOSTS = 8
const MAX_METRICS = 4
const FIRST_METRIC = "cpu_percent"
const LAYOUTS = [
  { value: "overlay", words: "overlay" },
  { value: "small", words: "small multiples" },
]

export class ComparePage {
  #context
  #ids
  #metrics
  #layout
  #seconds
  #unfollow
  #windows
  /** @type {ComparePast[]} */
  #pasts = []
  /** @type {ComparePanel[]} */
  #panels = []
  #built = false
  /** @type {{id: string, mark: StateMark, link: HTMLElement}[]} */
  #chips = []
  #addHost = button("Add host", () => this.#askForHost(), { class: "add" })
  #addMetric = button("Add metric", () => this.#askForMetric(), { class: "add" })
  #hostList = element("ul", { class: "compared", "aria-label": "Hosts compared" })
  #metricList = element("ul", { class: "compared", "aria-label": "Metrics compared" })
  #hint = element("p", { class: "nothing" })
  #grid = element("div", { class: "compare-panels" })

  /**
   * @param {import("../frame/page-context.js").PageContext} context
   * @param {import("../frame/router.js").Route} route
   */
  constructor(context, { query }) {
    this.#context = context
    this.#ids = listed(query.get("hosts")).filter(isHostId).slice(0, MAX_HOSTS)
    this.#metrics = listed(query.get("metric") || FIRST_METRIC)
      .flatMap((id) => metricOf(id) ?? [])
      .slice(0, MAX_METRICS)
    this.#layout = query.get("layout") === "small" ? "small" : "overlay"
    this.#seconds = context.time.seconds
    const windows = WINDOWS_SECONDS.map((value) => ({ value, words: `${value / 60} min` }))
    this.#windows = new SegmentedControl("Window", windows, {
      chosen: () => context.time.seconds,
      choose: (value) => context.time.setSeconds(value),
    })
    const layouts = new SegmentedControl("Layout", LAYOUTS, {
      chosen: () => this.#layout,
      choose: (value) => this.#choose({ layout: value }),
    })
    context.tools.replaceChildren(
      element(
        "nav",
        { class: "host-nav", "aria-label": "Hosts" },
        element("a", { href: context.visited.fleetAddress, class: "back" }, "all hosts"),
      ),
      layouts.element,
      this.#windows.element,
    )
    context.main.replaceChildren(
      element("h1", { class: "page-title" }, "Compare"),
      element("div", { class: "compare-choice" }, this.#hostList, this.#addHost),
      element("div", { class: "compare-choice" }, this.#metricList, this.#addMetric),
      this.#hint,
      this.#grid,
    )
    document.title = "Compare · Fleetglass"
    this.#unfollow = context.time.follow(() => this.#followWindow())
    this.#ask()
  }

  /** Undo the constructor. */
  close() {
    this.#unfollow()
    for (const panel of this.#panels) panel.close()
    this.#context.main.replaceChildren()
    this.#context.tools.replaceChildren()
  }

  /** @param {Record<string, any>} message @param {number} received */
  take(message, received) {
    if (message.type === "pulse") {
      for (const past of this.#pasts)
        past.take(
          HEADLINE,
          Object.hasOwn(message.hosts, past.id) ? message.hosts[past.id] : undefined,
          received,
        )
    }
    if (message.type !== "live" && message.type !== "history") return
    const past = this.#pasts.find(({ id }) => id === message.host)
    for (const [group, given] of Object.entries(message.samples)) {
      if (message.type === "live") past?.take(group, given, received)
      else past?.takePast(group, given)
    }
  }

  /** @returns {import("../frame/actions.js").Action[]} */
  get actions() {
    return [
      { words: "Add a host to compare", keys: ["c"], run: () => this.#askForHost() },
      { words: "Add a metric to compare", keys: ["m"], run: () => this.#askForMetric() },
      {
        words: "Overlay or small multiples",
        keys: ["g"],
        run: () => this.#choose({ layout: this.#layout === "small" ? "overlay" : "small" }),
      },
      {
        words: "All hosts",
        keys: ["Escape"],
        run: () => {
          location.hash = this.#context.visited.fleetAddress
        },
      },
      ...this.#panels.map(({ words, element: panel }) => ({
        words: `Go to ${words}`,
        panel: words,
        run: () => {
          panel.scrollIntoView({ block: "center" })
          panel.focus()
        },
      })),
    ]
  }

  /** @param {number} now */
  update(now) {
    const { fleet } = this.#context
    if (fleet.known && !this.#built) this.#build()
    const words =
      this.#ids.length === 0
        ? "Choose two to eight hosts to compare."
        : this.#metrics.length === 0
          ? "Choose a metric to compare by."
          : ""
    this.#hint.hidden = words === ""
    setText(this.#hint, words)
    for (const { id, mark, link } of this.#chips) {
      const host = fleet.host(id)
      setText(link, host?.fullName ?? id)
      mark.set(
        host?.state ?? "waiting",
        host === undefined
          ? fleet.known
            ? "not known to the bridge"
            : ""
          : host.state === "live"
            ? ""
            : stateInWords(host, now),
      )
    }
    for (const panel of this.#panels) panel.update(now)
  }

  /** The hosts of the page that the bridge knows. */
  get #hosts() {
    return this.#ids.flatMap((id) => this.#context.fleet.host(id) ?? [])
  }

  /**
   * Another selection: everything is asked for anew.
   * @param {{ids?: string[], metrics?: import("./compare-metrics.js").Metric[], layout?: string}} chosen
   */
  #choose({ ids = this.#ids, metrics = this.#metrics, layout = this.#layout }) {
    this.#ids = ids
    this.#metrics = metrics
    this.#layout = layout
    changeQuery({
      hosts: ids.join(","),
      metric: metrics.map(({ id }) => id).join(","),
      layout: layout === "overlay" ? "" : layout,
    })
    this.#ask()
  }

  #ask() {
    // What a host can be compared by is told to those who ask for a group.
    const groups = [...new Set(["collector", ...this.#metrics.map(({ group }) => group)])].filter(
      (group) => group !== HEADLINE,
    )
    for (const panel of this.#panels) panel.close()
    this.#panels = []
    this.#built = false
    this.#grid.replaceChildren()
    this.#pasts = this.#ids.map((id) => new ComparePast(id, this.#context.fleet, this.#measured()))
    this.#writeChoice()
    this.#context.selection.release()
    this.#context.selection.compare(new Map(this.#ids.map((id) => [id, groups])), this.#seconds)
    this.#context.scheduler.wantText()
  }

  #measured() {
    return this.#metrics.map((metric) => ({ ...metric, unit: meaningOf(metric, this.#hosts).unit }))
  }

  #build() {
    this.#built = true
    this.#writeChoice()
    const hosts = this.#pasts.map((past, index) => ({ past, colour: index + 1 }))
    const nameOf = (/** @type {ComparePast} */ past) => past.host?.fullName ?? past.id
    this.#panels =
      hosts.length === 0
        ? []
        : this.#measured().map(
            (metric) =>
              new ComparePanel(this.#context, metric, meaningOf(metric, this.#hosts), hosts, {
                layout: this.#layout,
                nameOf,
              }),
          )
    this.#grid.replaceChildren(...this.#panels.map((panel) => panel.element))
    setAttribute(this.#grid, "data-panels", String(this.#panels.length))
    this.#context.actions.page = this.actions
  }

  #writeChoice() {
    this.#chips = this.#ids.map((id) => ({
      id,
      mark: new StateMark(),
      link: element("a", { href: hostAddress(id) }, id),
    }))
    this.#hostList.replaceChildren(
      ...this.#chips.map(({ id, mark, link }, index) =>
        element(
          "li",
          {},
          element("span", { class: `swatch swatch-${index + 1}`, "aria-hidden": "true" }),
          link,
          mark.element,
          this.#remover(id, this.#addHost, () =>
            this.#choose({ ids: this.#ids.filter((one) => one !== id) }),
          ),
        ),
      ),
    )
    this.#metricList.replaceChildren(
      ...this.#metrics.map((metric) =>
        element(
          "li",
          {},
          meaningOf(metric, this.#hosts).words,
          this.#remover(metric.id, this.#addMetric, () =>
            this.#choose({ metrics: this.#metrics.filter((one) => one !== metric) }),
          ),
        ),
      ),
    )
    this.#addHost.hidden = this.#ids.length >= MAX_HOSTS
    this.#addMetric.hidden = this.#metrics.length >= MAX_METRICS
  }

  /**
   * @param {string} what
   * @param {HTMLElement} focused what gets the focus when this is gone
   * @param {() => void} remove
   */
  #remover(what, focused, remove) {
    return button(
      "×",
      () => {
        remove()
        focused.focus()
      },
      { class: "remove", "aria-label": `Remove ${what}` },
    )
  }

  #askForHost() {
    if (this.#ids.length >= MAX_HOSTS) return
    const others = [...this.#context.fleet.hosts.values()]
      .filter(({ id }) => !this.#ids.includes(id))
      .sort(byName)
    this.#context.ask(
      "Host to compare",
      others.map((host) => hostItem(host, () => this.#choose({ ids: [...this.#ids, host.id] }))),
    )
  }

  #askForMetric() {
    if (this.#metrics.length >= MAX_METRICS) return
    const hosts = this.#hosts.length > 0 ? this.#hosts : [...this.#context.fleet.hosts.values()].slice(0, 1)
    const others = metricsOf(hosts).filter(({ id }) => !this.#metrics.some((one) => one.id === id))
    this.#context.ask(
      "Metric to compare by",
      others.map((metric) => {
        const { words, unit = "" } = meaningOf(metric, hosts)
        return {
          words,
          about: unit,
          found: metric.id,
          kind: metric.group === HEADLINE ? "headline" : "detail",
          run: () => this.#choose({ metrics: [...this.#metrics, metric] }),
        }
      }),
    )
  }

  #followWindow() {
    const { seconds } = this.#context.time
    if (seconds === this.#seconds) return
    const longer = seconds > this.#seconds
    this.#seconds = seconds
    this.#windows.update()
    changeQuery({ win: String(seconds) })
    if (longer) this.#ask()
    this.#context.scheduler.repaint()
  }
}

/** @param {string | null} text with commas @returns {string[]} each once */
function listed(text) {
  return [...new Set((text ?? "").split(",").filter(Boolean))]
}
