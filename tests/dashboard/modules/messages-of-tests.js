/** Messages as a bridge sends them. */

export const START_SECONDS = 1_795_288_000

/** A pulse `after` seconds after the start, by the host's clock. */
export function pulseAt(after, fields = {}) {
  return { time: START_SECONDS + after, tick: 100_000 + after, session: "k3f9q2", cpu_percent: 20, ...fields }
}

/** When something sent `after` seconds after the start is received, milliseconds by the browser's clock. */
export function receivedAt(after, delayMilliseconds = 10) {
  return (START_SECONDS + after) * 1000 + delayMilliseconds
}

export function welcomeAt(after) {
  return {
    type: "welcome",
    protocol: 1,
    version: "0.1.0",
    time: START_SECONDS + after,
    broker: "connected",
    broker_since: START_SECONDS,
    viewers: 1,
    limits: {},
  }
}

export function hostEntry(id, fields = {}) {
  return {
    id,
    state: "live",
    since: START_SECONDS - 30,
    info: { host_name: id, interval_seconds: 1, groups: {} },
    ...fields,
  }
}
