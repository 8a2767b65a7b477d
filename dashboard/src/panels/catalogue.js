/** Every panel of the host page, and where each stands. */

import { ALERTS } from "./alerts.js"
import { COLLECTOR } from "./collector.js"
import { CONTAINER } from "./container.js"
import { CORES, CPU } from "./cpu.js"
import { DELIVERY } from "./delivery.js"
import { DISK } from "./disk.js"
import { FACTS } from "./facts.js"
import { FILESYSTEM } from "./filesystem.js"
import { GPU } from "./gpu.js"
import { FREQUENCY, KERNEL, LOAD } from "./load.js"
import { MEMORY } from "./memory.js"
import { NETWORK } from "./network.js"
import { POWER } from "./power.js"
import { PRESSURE } from "./pressure.js"
import { PROCESS } from "./process.js"
import { TEMPERATURE } from "./temperature.js"
import { UNIT } from "./unit.js"

export const KINDS = [
  CPU, CORES, MEMORY, LOAD, FREQUENCY, NETWORK, DISK, FILESYSTEM, TEMPERATURE, PROCESS, ALERTS, DELIVERY, PRESSURE, KERNEL, COLLECTOR,
  GPU, CONTAINER, UNIT, POWER, FACTS,
]

/** Groups that one of these panels shows. */
export const KNOWN_GROUPS = new Set(KINDS.flatMap(({ groups }) => groups))

/** The panels that the keys 1 to 8 jump to. */
export const JUMPS = ["cpu", "mem", "net", "disk", "fs", "temp", "proc", "alerts"]

/** Open where space is short, unless the viewer chose otherwise. */
export const OPEN_ON_PHONES = new Set(["cpu", "mem", "net"])

/**
 * Rows of cells of so many of twelve columns; panels of one cell stand one above the other.
 * @type {{columns: number, panels: string[]}[][]}
 */
export const ROWS = [
  [{ columns: 8, panels: ["cpu"] }, { columns: 4, panels: ["cores"] }],
  [{ columns: 6, panels: ["mem"] }, { columns: 3, panels: ["load"] }, { columns: 3, panels: ["freq"] }],
  [{ columns: 6, panels: ["net"] }, { columns: 6, panels: ["disk"] }],
  [{ columns: 6, panels: ["fs"] }, { columns: 6, panels: ["temp"] }],
  [{ columns: 8, panels: ["proc"] }, { columns: 4, panels: ["alerts", "delivery"] }],
  [{ columns: 4, panels: ["psi"] }, { columns: 4, panels: ["kernel"] }, { columns: 4, panels: ["agent"] }],
  [{ columns: 12, panels: ["cont"] }],
  [{ columns: 8, panels: ["gpu"] }, { columns: 4, panels: ["power"] }],
]

/** Those of no known group come in pairs after the rows, then this one. */
export const LAST_ROW = [{ columns: 12, panels: ["info"] }]
