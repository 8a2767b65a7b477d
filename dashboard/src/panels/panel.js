/**
 * What is in a panel of the host page: charts, readouts and tables of one host. It lives while the panel is
 * open.
 */

import { LiveChart } from "../charts/live-chart.js"
import { Scale } from "../charts/scale.js"
import { TimeAxis } from "../charts/time-axis.js"
import { drawnLater } from "../charts/time-view.js"
import { isObject } from "../data/messages.js"
import { element, setText } from "../widgets/dom.js"

const TABLE_ROWS = 60

/**
 * @typedef {Record<string, any>} Payload one message of a group, from the network: whoever reads a field
 *   checks it
 * @typedef {{host: import("../data/fleet.js").Host, samples: import("../data/samples.js").Samples,
 *   fleet: import("../data/fleet.js").Fleet, scheduler: import("../charts/scheduler.js").Scheduler,
 *   theme: import("../frame/theme.js").Theme, time: import("../charts/time-view.js").TimeView,
 *   choices: import("./panel-choices.js").PanelChoices,
 *   delivery: import("../data/delivery-record.js").DeliveryRecord}} Context
 * @typedef {{key: string, title: string, groups: string[], make: (context: Context, kind: Kind) => Panel,
 *   none?: string, isEmpty?: (payload: Payload) => boolean, optional?: boolean}} Kind
 *   `groups`: what the panel needs of the bridge, the one that it shows first; `none`: the words for a host
 *   without it;
 *   `isEmpty`: whether the group came but holds nothing of this kind; `optional`: on few hosts, so nothing
 *   waits for it
 */

export class Panel {
  /** @type {Payload | undefined} */
  #shown
  /** @type {LiveChart[]} */
  #charts = []
  /** @type {{close: () => void}[]} */
  #kept = []
  /** @type {(() => void)[]} */
  #extents = []
  body = element("div", { class: "panel-content" })

  /** @param {Context} context @param {Kind} kind */
  constructor(context, kind) {
    this.context = context
    this.kind = kind
  }

  /** Undo the constructor. */
  close() {
    for (const one of [...this.#charts, ...this.#kept]) one.close()
  }

  /** Write what changed. @param {Payload | undefined} payload the newest @param {number} now milliseconds */
  update(payload, now) {
    if (payload !== undefined && payload !== this.#shown) {
      this.#shown = payload
      this.show(payload, now)
    }
    for (const write of this.#extents) write()
  }

  /** Write a payload that was not shown yet. @param {Payload} _payload @param {number} _now */
  show(_payload, _now) {}

  /** Whether there are charts whose last values can be read as a table. */
  get hasTable() {
    return this.#charts.length > 0
  }

  /** The last values of all charts. @returns {{columns: string[], rows: string[][]}[]} */
  tables() {
    return this.#charts.map((chart) => chart.table(TABLE_ROWS))
  }

  /** The newest payload of the first group. */
  get latest() {
    return this.context.samples.group(this.kind.groups[0]).latest
  }

  /** The columns of a group for a chart. @returns {import("../charts/live-chart.js").Source} */
  source(group = this.kind.groups[0]) {
    const { samples, host } = this.context
    return {
      columns: samples.group(group).columns,
      gap: () => samples.gap(group),
      offset: () => host.offsetMilliseconds,
      interval: () => samples.interval(group),
    }
  }

  /**
   * A chart that is closed with the panel.
   * @param {Partial<import("../charts/live-chart.js").Look> & Pick<import("../charts/live-chart.js").Look,
   *   "label" | "format" | "series">} look
   */
  chart(look) {
    const chart = new LiveChart(this.context, {
      source: this.source(),
      scale: new Scale({ max: 100 }),
      ...look,
    })
    this.#charts.push(chart)
    return chart
  }

  /** The times below a chart, closed with the panel. */
  timeAxis(source = this.source()) {
    return this.keep(new TimeAxis(this.context, (end) => end - drawnLater(source.interval()))).element
  }

  /**
   * Anything else to be closed with the panel.
   * @template {{close: () => void}} T
   * @param {T} closable
   * @returns {T}
   */
  keep(closable) {
    this.#kept.push(closable)
    return closable
  }

  /**
   * The lowest and the highest value that a chart shows, in words.
   * @param {LiveChart} chart
   * @param {(value: unknown) => string} format
   * @param {string} [name] of what the chart shows
   */
  extent(chart, format, name = "") {
    const text = element("span", { class: "extent" })
    this.#extents.push(() => {
      const { min, max } = chart.summary()
      setText(text, Number.isFinite(max) ? `${name} ${format(min)} – ${format(max)}`.trim() : "")
    })
    return text
  }

  /** Whether a series is drawn. @param {string} name @param {boolean} usually when nobody chose */
  isShown(name, usually = true) {
    const chosen = this.context.choices.get(this.kind.key, name)
    return typeof chosen === "boolean" ? chosen : usually
  }

  /** @param {string} name @param {boolean} shown */
  choose(name, shown) {
    this.context.choices.set(this.kind.key, name, shown)
  }
}

/**
 * The devices of a payload by name, as far as they are what was agreed.
 * @param {unknown} devices
 * @returns {[string, Payload][]}
 */
export function devicesOf(devices) {
  return isObject(devices)
    ? Object.entries(devices).filter(
        /** @returns {entry is [string, Payload]} */ (entry) => isObject(entry[1]),
      )
    : []
}
