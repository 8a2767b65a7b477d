import { Scale } from "../charts/scale.js"
import { count, duration, isNumber, MISSING } from "../data/numbers.js"
import { element, setText } from "../widgets/dom.js"
import { Panel } from "./panel.js"
import { Facts, Readout } from "./readout.js"

/** @type {import("./panel.js").Kind} */
export const DELIVERY = {
  key: "delivery",
  title: "Delivery",
  groups: [],
  make: (context, kind) => new DeliveryPanel(context, kind),
}

/** How the samples come from the host to the bridge, and how old the newest is here. */
class DeliveryPanel extends Panel {
  #readout
  #told = element("p", { class: "quiet" })
  #facts = new Facts("pairs")

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    const { source } = context.delivery
    const chart = this.chart({
      label: "Latency of pulses to the bridge",
      format: duration,
      source,
      scale: new Scale({ least: 0.01 }),
      sections: 2,
      series: [{ name: "latency", colour: 1, keys: ["latency_seconds"] }],
    })
    chart.element.classList.add("low")
    this.#readout = new Readout(
      [
        { key: "age", large: true, label: "since the last sample" },
        { key: "latency", label: "latency" },
      ],
      this.extent(chart, duration),
    )
    this.body.append(
      this.#readout.element,
      chart.element,
      this.timeAxis(source),
      this.#facts.element,
      this.#told,
    )
  }

  /** @param {import("./panel.js").Payload | undefined} payload @param {number} now */
  update(payload, now) {
    super.update(payload, now)
    const {
      delivery: { latest },
      host,
    } = this.context
    const seconds = (now - host.lastHeard) / 1000
    this.#readout.set("age", seconds >= 0 ? `${seconds.toFixed(seconds < 10 ? 1 : 0)} s` : MISSING)
    this.#readout.set("latency", duration(latest?.latency_seconds))
    setText(this.#told, latest === undefined ? "the bridge tells the rest every 5 s" : "")
    this.#told.hidden = latest !== undefined
    if (latest === undefined) return
    this.#facts.update([
      ["age at the bridge", duration(latest.age_seconds)],
      ["jitter", duration(latest.jitter_seconds)],
      ["host's clock", clockInWords(latest.clock_offset_seconds)],
      ["received", count(latest.received_total)],
      ["lost", count(latest.lost_total)],
      ["late", count(latest.late_total)],
      ["duplicate", count(latest.duplicate_total)],
      ["backfilled", count(latest.backfilled_total)],
    ])
  }
}

/** @param {unknown} seconds by which it is ahead of the bridge's */
function clockInWords(seconds) {
  return isNumber(seconds) ? `${duration(Math.abs(seconds))} ${seconds < 0 ? "behind" : "ahead"}` : MISSING
}
