/** Every panel of the host page. */

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
import { STORAGE } from "./storage.js"
import { TEMPERATURE } from "./temperature.js"
import { UNIT } from "./unit.js"

export const KINDS = [
  CPU,
  CORES,
  MEMORY,
  LOAD,
  FREQUENCY,
  NETWORK,
  DISK,
  FILESYSTEM,
  TEMPERATURE,
  PROCESS,
  ALERTS,
  DELIVERY,
  PRESSURE,
  KERNEL,
  COLLECTOR,
  GPU,
  CONTAINER,
  UNIT,
  STORAGE,
  POWER,
  FACTS,
]

/** Groups that one of these panels shows. */
export const KNOWN_GROUPS = new Set(KINDS.flatMap(({ groups }) => groups))

/** The panels that the keys 1 to 8 jump to. */
export const JUMPS = ["cpu", "mem", "net", "disk", "fs", "temp", "proc", "alerts"]

/** Open where space is short, unless the viewer chose otherwise. */
export const OPEN_ON_PHONES = new Set(["cpu", "mem", "net"])
