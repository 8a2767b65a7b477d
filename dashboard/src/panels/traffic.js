/** Two directions of one device, mirrored about a middle line, and a table of all devices to choose from. */

import { element } from "../dom.js"
import { byteRate } from "../numbers.js"
import { Scale } from "../scale.js"
import { columnKey } from "../store.js"
import { KeyedTable } from "../table.js"
import { Panel, Readout } from "./panel.js"

export class TrafficPanel extends Panel {
  #kind
  #charts
  #table
  #readout
  #devices = new Map()
  #picked

  /**
   * @param {import("./panel.js").Context} context
   * @param {{what: {group: string, title: string, size: string, none: string}, list: string, up: {label: string, field: string}, down: {label: string, field: string},
   *   columns: import("../table.js").Column[], cells: (name: string, device: Record<string, any>) => unknown[],
   *   rank: (name: string, device: Record<string, any>) => number}} kind `list`: where the payload keeps its devices
   */
  constructor(context, kind) {
    super(context, kind.what)
    this.#kind = kind
    const scale = new Scale({ least: 1024, binary: true })
    this.#charts = [kind.up, kind.down].map(({ label, field }, index) =>
      this.chart({ label: `${kind.what.title}, ${label}`, format: byteRate, scale, sections: 2, flipped: index === 1,
        series: this.#series(field, index) }))
    this.#readout = new Readout([
      { key: "up", large: true, label: kind.up.label, colour: 1 },
      { key: "down", large: true, label: kind.down.label, colour: 2 },
      { key: "device", label: "device" },
    ])
    this.#table = new KeyedTable(`${kind.what.title} by device`, kind.columns, (name) => this.#pick(name))
    this.body.append(this.#readout.element,
      element("div", { class: "mirror" }, ...this.#charts.map((chart) => chart.element)), this.timeAxis(), this.#table.element)
  }

  isEmpty(payload) { return this.#list(payload).length === 0 }

  show(payload) {
    this.#devices = new Map(this.#list(payload))
    const ranked = [...this.#devices].sort((a, b) => this.#kind.rank(...b) - this.#kind.rank(...a))
    if (!this.#devices.has(this.#picked)) this.#pick(ranked[0][0])
    else this.#write()
  }

  #list(payload) {
    const list = payload[this.#kind.list]
    return list && typeof list === "object" ? Object.entries(list).filter(([, device]) => device && typeof device === "object") : []
  }

  #pick(name) {
    this.#picked = name
    const { up, down } = this.#kind
    this.#charts.forEach((chart, index) => chart.setSeries(this.#series([up, down][index].field, index)))
    this.context.scheduler.repaint()
    this.#write()
  }

  #series(field, index) {
    const keys = this.#picked === undefined ? [] : [columnKey(this.#kind.list, this.#picked, field)]
    return [{ name: field, colour: index + 1, keys }]
  }

  #write() {
    const { up, down, cells, rank } = this.#kind
    const device = this.#devices.get(this.#picked) ?? {}
    this.#readout.set("up", byteRate(device[up.field]))
    this.#readout.set("down", byteRate(device[down.field]))
    this.#readout.set("device", this.#picked ?? "")
    const order = [...this.#devices].sort(([a, one], [b, other]) =>
      Number(rank(a, one) < 0) - Number(rank(b, other) < 0) || a.localeCompare(b))
    this.#table.update(order.map(([name, one]) => ({ key: name, cells: cells(name, one), picked: name === this.#picked })))
  }
}
