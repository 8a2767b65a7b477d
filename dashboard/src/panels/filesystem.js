import { bytes, isNumber, MISSING, percent } from "../numbers.js"
import { KeyedTable } from "../table.js"
import { Panel } from "./panel.js"

/** Every mounted filesystem, the fullest first. */
export class FilesystemPanel extends Panel {
  #table = new KeyedTable("Filesystems", [
    { title: "mount", grows: true },
    { title: "used", kind: "meter" },
    { title: "free", kind: "number" },
    { title: "size", kind: "number" },
    { title: "inodes", kind: "number", minor: true },
    { title: "type", minor: true },
    { title: "device", minor: true, grows: true },
  ])

  constructor(context) {
    super(context, { group: "filesystem", title: "Filesystems", size: "6", none: "no filesystems on this host" })
    this.body.append(this.#table.element)
  }

  isEmpty({ mounts }) { return !mounts || Object.keys(mounts).length === 0 }

  show({ mounts }) {
    const rows = Object.entries(mounts).sort(([a, one], [b, other]) => fullness(other) - fullness(one) || a.localeCompare(b))
    this.#table.update(rows.map(([mount, one]) => ({
      key: mount,
      cells: [mount, one.used_percent, bytes(one.free_bytes), bytes(one.total_bytes), percent(one.inodes_percent), one.type ?? MISSING, one.device ?? MISSING],
    })))
  }
}

/** @param {Record<string, any>} mount */
function fullness(mount) {
  return isNumber(mount.used_percent) ? mount.used_percent : -1
}
