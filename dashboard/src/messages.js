/** What the bridge says, read with care: a frame that is not as agreed is null, and harms nothing. */

const HOST_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/
const STATES = new Set(["live", "late", "lost", "stopped", "waiting"])

const CHECKS = new Map([
  ["welcome", (m) => isTime(m.time)],
  ["fleet", (m) => Array.isArray(m.hosts)],
  ["host", (m) => isHostId(m.id) && (m.state === undefined || STATES.has(m.state))],
  ["pulse", (m) => isObject(m.hosts)],
  ["live", (m) => isHostId(m.host) && isObject(m.samples)],
  ["history", (m) => isHostId(m.host) && isObject(m.samples)],
  ["broker", (m) => m.state === "connected" || m.state === "connecting"],
  ["notice", (m) => typeof m.text === "string"],
  ["error", (m) => typeof m.text === "string"],
  ["pong", () => true],
])

/** @param {unknown} text one frame @returns {Record<string, any> | null} */
export function parseMessage(text) {
  let message
  try {
    message = JSON.parse(String(text))
  } catch {
    return null
  }
  if (!isObject(message)) return null
  const check = CHECKS.get(message.type)
  return check !== undefined && check(message) ? message : null
}

/** @param {unknown} id @returns {id is string} */
export function isHostId(id) {
  return typeof id === "string" && HOST_ID.test(id)
}

/** @param {unknown} entry one host of a `fleet` message */
export function isHostEntry(entry) {
  return isObject(entry) && isHostId(entry.id) && STATES.has(entry.state)
}

/** @param {unknown} payload */
export function isSample(payload) {
  return isObject(payload) && isTime(payload.time) && Number.isInteger(payload.tick)
}

/** @param {unknown} value */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** @param {unknown} value */
function isTime(value) {
  return typeof value === "number" && Number.isFinite(value) && value >= 0
}
