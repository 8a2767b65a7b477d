import { byteRate, bytes, count, isNumber, percent, rate } from "../data/numbers.js"
import { setText } from "../widgets/dom.js"
import { devicesOf } from "./panel.js"
import { TrafficPanel } from "./traffic.js"

/** @type {import("./panel.js").Kind} */
export const DISK = {
  key: "disk",
  title: "Disk",
  groups: ["disk"],
  none: "no block devices on this host",
  isEmpty: ({ devices }) => devicesOf(devices).length === 0,
  make: (context, kind) => new DiskPanel(context, kind),
}

/** Reading and writing of each block device. */
class DiskPanel extends TrafficPanel {
  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind, {
      list: "devices",
      format: byteRate,
      up: { label: "read", field: "read_bytes_per_second", sign: "r" },
      down: { label: "written", field: "write_bytes_per_second", sign: "w" },
      isUsual: (_name, disk) => disk.in_total !== false,
      views: [
        {
          words: "now",
          columns: [
            { title: "device", grows: true },
            { title: "read", kind: "number" },
            { title: "written", kind: "number" },
            { title: "operations r / w", kind: "number", minor: true },
            { title: "busy", kind: "meter" },
          ],
          cells: (name, disk) => [
            named(name, disk),
            byteRate(disk.read_bytes_per_second),
            byteRate(disk.write_bytes_per_second),
            `${rate(disk.reads_per_second)} / ${rate(disk.writes_per_second)}`,
            disk.busy_percent,
          ],
        },
        {
          words: "since boot",
          columns: [
            { title: "device", grows: true },
            { title: "read", kind: "number" },
            { title: "written", kind: "number" },
            { title: "operations r / w", kind: "number", minor: true },
            { title: "busy now", kind: "number" },
          ],
          cells: (name, disk) => [
            named(name, disk),
            bytes(disk.read_total_bytes),
            bytes(disk.write_total_bytes),
            `${count(disk.read_total)} / ${count(disk.write_total)}`,
            percent(disk.busy_percent),
          ],
        },
      ],
    })
  }
  /** @param {import("../data/contract.js").Disk} all */
  show(all) {
    super.show(all)
    const pairs = [
      ["read", byteRate(all.read_bytes_per_second), bytes(all.read_total_bytes)],
      ["written", byteRate(all.write_bytes_per_second), bytes(all.write_total_bytes)],
    ]
    const told = pairs.map(([word, now, total]) => `${word} ${now}, ${total} since boot`)
    setText(this.below, isNumber(all.read_total_bytes) ? `all disks: ${told.join(" · ")}` : "")
  }
}

/** @param {string} name @param {import("../data/contract.js").DiskDevice} disk */
function named(name, { in_total }) {
  return in_total === false ? `${name}, not in total` : name
}
