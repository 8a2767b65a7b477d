import { byteRate, count, isNumber, MISSING, rate } from "../numbers.js"
import { TrafficPanel } from "./traffic.js"

const LOCAL = /^(lo|veth|br-|docker|virbr)/

/** Traffic of each network interface. */
export class NetworkPanel extends TrafficPanel {
  constructor(context) {
    super(context, {
      what: { group: "network", title: "Network", size: "6", none: "no network interfaces on this host" },
      list: "interfaces",
      up: { label: "received ↓", field: "receive_bytes_per_second" },
      down: { label: "sent ↑", field: "transmit_bytes_per_second" },
      columns: [
        { title: "interface", grows: true },
        { title: "↓", kind: "number" },
        { title: "↑", kind: "number" },
        { title: "packets ↓ / ↑", kind: "number", minor: true },
        { title: "errors", kind: "number", minor: true },
        { title: "drops", kind: "number", minor: true },
      ],
      cells: (name, nic) => [
        nic.up === false ? `${name} (down)` : name,
        byteRate(nic.receive_bytes_per_second),
        byteRate(nic.transmit_bytes_per_second),
        `${rate(nic.receive_packets_per_second)} / ${rate(nic.transmit_packets_per_second)}`,
        both(nic.receive_errors_total, nic.transmit_errors_total),
        both(nic.receive_drops_total, nic.transmit_drops_total),
      ],
      rank: (name, nic) => (LOCAL.test(name) ? -1 : (nic.receive_total_bytes ?? 0) + (nic.transmit_total_bytes ?? 0)),
    })
  }
}

/** @param {unknown} one @param {unknown} other */
function both(one, other) {
  return isNumber(one) || isNumber(other) ? count((one ?? 0) + (other ?? 0)) : MISSING
}
