import { Scale } from "../charts/scale.js"
import { isObject } from "../data/messages.js"
import { bytes, celsius, count, hertz, isNumber, MISSING, percent } from "../data/numbers.js"
import { columnKey } from "../data/store.js"
import { element } from "../widgets/dom.js"
import { KeyedTable } from "../widgets/table.js"
import { devicesOf, Panel } from "./panel.js"
import { ToggledLines } from "./toggled-lines.js"

/** @type {import("./panel.js").Kind} */
export const GPU = {
  key: "gpu",
  title: "GPU",
  groups: ["gpu"],
  none: "no GPU that can be read",
  optional: true,
  isEmpty: ({ devices }) => devicesOf(devices).length === 0,
  make: (context, kind) => new GpuPanel(context, kind),
}

/** What each GPU does, and who uses it. */
class GpuPanel extends Panel {
  #lines
  #users = new KeyedTable("Processes that use GPUs", [
    { title: "process", grows: true },
    { title: "user" },
    { title: "GPU", kind: "number" },
    { title: "memory", kind: "number" },
    { title: "busy", kind: "number" },
    { title: "pid", kind: "number", minor: true },
    { title: "container", minor: true },
  ])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#lines = new ToggledLines(this, {
      label: "GPUs",
      format: percent,
      scale: new Scale({ max: 100 }),
      columns: [
        { title: "GPU", grows: true },
        { title: "busy", kind: "number" },
        { title: "memory", kind: "meter" },
        { title: "used of", kind: "number" },
        { title: "temp", kind: "number" },
        { title: "power", kind: "number" },
        { title: "clock", kind: "number", minor: true },
        { title: "fan", kind: "number", minor: true },
        { title: "state", minor: true },
      ],
    })
    this.body.append(
      element("div", { class: "filled" }, this.#lines.chart.element, this.timeAxis()),
      this.#lines.table,
      this.#users.element,
    )
  }

  /** @param {import("../data/contract.js").Gpu} gpu */
  show({ devices }) {
    const users = devicesOf(devices).flatMap(usersOf)
    this.#users.element.hidden = users.length === 0
    this.#users.update(users)
    this.#lines.set(
      devicesOf(devices).map(([address, gpu]) => ({
        name: address,
        label: nameOf(address, gpu),
        // What Intel's tell is no less than the time with work.
        keys: [columnKey("devices", address, isNumber(gpu.busy_percent) ? "busy_percent" : "awake_percent")],
        cells: [
          `${nameOf(address, gpu)} ${address}`,
          [
            ...(isNumber(gpu.busy_percent) ? [percent(gpu.busy_percent)] : []),
            ...(isNumber(gpu.awake_percent) ? [`awake ${percent(gpu.awake_percent)}`] : []),
          ].join(", ") || MISSING,
          gpu.memory_percent,
          `${bytes(gpu.memory_used_bytes)} / ${bytes(gpu.memory_total_bytes)}`,
          celsius(gpu.temperature_celsius),
          isNumber(gpu.power_watts) ? `${gpu.power_watts.toFixed(1)} W` : MISSING,
          hertz(gpu.clock_hertz),
          [
            isNumber(gpu.fan_percent) ? percent(gpu.fan_percent) : "",
            isNumber(gpu.fan_rpm) ? `${count(gpu.fan_rpm)} rpm` : "",
          ]
            .filter(Boolean)
            .join(" ") || MISSING,
          gpu.state ?? MISSING,
        ],
      })),
    )
  }
}

/**
 * Rows of the processes that use a GPU.
 * @param {[string, import("../data/contract.js").GpuDevice]} device its address, and what it tells
 */
function usersOf([address, { index, processes }]) {
  const list = Array.isArray(processes) ? processes.filter(isObject) : []
  return list.map(({ pid, name, user, memory_bytes, busy_percent, container, instance }) => ({
    key: `${address} ${pid} ${instance ?? ""}`,
    cells: [
      name ?? MISSING,
      user ?? MISSING,
      [isNumber(index) ? String(index) : address, instance].filter(Boolean).join(" "),
      bytes(memory_bytes),
      percent(busy_percent),
      isNumber(pid) ? String(pid) : MISSING,
      container ?? MISSING,
    ],
  }))
}

/** @param {string} address @param {import("../data/contract.js").GpuDevice} gpu */
function nameOf(address, { vendor, name }) {
  return [vendor, name].filter((part) => typeof part === "string" && part !== "").join(" ") || address
}
