/** The columns of the fleet table: what each shows, and what it is sorted by. */

import { BUSY_METER_LIMIT } from "../data/limits.js"
import { age, byteRate, celsius, count, isNumber, load, networkRate, uptime } from "../data/numbers.js"
import { element } from "../widgets/dom.js"
import { conditionCell, coresCell, identityCell, meterCell, sparklineCell, textCell } from "./fleet-cells.js"

export { byName } from "./fleet-order.js"

// The bridge gathers pulses for so long.
const PULSE_FRAME_MILLISECONDS = 1000

/**
 * @typedef {import("../data/fleet.js").Host} Host
 * @typedef {{key: string, title: string, label?: string, numeric?: boolean, sort: (host: Host) => unknown,
 *   make: (scheduler: import("../charts/scheduler.js").Scheduler) => import("./fleet-cells.js").Cell}}
 *   FleetColumn
 *   label: the title in full; sort: gives a text or a number
 */

/** @type {FleetColumn[]} */
export const COLUMNS = [
  { key: "name", title: "host", sort: (host) => host.name, make: nameCell },
  {
    key: "cpu",
    title: "CPU",
    numeric: true,
    sort: field("cpu_percent"),
    make: () => meterCell("cpu_percent", BUSY_METER_LIMIT),
  },
  {
    key: "minute",
    title: "last minute",
    label: "mean CPU of the last minute",
    sort: meanOfMinute,
    make: sparklineCell,
  },
  {
    key: "cores",
    title: "cores",
    label: "number of cores",
    sort: (host) => host.info.logical_cores,
    make: coresCell,
  },
  {
    key: "memory",
    title: "memory",
    numeric: true,
    sort: field("memory_percent"),
    make: () => meterCell("memory_percent"),
  },
  {
    key: "swap",
    title: "swap",
    numeric: true,
    sort: field("swap_percent"),
    make: () => meterCell("swap_percent"),
  },
  {
    key: "disk",
    title: "fullest disk",
    numeric: true,
    sort: field("filesystem_percent"),
    make: () => meterCell("filesystem_percent"),
  },
  {
    key: "load",
    title: "load",
    label: "load per core",
    numeric: true,
    sort: loadPerCore,
    make: () => textCell((host) => load(loadPerCore(host))),
  },
  {
    key: "read",
    title: "read",
    label: "read from disks",
    numeric: true,
    sort: field("disk_read_bytes_per_second"),
    make: () => rateCell("disk_read_bytes_per_second"),
  },
  {
    key: "write",
    title: "written",
    label: "written to disks",
    numeric: true,
    sort: field("disk_write_bytes_per_second"),
    make: () => rateCell("disk_write_bytes_per_second"),
  },
  {
    key: "in",
    title: "net ↓",
    label: "net ↓, received",
    numeric: true,
    sort: field("network_receive_bytes_per_second"),
    make: () => rateCell("network_receive_bytes_per_second", networkRate),
  },
  {
    key: "out",
    title: "net ↑",
    label: "net ↑, sent",
    numeric: true,
    sort: field("network_transmit_bytes_per_second"),
    make: () => rateCell("network_transmit_bytes_per_second", networkRate),
  },
  {
    key: "temp",
    title: "temp",
    label: "temp, hottest sensor",
    numeric: true,
    sort: field("temperature_celsius"),
    make: () => textCell((host) => celsius(host.pulse.temperature_celsius)),
  },
  {
    key: "failed",
    title: "failed",
    label: "failed units of systemd",
    numeric: true,
    sort: (host) => host.failedUnits,
    make: () => textCell((host) => count(host.failedUnits)),
  },
  {
    key: "uptime",
    title: "uptime",
    numeric: true,
    sort: field("uptime_seconds"),
    make: () => textCell((host) => uptime(host.pulse.uptime_seconds)),
  },
  {
    key: "seen",
    title: "seen",
    label: "seen, last sample",
    numeric: true,
    sort: (host) => host.lastHeard,
    make: () => textCell(lastSeen),
  },
]

/**
 * Of one core, since a load of 8 is much on 4 cores and little on 64.
 * @param {Host} host
 * @returns {number | undefined}
 */
export function loadPerCore({ info: { logical_cores: cores }, pulse: { load_1m: one } }) {
  return isNumber(cores) && cores > 0 && isNumber(one) ? one / cores : undefined
}

/**
 * "now" while pulses come: an age that jumps between 0 and 1 s says nothing.
 * @param {Host} host
 * @param {{now: number}} moment
 */
export function lastSeen({ state, lastHeard, gapMilliseconds }, { now }) {
  // A host stays live while its bridge is away.
  return state === "live" && now - lastHeard <= gapMilliseconds + PULSE_FRAME_MILLISECONDS
    ? "now"
    : age(lastHeard, now)
}

/** @param {string} name of the pulse @returns {(host: Host) => unknown} */
function field(name) {
  return (host) => host.pulse[name]
}

/** @param {Host} host @returns {number} NaN where nothing is known */
function meanOfMinute({ recent }) {
  let sum = 0
  let rows = 0
  for (let row = recent.first; row < recent.end; row += 1) {
    const value = recent.value("cpu_percent", row)
    if (Number.isNaN(value)) continue
    sum += value
    rows += 1
  }
  return sum / rows
}

/** @returns {import("./fleet-cells.js").Cell & {link: HTMLElement}} */
function nameCell() {
  const identity = identityCell()
  const condition = conditionCell()
  return {
    link: identity.link,
    element: element("div", { class: "name-cell" }, identity.element, condition.element),
    write(host, moment) {
      identity.write(host, moment)
      condition.write(host, moment)
    },
  }
}

/** @param {string} name of the pulse @param {(value: unknown) => string} [format] */
function rateCell(name, format = byteRate) {
  return textCell((host) => format(host.pulse[name]))
}
