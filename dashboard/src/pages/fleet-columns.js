/** The columns of the fleet table: what each shows, and how it is sorted. */

import { element, setAttribute, setText } from "../dom.js"
import { Meter } from "../meter.js"
import { byteRate, celsius, count, isNumber, load, MISSING, MISSING_TITLE, uptime } from "../numbers.js"
import { hostAddress } from "../router.js"
import { StateMark, stateInWords } from "../state.js"
import { drawCores, drawSparkline, MAX_CORES_SHOWN } from "../strips.js"

const TROUBLED_FIRST = ["late", "lost", "waiting", "live", "stopped"]

/**
 * @typedef {{fleet: import("../fleet.js").Fleet, colours: import("../theme.js").Colours, now: number}} Moment
 * @typedef {{key: string, title: string, label?: string, numeric?: boolean, sort?: (host: import("../fleet.js").Host) => unknown,
 *   make: () => {element: Node, write: (host: import("../fleet.js").Host, moment: Moment) => void}}} FleetColumn
 */

/** @type {FleetColumn[]} */
export const COLUMNS = [
  { key: "name", title: "host", sort: (host) => host.name.toLowerCase(), make: nameCell },
  { key: "cpu", title: "CPU", numeric: true, sort: field("cpu_percent"), make: () => meterCell("cpu_percent") },
  { key: "minute", title: "last minute", make: sparklineCell },
  { key: "cores", title: "cores", make: coresCell },
  { key: "memory", title: "memory", numeric: true, sort: field("memory_percent"), make: () => meterCell("memory_percent") },
  { key: "swap", title: "swap", numeric: true, sort: field("swap_percent"), make: () => meterCell("swap_percent") },
  { key: "disk", title: "fullest disk", numeric: true, sort: field("filesystem_percent"), make: () => meterCell("filesystem_percent") },
  { key: "load", title: "load", numeric: true, sort: field("load_1m"), make: () => textCell("load_1m", load) },
  { key: "read", title: "read", numeric: true, sort: field("disk_read_bytes_per_second"), make: () => textCell("disk_read_bytes_per_second", byteRate, "read ") },
  { key: "write", title: "written", numeric: true, sort: field("disk_write_bytes_per_second"), make: () => textCell("disk_write_bytes_per_second", byteRate, "written ") },
  { key: "in", title: "↓", label: "received", numeric: true, sort: field("network_receive_bytes_per_second"), make: () => textCell("network_receive_bytes_per_second", byteRate, "↓ ") },
  { key: "out", title: "↑", label: "sent", numeric: true, sort: field("network_transmit_bytes_per_second"), make: () => textCell("network_transmit_bytes_per_second", byteRate, "↑ ") },
  { key: "temp", title: "temp", label: "hottest sensor", numeric: true, sort: field("temperature_celsius"), make: () => textCell("temperature_celsius", celsius) },
  { key: "uptime", title: "uptime", numeric: true, sort: field("uptime_seconds"), make: () => textCell("uptime_seconds", uptime, "up ") },
]

/** Troubled hosts first, then by name. @param {import("../fleet.js").Host} a @param {import("../fleet.js").Host} b */
export function byTrouble(a, b) {
  return TROUBLED_FIRST.indexOf(a.state) - TROUBLED_FIRST.indexOf(b.state) || byName(a, b)
}

/** @param {import("../fleet.js").Host} a @param {import("../fleet.js").Host} b */
export function byName(a, b) {
  return a.name.localeCompare(b.name, "en", { numeric: true }) || (a.id < b.id ? -1 : 1)
}

/** By a column, hosts without a value last either way. @param {FleetColumn} column @param {boolean} descending */
export function byColumn(column, descending) {
  if (column.key === "name") return descending ? (a, b) => byName(b, a) : byName
  return (a, b) => {
    const [one, other] = [column.sort(a), column.sort(b)]
    if (isNumber(one) !== isNumber(other)) return isNumber(one) ? -1 : 1
    return (isNumber(one) ? (descending ? other - one : one - other) : 0) || byName(a, b)
  }
}

function field(name) {
  return (host) => host.pulse[name]
}

function nameCell() {
  const link = element("a", { class: "host-link" })
  const mark = new StateMark()
  const about = element("span", { class: "about" })
  const synthetic = element("span", { class: "tag", hidden: true, title: "a simulated host, not a real one" }, "synthetic")
  const box = element("div", { class: "name-cell" },
    element("span", { class: "first-line" }, link, synthetic), element("span", { class: "second-line" }, mark.element, about))
  return {
    element: box,
    write(host, { fleet, now }) {
      setText(link, host.name)
      setAttribute(link, "href", hostAddress(host.id))
      setAttribute(link, "title", host.name === host.id ? null : host.id)
      synthetic.hidden = !host.synthetic
      mark.set(host.state, stateInWords(host, fleet, now))
      const { os_name: system, logical_cores: cores } = host.info
      const parts = [shortName(system), isNumber(cores) ? `${count(cores)} ${cores === 1 ? "core" : "cores"}` : ""]
      setText(about, host.state === "live" ? parts.filter(Boolean).join(", ") : "")
    },
  }
}

/** "Debian GNU/Linux 12 (bookworm)" as "Debian 12". @param {unknown} name */
function shortName(name) {
  return typeof name === "string" ? name.replace(/ GNU\/Linux| Linux/g, "").replace(/ \(.*\)$/, "").replace(/ LTS$/, "") : ""
}

function meterCell(name) {
  const meter = new Meter()
  return { element: meter.element, write: (host) => meter.set(host.pulse[name]) }
}

function textCell(name, format, prefix = "") {
  const value = element("span", { class: "number", ...(prefix ? { "data-prefix": prefix } : {}) })
  return {
    element: value,
    write(host) {
      const text = format(host.pulse[name])
      setText(value, text)
      setAttribute(value, "title", text === MISSING ? MISSING_TITLE : null)
    },
  }
}

function sparklineCell() {
  const canvas = element("canvas", { class: "spark", role: "img", "aria-label": "CPU of the last minute" })
  return {
    element: canvas,
    write(host, { fleet, colours, now }) {
      drawSparkline(canvas, host.recent, fleet.offset(host), Math.max(2500, host.intervalSeconds * 2500), now, colours)
    },
  }
}

function coresCell() {
  const canvas = element("canvas", { class: "core-strip", role: "img", "aria-label": "use of each core" })
  const more = element("span", { class: "more" })
  let drawn
  let dressed
  return {
    element: element("div", { class: "cores-cell" }, canvas, more),
    write(host, { colours }) {
      const percents = host.pulse.core_percents
      if (drawn === percents && dressed === colours && canvas.width > 0) return
      drawn = percents
      dressed = colours
      drawCores(canvas, percents, colours)
      const cores = Array.isArray(percents) ? percents.length : Number.NaN
      setText(more, Number.isNaN(cores) ? MISSING : cores > MAX_CORES_SHOWN ? `+${cores - MAX_CORES_SHOWN}` : "")
      setAttribute(more, "title", Number.isNaN(cores) ? MISSING_TITLE : null)
    },
  }
}
