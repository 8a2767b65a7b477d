import { Scale } from "../charts/scale.js"
import {
  byteRate,
  bytes,
  clockTime,
  count,
  date,
  isNumber,
  MISSING,
  networkRate,
  percent,
} from "../data/numbers.js"
import { columnKey } from "../data/store.js"
import { devicesOf, Panel } from "./panel.js"
import { ToggledLines } from "./toggled-lines.js"

/** @type {import("./panel.js").Kind} */
export const CONTAINER = {
  key: "cont",
  title: "Containers",
  groups: ["container"],
  none: "not asked for",
  optional: true,
  isEmpty: ({ containers }) => devicesOf(containers).length === 0,
  make: (context, kind) => new ContainerPanel(context, kind),
}

/** Containers of Docker or Podman, the busiest first in the chart. */
class ContainerPanel extends Panel {
  #lines

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#lines = new ToggledLines(this, {
      label: "CPU of containers",
      format: percent,
      scale: new Scale({ least: 10 }),
      columns: [
        { title: "container", grows: true },
        { title: "state", trouble: (state) => (String(state).includes("unhealthy") ? "critical" : null) },
        { title: "CPU", kind: "number" },
        { title: "memory", kind: "meter", minor: true },
        { title: "memory", kind: "number" },
        { title: "↓", kind: "number", minor: true },
        { title: "↑", kind: "number", minor: true },
        { title: "read", kind: "number", minor: true },
        { title: "written", kind: "number", minor: true },
        { title: "restarts", kind: "number", minor: true },
        { title: "started", minor: true },
        { title: "image", grows: true, minor: true },
      ],
    })
    this.body.append(this.#lines.chart.element, this.timeAxis(), this.#lines.table)
  }

  /** @param {import("../data/contract.js").Container} payload */
  show({ containers }) {
    const list = devicesOf(containers).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    this.#lines.set(
      list.map(([name, one]) => ({
        name,
        label: name,
        keys: [columnKey("containers", name, "cpu_percent")],
        cells: [
          name,
          [one.state, one.health].filter((word) => typeof word === "string" && word !== "").join(", ") ||
            MISSING,
          percent(one.cpu_percent),
          one.memory_percent,
          isNumber(one.memory_limit_bytes)
            ? `${bytes(one.memory_used_bytes)} of ${bytes(one.memory_limit_bytes)}`
            : bytes(one.memory_used_bytes),
          networkRate(one.network_receive_bytes_per_second),
          networkRate(one.network_transmit_bytes_per_second),
          byteRate(one.disk_read_bytes_per_second),
          byteRate(one.disk_write_bytes_per_second),
          count(one.restarts),
          moment(one.started_time),
          one.image ?? MISSING,
        ],
      })),
      list.toSorted(([, one], [, other]) => busy(other) - busy(one)).map(([name]) => name),
    )
  }
}

/** @param {import("../data/contract.js").ContainerEntry} container */
function busy({ cpu_percent: percent }) {
  return isNumber(percent) ? percent : -1
}

/** @param {unknown} seconds since the epoch */
function moment(seconds) {
  return isNumber(seconds) ? `${date(seconds * 1000)} ${clockTime(seconds * 1000)}` : MISSING
}
