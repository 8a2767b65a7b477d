/** What every panel of the host page is: a box with its title in the border, a readout, and a body. */

import { TimeAxis } from "../axis.js"
import { element, setText } from "../dom.js"
import { MISSING } from "../numbers.js"
import { Scale } from "../scale.js"
import { LiveChart } from "../chart.js"
import { drawnLater } from "../time-view.js"

/**
 * @typedef {{host: import("../fleet.js").Host, samples: import("../samples.js").Samples, fleet: import("../fleet.js").Fleet,
 *   scheduler: import("../scheduler.js").Scheduler, theme: import("../theme.js").Theme, time: import("../time-view.js").TimeView}} Context
 */

export class Panel {
  #shown
  #note = element("p", { class: "note", hidden: true })
  #charts = []
  body = element("div", { class: "panel-body" })

  /**
   * @param {Context} context
   * @param {{group: string, title: string, size: string, none?: string}} what `none`: the words for a host without it
   */
  constructor(context, { group, title, size, none = "not available on this host" }) {
    this.context = context
    this.group = group
    this.none = none
    const id = `panel-${group}-${size}-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`
    this.element = element("section", { class: `panel size-${size}`, "data-panel": group, "aria-labelledby": id },
      element("h2", { class: "panel-title", id }, title), this.#note, this.body)
  }

  get samples() { return this.context.samples.group(this.group) }

  /** Write what changed. @param {number} now */
  update(now) {
    const payload = this.samples.latest
    this.#write(this.#words(payload))
    this.body.hidden = payload === undefined || this.isEmpty(payload)
    if (payload === undefined || payload === this.#shown) return
    this.#shown = payload
    if (!this.body.hidden) this.show(payload, now)
  }

  /** Undo the constructor. */
  close() {
    for (const chart of this.#charts) chart.close()
  }

  /** Whether the group came but holds nothing of this kind. @param {Record<string, any>} _payload */
  isEmpty(_payload) { return false }

  /** @param {Record<string, any>} _payload @param {number} _now */
  show(_payload, _now) {}

  /** The columns of this panel's group for a chart. @returns {import("../chart.js").Source} */
  source(group = this.group) {
    const { samples, fleet, host } = this.context
    return {
      columns: samples.group(group).columns,
      gap: () => samples.gap(group),
      offset: () => fleet.offset(host),
      interval: () => samples.interval(group),
    }
  }

  /** A chart that is closed with the panel. */
  chart(look) {
    const chart = new LiveChart(this.context, { source: this.source(), scale: new Scale({ max: 100 }), ...look })
    this.#charts.push(chart)
    return chart
  }

  /** The times below a chart, closed with the panel. */
  timeAxis() {
    const source = this.source()
    return this.keep(new TimeAxis(this.context, (end) => end - drawnLater(source.interval()))).element
  }

  /** Anything else to be closed with the panel. */
  keep(closable) {
    this.#charts.push(closable)
    return closable
  }

  #words(payload) {
    const run = this.context.samples.group("collector").latest?.collectors
    const own = run && Object.hasOwn(run, this.group) ? run[this.group] : undefined
    if (own?.state === "failed" || own?.state === "late") {
      return `collector ${own.state}${own.reason ? `: ${own.reason}` : ""}`
    }
    if (payload !== undefined) return this.isEmpty(payload) ? this.none : ""
    const groups = this.context.host.info.groups
    if (groups && !Object.hasOwn(groups, this.group)) return this.none
    return this.context.host.state === "live" ? "waiting for the first sample" : "no sample received"
  }

  #write(words) {
    setText(this.#note, words)
    this.#note.hidden = words === ""
  }
}

/** The row above a chart: one large value, and the legend whose entries are values too. */
export class Readout {
  #values = new Map()

  /** @param {{key: string, label?: string, colour?: number, large?: boolean}[]} items */
  constructor(items) {
    this.element = element("dl", { class: "readout" })
    for (const { key, label, colour, large } of items) {
      const value = element("dd", { class: large ? "large" : "" }, MISSING)
      const swatch = colour ? [element("span", { class: `swatch swatch-${colour}`, "aria-hidden": "true" })] : []
      this.element.append(element("div", { class: large ? "reading large" : "reading" },
        element("dt", {}, ...swatch, label ?? ""), value))
      this.#values.set(key, value)
    }
  }

  /** @param {string} key @param {string} text */
  set(key, text) { setText(this.#values.get(key), text) }
}

/** A list of names and values that may be missing. */
export class Facts {
  #rows = new Map()
  element = element("dl", { class: "facts" })

  /** @param {[string, string][]} facts name and value; a dash is left out */
  update(facts) {
    const shown = new Set()
    for (const [name, value] of facts) {
      if (value === MISSING || value === "") continue
      shown.add(name)
      let row = this.#rows.get(name)
      if (row === undefined) {
        row = { value: element("dd") }
        row.element = element("div", {}, element("dt", {}, name), row.value)
        this.#rows.set(name, row)
        this.element.append(row.element)
      }
      setText(row.value, value)
    }
    for (const [name, row] of this.#rows) {
      if (shown.has(name)) continue
      row.element.remove()
      this.#rows.delete(name)
    }
  }
}
