import { byteRate, bytes, count, percent, rate } from "../data/numbers.js"
import { devicesOf } from "./panel.js"
import { TrafficPanel } from "./traffic.js"

// What is read from these is read from the disks below them, too.
const STACKED = /^(dm-|md|loop|ram|zram|bcache|drbd|zd|sr)/

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
      isUsual: (name, names) => !STACKED.test(name) && !isPartition(name, names),
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
            name,
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
            name,
            bytes(disk.read_total_bytes),
            bytes(disk.write_total_bytes),
            `${count(disk.read_total)} / ${count(disk.write_total)}`,
            percent(disk.busy_percent),
          ],
        },
      ],
    })
  }
}

/**
 * Whether it is `sda1` beside `sda`, or `nvme0n1p1` beside `nvme0n1`.
 * @param {string} name
 * @param {string[]} names
 */
function isPartition(name, names) {
  const disk = name.replace(/\d+$/, "")
  return disk !== name && (names.includes(disk) || (disk.endsWith("p") && names.includes(disk.slice(0, -1))))
}
