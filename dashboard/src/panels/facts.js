import { isObject } from "../data/messages.js"
import { bytes, clockTime, count, date, isNumber } from "../data/numbers.js"
import { Panel } from "./panel.js"
import { Facts } from "./readout.js"

/** @type {import("./panel.js").Kind} */
export const FACTS = {
  key: "info",
  title: "Host",
  groups: [],
  make: (context, kind) => new FactsPanel(context, kind),
}

/** What the host is: all that does not change from second to second. */
class FactsPanel extends Panel {
  #facts = new Facts("wide")
  /** What the facts were made from. @type {unknown[]} */
  #shown = []

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.body.append(this.#facts.element)
  }

  update() {
    const { host } = this.context
    const shown = [host.info, host.expected]
    if (shown.every((one, index) => one === this.#shown[index])) return
    this.#shown = shown
    this.#facts.update(factsOf(host))
  }
}

/** @param {import("../data/fleet.js").Host} host @returns {[string, string][]} */
function factsOf({ id, info, expected, listedName, tags, notes }) {
  return [
    ["host id", id],
    ["name", text(info.host_name)],
    ["name on the list", listedName],
    ["expected", expected === undefined ? "" : "yes, on the bridge's list of hosts"],
    ["notes", notes],
    ["manufacturer", text(info.manufacturer)],
    ["model", text(info.model)],
    ["operating system", text(info.os_name)],
    ["kernel", text(info.kernel)],
    ["architecture", text(info.architecture)],
    ["processor", text(info.cpu_model)],
    ["cores", isNumber(info.physical_cores) ? count(info.physical_cores) : ""],
    ["threads", isNumber(info.logical_cores) ? count(info.logical_cores) : ""],
    ["memory", bytes(info.memory_total_bytes)],
    ["swap", info.swap_total_bytes === 0 ? "none" : bytes(info.swap_total_bytes)],
    ["booted", moment(info.boot_time)],
    ["reboot", info.reboot_required === true ? "required" : ""],
    ["updates", updatesIn(info)],
    ["main address", text(info.main_address)],
    ...listsOf(info.networks ?? info.addresses, "  ", (name) => `address of ${name}`),
    ...textsOf(info.mac_addresses, (name) => `MAC of ${name}`),
    ...listsOf(info.devices, ", ", (group) => `devices, ${group}`),
    ["tags", tags.join(", ")],
    ["agent", text(info.agent_version)],
    ["agent's Python", text(info.python_version)],
    ["sampled every", isNumber(info.interval_seconds) ? `${info.interval_seconds} s` : ""],
    ["groups", isObject(info.groups) ? Object.entries(info.groups).map(groupInWords).join(", ") : ""],
    [
      "takes leases",
      info.demand === true
        ? "yes, for more detail while somebody watches"
        : info.demand === false
          ? "no"
          : "",
    ],
    ["session", text(info.session)],
    ["machine", text(info.machine_id_hash)],
    ["told at", moment(info.time)],
    [
      "container",
      info.container
        ? `${text(info.container)}: these are its own values; to show its host, mount that and set --root`
        : "",
    ],
    ["synthetic", info.synthetic === true ? "simulated, not a real host" : ""],
    [
      "conflict",
      info.conflict ? `another machine publishes under this id (session ${String(info.conflict)})` : "",
    ],
  ]
}

/**
 * @param {unknown} lists
 * @param {string} between
 * @param {(name: string) => string} title
 * @returns {[string, string][]}
 */
function listsOf(lists, between, title) {
  if (!isObject(lists)) return []
  return Object.entries(lists).flatMap(([name, list]) =>
    Array.isArray(list) && list.length > 0
      ? [/** @type {[string, string]} */ ([title(name), list.map(String).join(between)])]
      : [],
  )
}

/** @param {Record<string, unknown>} info */
function updatesIn(info) {
  const { pending_updates: pending, security_updates: security, updates_time: refreshed } = info
  if (!isNumber(pending)) return ""
  const fixes = isNumber(security) && security > 0 ? `, ${count(security)} of them for security` : ""
  const since = isNumber(refreshed) ? `, by lists of ${moment(refreshed)}` : ""
  return `${pending === 0 ? "none" : count(pending)}${fixes}${since}`
}

/** @param {unknown} texts @param {(name: string) => string} title @returns {[string, string][]} */
function textsOf(texts, title) {
  return isObject(texts) ? Object.entries(texts).map(([name, value]) => [title(name), text(value)]) : []
}

/** @param {[string, unknown]} group */
function groupInWords([name, told]) {
  return isObject(told) && isNumber(told.interval_seconds) ? `${name} ${told.interval_seconds} s` : name
}

/** @param {unknown} seconds since the epoch */
function moment(seconds) {
  return isNumber(seconds) ? `${date(seconds * 1000)} ${clockTime(seconds * 1000)}` : ""
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : ""
}
