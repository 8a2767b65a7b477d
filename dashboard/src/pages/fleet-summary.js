/** The strip above the table: the fleet in a few large numbers. */

import { element, setText } from "../dom.js"
import { byteRate, bytes, count, isNumber, MISSING, percent } from "../numbers.js"

const TILES = [
  ["cores", "cores in use"],
  ["memory", "memory in use"],
  ["network", "network ↓ / ↑"],
  ["disk", "disks read / written"],
  ["hottest", "hottest"],
]

export class FleetSummary {
  #tiles = new Map()
  element = element("dl", { class: "summary" })

  constructor() {
    for (const [key, label] of TILES) {
      const tile = { value: element("span", { class: "value" }, MISSING), detail: element("span", { class: "detail" }) }
      this.#tiles.set(key, tile)
      this.element.append(element("div", {}, element("dt", {}, label), element("dd", {}, tile.value, tile.detail)))
    }
  }

  /** @param {Iterable<import("../fleet.js").Host>} hosts */
  update(hosts) {
    const sums = { cores: 0, busy: 0, memory: 0, used: 0, received: 0, sent: 0, read: 0, written: 0 }
    let hottest
    let heard = 0
    for (const { state, info, pulse, name } of hosts) {
      if (state !== "live" && state !== "late") continue
      heard += 1
      if (isNumber(info.logical_cores) && isNumber(pulse.cpu_percent)) {
        sums.cores += info.logical_cores
        sums.busy += (info.logical_cores * pulse.cpu_percent) / 100
      }
      if (isNumber(info.memory_total_bytes) && isNumber(pulse.memory_percent)) {
        sums.memory += info.memory_total_bytes
        sums.used += (info.memory_total_bytes * pulse.memory_percent) / 100
      }
      sums.received += number(pulse.network_receive_bytes_per_second)
      sums.sent += number(pulse.network_transmit_bytes_per_second)
      sums.read += number(pulse.disk_read_bytes_per_second)
      sums.written += number(pulse.disk_write_bytes_per_second)
      if (isNumber(pulse.temperature_celsius) && !(pulse.temperature_celsius <= hottest?.celsius)) {
        hottest = { celsius: pulse.temperature_celsius, name }
      }
    }
    const none = heard === 0
    this.#set("cores", sums.cores > 0 ? sums.busy.toFixed(1) : MISSING, sums.cores > 0 ? `of ${count(sums.cores)}` : "")
    this.#set("memory", sums.memory > 0 ? bytes(sums.used) : MISSING, sums.memory > 0 ? `of ${bytes(sums.memory)}, ${percent((100 * sums.used) / sums.memory)}` : "")
    this.#set("network", none ? MISSING : byteRate(sums.received), none ? "" : `/ ${byteRate(sums.sent)}`)
    this.#set("disk", none ? MISSING : byteRate(sums.read), none ? "" : `/ ${byteRate(sums.written)}`)
    this.#set("hottest", hottest ? `${Math.round(hottest.celsius)} °C` : MISSING, hottest ? hottest.name : "no sensors")
  }

  #set(key, value, detail) {
    setText(this.#tiles.get(key).value, value)
    setText(this.#tiles.get(key).detail, detail)
  }
}

/** @param {unknown} value */
function number(value) {
  return isNumber(value) ? value : 0
}
