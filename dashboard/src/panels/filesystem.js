import { bytes, isNumber, MISSING, percent } from "../data/numbers.js"
import { KeyedTable } from "../widgets/table.js"
import { devicesOf, Panel } from "./panel.js"

/** @type {import("./panel.js").Kind} */
export const FILESYSTEM = {
  key: "fs",
  title: "Filesystems",
  groups: ["filesystem"],
  none: "no filesystems on this host",
  isEmpty: ({ mounts }) => devicesOf(mounts).length === 0,
  make: (context, kind) => new FilesystemPanel(context, kind),
}

/** Every mounted filesystem, the fullest first. */
class FilesystemPanel extends Panel {
  #table = new KeyedTable("Filesystems", [
    { title: "mount", grows: true },
    { title: "used", kind: "meter" },
    { title: "used", kind: "number" },
    { title: "free", kind: "number" },
    { title: "size", kind: "number" },
    { title: "inodes", kind: "number", minor: true },
    { title: "type", minor: true },
    { title: "device", minor: true, grows: true },
  ])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#table.element.classList.add("filling")
    this.body.append(this.#table.element)
  }

  /** @param {import("../data/contract.js").Filesystem} filesystem */
  show({ mounts }) {
    const rows = devicesOf(mounts).sort(
      ([a, one], [b, other]) => fullness(other) - fullness(one) || a.localeCompare(b),
    )
    this.#table.update(
      rows.map(([mount, one]) => ({
        key: mount,
        cells: [
          mount,
          one.used_percent,
          bytes(one.used_bytes),
          bytes(one.free_bytes),
          bytes(one.total_bytes),
          percent(one.inodes_percent),
          one.type ?? MISSING,
          one.device ?? MISSING,
        ],
      })),
    )
  }
}

/** @param {import("../data/contract.js").Mount} mount */
function fullness({ used_percent: used }) {
  return isNumber(used) ? used : -1
}
