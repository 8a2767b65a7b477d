import { isObject } from "../data/messages.js"
import { bytes, count, isNumber, MISSING, networkRate, rate } from "../data/numbers.js"
import { setText } from "../widgets/dom.js"
import { devicesOf } from "./panel.js"
import { TrafficPanel } from "./traffic.js"

/** @type {import("./panel.js").Kind} */
export const NETWORK = {
  key: "net",
  title: "Network",
  groups: ["network"],
  none: "no network interfaces on this host",
  isEmpty: ({ interfaces }) => devicesOf(interfaces).length === 0,
  make: (context, kind) => new NetworkPanel(context, kind),
}

/** Traffic of each network interface. */
class NetworkPanel extends TrafficPanel {
  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind, {
      list: "interfaces",
      format: networkRate,
      up: { label: "received", field: "receive_bytes_per_second", sign: "↓" },
      down: { label: "sent", field: "transmit_bytes_per_second", sign: "↑" },
      isUsual: (_name, { in_total }) => in_total !== false,
      views: [
        {
          words: "now",
          columns: [
            { title: "interface", grows: true },
            { title: "↓", kind: "number" },
            { title: "↑", kind: "number" },
            { title: "packets ↓ / ↑", kind: "number", minor: true },
            { title: "errors", kind: "number" },
            { title: "drops", kind: "number" },
            { title: "link", kind: "number", minor: true },
          ],
          cells: (name, nic) => [
            named(name, nic),
            networkRate(nic.receive_bytes_per_second),
            networkRate(nic.transmit_bytes_per_second),
            both(nic.receive_packets_per_second, nic.transmit_packets_per_second, rate),
            sum(nic.receive_errors_total, nic.transmit_errors_total),
            sum(nic.receive_drops_total, nic.transmit_drops_total),
            linkOf(nic),
          ],
        },
        {
          words: "since boot",
          columns: [
            { title: "interface", grows: true },
            { title: "↓", kind: "number" },
            { title: "↑", kind: "number" },
            { title: "packets ↓ / ↑", kind: "number" },
            { title: "errors ↓ / ↑", kind: "number" },
            { title: "drops ↓ / ↑", kind: "number" },
          ],
          cells: (name, nic) => [
            nic.in_total === false ? `${named(name, nic)}, not in total` : named(name, nic),
            bytes(nic.receive_total_bytes),
            bytes(nic.transmit_total_bytes),
            both(nic.receive_packets_total, nic.transmit_packets_total, count),
            both(nic.receive_errors_total, nic.transmit_errors_total, count),
            both(nic.receive_drops_total, nic.transmit_drops_total, count),
          ],
        },
      ],
    })
  }

  /** @param {import("../data/contract.js").Network} network */
  show(network) {
    super.show(network)
    const connections = isObject(network.tcp_connections) ? Object.entries(network.tcp_connections) : []
    const words = connections.map(([state, number]) => `${count(number)} ${state}`)
    const pairs = [
      ["received", networkRate(network.receive_bytes_per_second), bytes(network.receive_total_bytes)],
      ["sent", networkRate(network.transmit_bytes_per_second), bytes(network.transmit_total_bytes)],
    ]
    const told = pairs.map(([word, now, total]) => `${word} ${now}, ${total} since boot`)
    const parts = [
      ...(isNumber(network.receive_total_bytes) ? [`all networks: ${told.join(" · ")}`] : []),
      ...(words.length > 0 ? [`TCP ${words.join(" · ")}`] : []),
    ]
    setText(this.below, parts.join("; "))
  }
}

/** @param {string} name @param {import("../data/contract.js").NetworkInterface} nic */
function named(name, { up }) {
  return up === undefined ? name : `${name} ${up ? "up" : "down"}`
}

/** @param {unknown} one @param {unknown} other @param {(value: unknown) => string} format */
function both(one, other, format) {
  return isNumber(one) || isNumber(other) ? `${format(one)} / ${format(other)}` : MISSING
}

/** @param {unknown} one @param {unknown} other */
function sum(one, other) {
  return isNumber(one) || isNumber(other)
    ? count((isNumber(one) ? one : 0) + (isNumber(other) ? other : 0))
    : MISSING
}

/** Speed, signal of the Wi-Fi, or both. @param {import("../data/contract.js").NetworkInterface} nic */
function linkOf({ speed_bytes_per_second: speed, signal_dbm: signal }) {
  const words = [linkSpeed(speed), isNumber(signal) ? `${signal} dBm` : ""].filter(Boolean)
  return words.length > 0 ? words.join(" · ") : MISSING
}

/** As it is printed on the box: "1 Gbit/s". @param {unknown} bytesPerSecond */
function linkSpeed(bytesPerSecond) {
  if (!isNumber(bytesPerSecond) || bytesPerSecond <= 0) return ""
  const megabits = (bytesPerSecond * 8) / 1e6
  return megabits >= 1000
    ? `${Number((megabits / 1000).toPrecision(3))} Gbit/s`
    : `${Number(megabits.toPrecision(3))} Mbit/s`
}
