import { element } from "../dom.js"
import { celsius, count, isNumber, MISSING } from "../numbers.js"
import { Scale } from "../scale.js"
import { columnKey } from "../store.js"
import { KeyedTable } from "../table.js"
import { SERIES_COLOURS } from "../theme.js"
import { Panel } from "./panel.js"

/** One line per sensor, the hottest first in the table below; fans in words. */
export class TemperaturePanel extends Panel {
  #chart
  #lines = ""
  #fans = element("p", { class: "quiet" })
  #table = new KeyedTable("Temperatures", [
    { title: "sensor", grows: true },
    { title: "now", kind: "number" },
    { title: "high", kind: "number" },
    { title: "critical", kind: "number" },
  ])

  constructor(context) {
    super(context, { group: "sensor", title: "Temperatures", size: "6", none: "no sensors on this host" })
    this.#chart = this.chart({ label: "Temperatures", format: celsius, scale: new Scale({ least: 60 }), series: [] })
    this.body.append(element("div", { class: "beside" },
      element("div", {}, this.#chart.element, this.timeAxis()), element("div", {}, this.#table.element, this.#fans)))
  }

  isEmpty({ temperatures, fans }) {
    return Object.keys(temperatures ?? {}).length === 0 && Object.keys(fans ?? {}).length === 0
  }

  show({ temperatures = {}, fans = {} }) {
    const names = Object.keys(temperatures).sort()
    if (names.join() !== this.#lines) {
      this.#lines = names.join()
      this.#chart.setSeries(names.slice(0, SERIES_COLOURS).map((name, index) => (
        { name, colour: index + 1, keys: [columnKey("temperatures", name, "current_celsius")], filled: false })))
    }
    this.#table.update(names.map((name) => {
      const { label, chip, current_celsius: current, high_celsius: high, critical_celsius: critical } = temperatures[name]
      return { key: name, cells: [nameOf(name, chip, label), celsius(current), celsius(high), celsius(critical)] }
    }))
    ;[...this.#table.element.querySelectorAll("tbody tr")].forEach((row, index) => {
      row.className = index < SERIES_COLOURS ? `line line-${index + 1}` : "line"
    })
    const turning = Object.entries(fans).map(([name, fan]) => `${fan.label || name} ${isNumber(fan.speed_rpm) ? `${count(fan.speed_rpm)} rpm` : MISSING}`)
    this.#fans.textContent = turning.length > 0 ? `fans: ${turning.join(", ")}` : ""
  }
}

function nameOf(key, chip, label) {
  return chip && label ? `${chip} ${label}` : String(chip || label || key)
}
