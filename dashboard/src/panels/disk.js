import { byteRate, percent, rate } from "../numbers.js"
import { TrafficPanel } from "./traffic.js"

const VIRTUAL = /^(loop|ram|zram|sr)\d/

/** Reading and writing of each block device. */
export class DiskPanel extends TrafficPanel {
  constructor(context) {
    super(context, {
      what: { group: "disk", title: "Disk", size: "6", none: "no block devices on this host" },
      list: "devices",
      up: { label: "read", field: "read_bytes_per_second" },
      down: { label: "written", field: "write_bytes_per_second" },
      columns: [
        { title: "device", grows: true },
        { title: "read", kind: "number" },
        { title: "written", kind: "number" },
        { title: "operations r / w", kind: "number", minor: true },
        { title: "busy", kind: "number" },
      ],
      cells: (name, disk) => [
        name,
        byteRate(disk.read_bytes_per_second),
        byteRate(disk.write_bytes_per_second),
        `${rate(disk.reads_per_second)} / ${rate(disk.writes_per_second)}`,
        percent(disk.busy_percent),
      ],
      rank: (name, disk) => (VIRTUAL.test(name) ? -1 : (disk.read_total_bytes ?? 0) + (disk.write_total_bytes ?? 0)),
    })
  }
}
