/** Who the host is: name and state, then a plate of what does not change, and how far it can be trusted. */

import { SKEW_SECONDS } from "../data/limits.js"
import { isObject } from "../data/messages.js"
import {
  age,
  bytes,
  clockTime,
  count,
  date,
  duration,
  isNumber,
  MISSING,
  roughly,
  uptime,
} from "../data/numbers.js"
import { stateInWords } from "../data/state-words.js"
import { element, setText } from "../widgets/dom.js"
import { StateMark } from "../widgets/state-mark.js"
import { writeId } from "./fleet-cells.js"
import { shownTagsOf } from "./fleet-order.js"

const MAX_ADDRESSES = 2
// What is less may as well be the way of the samples.
const IN_STEP_SECONDS = 0.1

/** @typedef {import("../data/fleet.js").Host} Host */

export class HostIdentity {
  #mark = new StateMark()
  #name = element("h1", { class: "host-name" })
  #id = element("span", { class: "host-id", hidden: true })
  #synthetic = element(
    "span",
    { class: "tag", hidden: true, title: "a simulated host, not a real one" },
    "synthetic",
  )
  #tags = element("span", { class: "tags" })
  #plate = element("dl", { class: "plate" })
  #warning = element("p", { class: "host-warning", hidden: true })
  /** @type {Map<string, {element: HTMLElement, value: HTMLElement}>} */
  #rows = new Map()
  element = element(
    "section",
    { class: "identity", "aria-label": "Identity" },
    element(
      "div",
      { class: "identity-name" },
      this.#name,
      this.#id,
      this.#mark.element,
      this.#synthetic,
      this.#tags,
    ),
    this.#plate,
    this.#warning,
  )

  /** Write what changed. @param {Host | undefined} host @param {string} id @param {number} now */
  update(host, id, now) {
    setText(this.#name, host?.name ?? id)
    this.#mark.element.hidden = host === undefined
    this.#plate.hidden = host === undefined
    if (host === undefined) return
    this.#mark.set(host.state, stateInWords(host, now))
    writeId(this.#id, host)
    this.#synthetic.hidden = !host.synthetic
    setText(this.#tags, shownTagsOf(host).join(", "))
    for (const [name, value] of factsOf(host, now)) this.#write(name, value)
    this.#writeWarning(host)
  }

  /** @param {string} name @param {string} value */
  #write(name, value) {
    let row = this.#rows.get(name)
    if (row === undefined) {
      const text = element("dd")
      row = {
        value: text,
        element: element("div", { "data-fact": name }, element("dt", {}, name), " ", text),
      }
      if (name === "last sample") row.element.classList.add("host-heard")
      this.#rows.set(name, row)
      this.#plate.append(row.element)
    }
    setText(row.value, value)
    row.element.hidden = value === "" || value === MISSING
  }

  /** @param {Host} host */
  #writeWarning({ skewSeconds: skew, info }) {
    const words = []
    if (skew !== undefined && Math.abs(skew) > SKEW_SECONDS) {
      words.push(
        `clock ${roughly(skew)} ${skew > 0 ? "ahead of" : "behind"} the bridge's; the charts are set right`,
      )
    }
    if (info.conflict) words.push("another machine publishes under this host id")
    setText(this.#warning, words.join(" · "))
    this.#warning.hidden = words.length === 0
  }
}

/** @param {Host} host @param {number} now @returns {[string, string][]} */
function factsOf(host, now) {
  const { info, skewSeconds: skew } = host
  const booted = isNumber(info.boot_time) ? info.boot_time * 1000 : Number.NaN
  return [
    ["system", text(info.os_name)],
    ["kernel", text(info.kernel)],
    ["processor", text(info.cpu_model)],
    ["cores", coresOf(info)],
    ["memory", bytes(info.memory_total_bytes)],
    ["address", addressesOf(info)],
    ["booted", isNumber(booted) ? `${date(booted)} ${clockTime(booted)}` : ""],
    ["up", host.state === "live" ? uptime(uptimeOf(host, now)) : ""],
    ["failed units", host.failedUnits ? count(host.failedUnits) : ""],
    ["agent", text(info.agent_version)],
    [
      "clock",
      skew === undefined
        ? ""
        : Math.abs(skew) < IN_STEP_SECONDS
          ? "in step"
          : `${duration(Math.abs(skew))} ${skew > 0 ? "ahead" : "behind"}`,
    ],
    ["last sample", host.lastHeard <= now ? age(host.lastHeard, now) : ""],
    ["notes", host.notes],
  ]
}

/**
 * From the time of boot, since the headline figures come only to the fleet page.
 * @param {Host} host
 * @param {number} now
 */
function uptimeOf({ info, offsetMilliseconds: offset, pulse }, now) {
  return isNumber(info.boot_time) ? (now - offset) / 1000 - info.boot_time : pulse.uptime_seconds
}

/** @param {Record<string, any>} info */
function coresOf({ physical_cores: cores, logical_cores: threads }) {
  if (!isNumber(threads)) return isNumber(cores) ? count(cores) : ""
  return isNumber(cores) && cores !== threads ? `${count(cores)}, ${count(threads)} threads` : count(threads)
}

/** The first few that others can reach, the main one first. @param {Record<string, any>} info */
function addressesOf({ addresses, main_address: main }) {
  const told = isObject(addresses) ? Object.values(addresses).flat() : []
  const all = [...new Set([text(main), ...told.map(String)])].filter(
    (address) => address !== "" && !/^(127\.|::1$|fe80:)/.test(address),
  )
  return [
    ...all.slice(0, MAX_ADDRESSES),
    ...(all.length > MAX_ADDRESSES ? [`+${all.length - MAX_ADDRESSES}`] : []),
  ].join("  ")
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : ""
}
