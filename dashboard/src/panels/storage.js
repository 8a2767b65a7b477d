import {
  bytes,
  celsius,
  clockTime,
  count,
  date,
  isNumber,
  MISSING,
  percent,
  uptime,
} from "../data/numbers.js"
import { KeyedTable } from "../widgets/table.js"
import { devicesOf, Panel } from "./panel.js"

/** @type {import("./panel.js").Kind} */
export const STORAGE = {
  key: "storage",
  title: "Disk health",
  groups: ["storage"],
  none: "not asked for",
  optional: true,
  isEmpty: ({ disks, arrays }) => devicesOf(disks).length + devicesOf(arrays).length === 0,
  make: (context, kind) => new StoragePanel(context, kind),
}

/** What each count of errors is called; a disk or array without any shows one 0. */
const DISK_ERRORS = [
  ["reallocated_sectors", "reallocated"],
  ["pending_sectors", "pending"],
  ["uncorrectable_sectors", "uncorrectable"],
  ["media_errors", "media"],
  ["interface_errors", "interface"],
]
const ARRAY_ERRORS = [
  ["read_errors", "read"],
  ["write_errors", "write"],
  ["checksum_errors", "checksum"],
  ["data_errors", "data"],
]

/** The health of disks, arrays and pools, those in trouble first. */
class StoragePanel extends Panel {
  #disks = new KeyedTable("Disks", [
    { title: "disk" },
    { title: "health", trouble },
    { title: "state" },
    { title: "wear", kind: "number" },
    { title: "temp", kind: "number" },
    { title: "switched on", kind: "number" },
    { title: "errors" },
    { title: "model" },
    { title: "kind", minor: true },
    { title: "size", kind: "number", minor: true },
    { title: "starts", minor: true },
    { title: "spare", minor: true },
    { title: "read", kind: "number", minor: true },
    { title: "written", kind: "number", minor: true },
    { title: "error log", kind: "number", minor: true },
    { title: "asked", minor: true },
    { title: "reason", minor: true },
  ])
  #arrays = new KeyedTable("Arrays and pools", [
    { title: "array", grows: true },
    { title: "health", trouble },
    { title: "state" },
    { title: "devices" },
    { title: "runs" },
    { title: "errors" },
    { title: "size", kind: "number", minor: true },
    { title: "type", minor: true },
  ])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.body.append(this.#disks.element, this.#arrays.element)
  }

  /** @param {import("../data/contract.js").Storage} payload */
  show({ disks, arrays }) {
    const disksShown = inOrder(disks)
    const arraysShown = inOrder(arrays)
    this.#disks.element.hidden = disksShown.length === 0
    this.#arrays.element.hidden = arraysShown.length === 0
    this.#disks.update(disksShown.map(([name, disk]) => ({ key: name, cells: diskCells(name, disk) })))
    this.#arrays.update(arraysShown.map(([name, array]) => ({ key: name, cells: arrayCells(name, array) })))
  }
}

/** @param {string} name @param {import("./panel.js").Payload} disk */
function diskCells(name, disk) {
  const warnings = Array.isArray(disk.warnings) ? disk.warnings.map(String) : []
  return [
    name,
    words([disk.health, ...warnings], ", "),
    words([disk.state], ""),
    percent(disk.wear_percent),
    celsius(disk.temperature_celsius),
    uptime(disk.power_on_seconds),
    errors(disk, DISK_ERRORS),
    words([disk.model, isText(disk.serial_end) ? `…${disk.serial_end}` : ""], " "),
    words([disk.kind], ""),
    bytes(disk.size_bytes),
    isNumber(disk.unsafe_shutdowns)
      ? `${count(disk.power_cycles)}, ${count(disk.unsafe_shutdowns)} after a loss of power`
      : count(disk.power_cycles),
    isNumber(disk.spare_threshold_percent)
      ? `${percent(disk.spare_percent)}, warns at ${percent(disk.spare_threshold_percent)}`
      : percent(disk.spare_percent),
    bytes(disk.read_total_bytes),
    bytes(disk.write_total_bytes),
    count(disk.error_log_entries),
    isNumber(disk.read_time) ? `${date(disk.read_time * 1000)} ${clockTime(disk.read_time * 1000)}` : MISSING,
    words([disk.reason], ""),
  ]
}

/** @param {string} name @param {import("./panel.js").Payload} array */
function arrayCells(name, array) {
  const lacks = isNumber(array.degraded_devices) && array.degraded_devices > 0
  return [
    name,
    words([array.health], ""),
    words([array.state], ""),
    lacks ? `${count(array.devices)}, lacks ${count(array.degraded_devices)}` : count(array.devices),
    words([array.sync_action, isNumber(array.sync_percent) ? percent(array.sync_percent) : ""], " "),
    errors(array, ARRAY_ERRORS),
    bytes(array.size_bytes),
    words([array.type, array.level], " "),
  ]
}

/** @param {unknown} devices */
function inOrder(devices) {
  return devicesOf(devices).sort(
    ([a, one], [b, other]) => severity(other) - severity(one) || a.localeCompare(b, "en", { numeric: true }),
  )
}

/** @param {import("./panel.js").Payload} device */
function severity({ health, warnings }) {
  if (health === "failed" || health === "degraded") return 2
  return Array.isArray(warnings) && warnings.length > 0 ? 1 : 0
}

/** @param {unknown} health @returns {import("../widgets/table.js").Level} */
function trouble(health) {
  const [verdict, ...warnings] = String(health).split(", ")
  if (verdict === "failed" || verdict === "degraded") return "critical"
  return warnings.length > 0 ? "warn" : null
}

/** @param {import("./panel.js").Payload} device @param {string[][]} names */
function errors(device, names) {
  const known = names.filter(([field]) => isNumber(device[field]))
  const met = known.filter(([field]) => device[field] > 0)
  if (met.length > 0) return met.map(([field, word]) => `${count(device[field])} ${word}`).join(" · ")
  return known.length > 0 ? "0" : MISSING
}

/** @param {unknown[]} parts @param {string} between */
function words(parts, between) {
  return parts.filter(isText).join(between) || MISSING
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === "string" && value !== ""
}
