/** What the bridge says, read with care: a frame that is not as agreed is null, and harms nothing. No DOM. */

// As `wire/` has them: later times and ticks are no stamp, and their arithmetic would lose its seconds.
const LAST_TIME_SECONDS = 1e11
const LAST_TICK = 2 ** 53
const HOST_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/
/** What a host can be, in the order in which hosts are counted. */
export const STATES = ["live", "late", "lost", "waiting", "suspended", "stopped"]

/** @typedef {(message: Record<string, unknown>) => boolean} Check */

/** @type {Map<unknown, Check>} */
const CHECKS = new Map(
  /** @type {[string, Check][]} */ ([
    ["welcome", (message) => isTime(message.time)],
    ["fleet", (message) => Array.isArray(message.hosts)],
    ["host", (message) => isHostId(message.id) && (message.state === undefined || isState(message.state))],
    ["pulse", (message) => isObject(message.hosts)],
    ["live", (message) => isHostId(message.host) && isObject(message.samples)],
    ["history", (message) => isHostId(message.host) && isObject(message.samples)],
    ["broker", (message) => message.state === "connected" || message.state === "connecting"],
    ["notice", (message) => typeof message.text === "string"],
    ["error", (message) => typeof message.text === "string"],
    ["pong", () => true],
  ]),
)

/** @param {unknown} text one frame @returns {import("./contract.js").BridgeMessage | null} */
export function parseMessage(text) {
  let message
  try {
    message = JSON.parse(String(text))
  } catch {
    return null
  }
  if (!isObject(message)) return null
  const check = CHECKS.get(message.type)
  return check?.(message)
    ? /** @type {import("./contract.js").BridgeMessage} */ (/** @type {unknown} */ (message))
    : null
}

/** @param {unknown} id @returns {id is string} */
export function isHostId(id) {
  return typeof id === "string" && HOST_ID.test(id)
}

/**
 * @param {unknown} entry one host of a `fleet` message
 * @returns {entry is import("./contract.js").HostEntry}
 */
export function isHostEntry(entry) {
  return isObject(entry) && isHostId(entry.id) && isState(entry.state)
}

/** @param {unknown} payload @returns {payload is import("./contract.js").Sample} */
export function isSample(payload) {
  return isObject(payload) && isTime(payload.time) && isTick(payload.tick)
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/**
 * Whether it is a moment of a sample or of the bridge.
 * @param {unknown} seconds since the epoch
 * @returns {seconds is number}
 */
export function isTime(seconds) {
  return typeof seconds === "number" && seconds >= 0 && seconds <= LAST_TIME_SECONDS
}

/** @param {unknown} value */
function isTick(value) {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LAST_TICK
}

/** @param {unknown} value */
function isState(value) {
  return typeof value === "string" && STATES.includes(value)
}
