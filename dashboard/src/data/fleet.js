/** Every host the bridge knows, with its state and last pulse. No DOM. */

import { ClockOffset } from "./clock.js"
import { gapMilliseconds, secondsAtLeast } from "./column-queries.js"
import { FleetSums } from "./fleet-sums.js"
import { BUSY_PERCENT } from "./limits.js"
import { isHostEntry, isHostId, isObject, isSample, isTime, STATES } from "./messages.js"
import { isNumber } from "./numbers.js"
import { prepared } from "./prepared.js"
import { Columns } from "./store.js"
import { TickOrder } from "./tick-order.js"

const SPARKLINE_ROWS = 72
const MAX_CHANGES = 10
const NOTHING = Object.freeze({})

export class Host {
  state = "waiting"
  /** When it got into its state, seconds by the bridge's clock. */
  since = 0
  /**
   * The states it got into since this page knows it, the newest last.
   * @type {{state: string, at: number}[]} at: milliseconds by the browser's clock
   */
  changes = []
  /** @type {Record<string, any>} */
  info = NOTHING
  /** What the bridge's list of expected hosts says of it; undefined when it is not on the list. */
  expected = expectedOf(undefined)
  /** @type {Record<string, any>} */
  pulse = NOTHING
  /** How many units of systemd failed, up to 5 s ago; undefined where that is not known. */
  failedUnits = /** @type {number | undefined} */ (undefined)
  /** Time of the newest sample of any kind, seconds by the host's clock, or NaN. */
  newest = Number.NaN
  clock = new ClockOffset()
  /** The last minute of the headline CPU figure. */
  recent = new Columns(SPARKLINE_ROWS)
  /** Whether the bridge gave the past that goes before what has been heard since. */
  filled = false
  /** Whether its site is cut off, so that nobody knows of it. */
  cutOff = false
  /** Whether another host gives itself the same name. */
  hasNamesake = false
  #order = new TickOrder()
  #bridgeClock

  /** @param {string} id @param {ClockOffset} [bridgeClock] */
  constructor(id, bridgeClock = new ClockOffset()) {
    this.id = id
    this.#bridgeClock = bridgeClock
  }

  /** The name that the host gives itself. */
  get ownName() {
    return typeof this.info.host_name === "string" && this.info.host_name ? this.info.host_name : this.id
  }

  /** The name on the list of expected hosts, or "". */
  get listedName() {
    return this.expected?.name ?? ""
  }

  /** The name on the list of expected hosts, or else the one that the host gives itself. */
  get plainName() {
    return this.listedName || this.ownName
  }

  /** The name to show. The id follows when another host has the same name and the id tells more. */
  get name() {
    return this.hasNamesake ? withId(this.plainName, this.id) : this.plainName
  }

  /** The name to show where nothing beside it says the id, which a name on the list may not resemble. */
  get fullName() {
    return this.listedName ? withId(this.listedName, this.id) : this.name
  }

  /** The tags on the list of expected hosts and the host's own, each once. @returns {string[]} */
  get tags() {
    return [...new Set([...(this.expected?.tags ?? []), ...textsOf(this.info.tags)])]
  }

  /** What the list of expected hosts says beside its name and tags, or "". */
  get notes() {
    return this.expected?.notes ?? ""
  }

  /** Whether the host is expected, and nothing was ever heard of it. */
  get isUnheard() {
    return (
      this.state === "waiting" &&
      this.expected !== undefined &&
      this.info === NOTHING &&
      this.pulse === NOTHING
    )
  }

  get synthetic() {
    return this.info.synthetic === true
  }

  get intervalSeconds() {
    return isNumber(this.info.interval_seconds) && this.info.interval_seconds > 0
      ? this.info.interval_seconds
      : 1
  }

  /** What to add to its clock to get the browser's; the bridge's where the host's is not known. */
  get offsetMilliseconds() {
    return this.clock.milliseconds ?? this.#bridgeClock.milliseconds ?? 0
  }

  /** When it was last heard, milliseconds by the browser's clock, or NaN. */
  get lastHeard() {
    return this.newest * 1000 + this.offsetMilliseconds
  }

  /** When it got into its state, milliseconds by the browser's clock. */
  get sinceMilliseconds() {
    return this.since * 1000 + (this.#bridgeClock.milliseconds ?? 0)
  }

  /** How far its clock is ahead of the bridge's, or undefined. */
  get skewSeconds() {
    const own = this.clock.milliseconds
    const bridge = this.#bridgeClock.milliseconds
    return own === undefined || bridge === undefined ? undefined : (bridge - own) / 1000
  }

  /**
   * For how long its processors were busy without a break when the last pulse came, as far as its pulses are
   * known.
   */
  get busySeconds() {
    return secondsAtLeast(this.recent, "cpu_percent", BUSY_PERCENT, this.newest, this.gapMilliseconds)
  }

  /** Milliseconds of silence that make a gap. */
  get gapMilliseconds() {
    return gapMilliseconds(this.intervalSeconds)
  }

  /** @param {string} group @returns {number} seconds between two samples of a group */
  intervalOf(group) {
    const { groups } = this.info
    const seconds = groups && Object.hasOwn(groups, group) ? groups[group]?.interval_seconds : undefined
    return isNumber(seconds) && seconds > 0 ? seconds : this.intervalSeconds
  }

  /**
   * @param {unknown} pulse
   * @param {number} received milliseconds
   * @param {boolean} fresh whether it was sent just now
   * @param {number} [until] what was sampled later is left out, milliseconds
   */
  take(pulse, received, fresh, until = Number.POSITIVE_INFINITY) {
    if (!isSample(pulse)) return
    if (fresh && (until === Number.POSITIVE_INFINITY || !this.clock.known))
      this.clock.observe(pulse.time, received)
    if (this.#isAfter(pulse, until) || !this.#order.accept(pulse, this.intervalSeconds)) return
    this.pulse = prepared(pulse, "pulse")
    this.noteSlow(pulse)
    this.recent.append(pulse.time, headline(pulse))
    this.hear(pulse.time)
  }

  /** What changes so seldom that a pulse now and then tells it. @param {Record<string, any>} pulse */
  noteSlow({ failed_units: failed }) {
    this.failedUnits = isNumber(failed) ? failed : undefined
  }

  /** @param {unknown[]} pulses oldest first */
  takePast(pulses) {
    const rows = pulses.filter(isSample).slice(-SPARKLINE_ROWS)
    this.recent.merge(rows.map((pulse) => ({ time: pulse.time, entries: headline(pulse) })))
    const newest = rows.at(-1)
    if (newest !== undefined && this.#order.acceptPast(newest, this.intervalSeconds)) {
      this.pulse = prepared(newest, "pulse")
      this.noteSlow(newest)
      this.hear(newest.time)
    }
  }

  /** It got into a state. @param {string} state @param {boolean} isFirst that this page knows of it */
  enter(state, isFirst) {
    if (state !== this.state && !isFirst)
      this.changes = [...this.changes, { state, at: this.sinceMilliseconds }].slice(-MAX_CHANGES)
    this.state = state
  }

  /** A sample came. @param {number} time seconds by the host's clock */
  hear(time) {
    this.newest = time
  }

  /** Those that were sampled up to a moment. @param {unknown[]} samples @param {number} until milliseconds */
  upTo(samples, until) {
    return samples.filter(isSample).filter((sample) => !this.#isAfter(sample, until))
  }

  /** @param {import("./contract.js").Sample} sample @param {number} until milliseconds */
  #isAfter(sample, until) {
    return sample.time * 1000 + this.offsetMilliseconds > until
  }
}

export class Fleet {
  /** @type {Map<string, Host>} */
  hosts = new Map()
  /** False until the bridge has said who is there. */
  known = false
  broker = { state: "connected", since: 0 }
  /**
   * The prefix of each site that is cut off, and since when, seconds by the bridge's clock.
   * @type {[string, number][]}
   */
  sitesAway = []
  bridgeClock = new ClockOffset()
  bridgeVersion = ""
  /**
   * What hosts sampled later is left out: while time stands still, the moment that is shown, milliseconds by
   * the browser's clock.
   */
  until = Number.POSITIVE_INFINITY
  /** What all hosts do together, over the last minute. */
  sums = new FleetSums()
  /** @type {Map<string, Set<Host>>} */
  #byName = new Map()

  /** @param {string} id */
  host(id) {
    return this.hosts.get(id)
  }

  /**
   * Take in what the bridge said, whatever it is.
   * @param {Record<string, any>} message
   * @param {number} received milliseconds
   */
  take(message, received) {
    switch (message.type) {
      case "welcome":
        this.bridgeClock.observe(message.time, received)
        this.bridgeVersion = String(message.version ?? "")
        this.broker = { state: message.broker, since: message.broker_since }
        this.sitesAway = sitesOf(message)
        this.forgetPast()
        break
      case "pong":
        if (isTime(message.time) && !this.isStill) this.bridgeClock.observe(message.time, received)
        break
      case "broker":
        // What came meanwhile may come late; of the sums nobody could say when they are whole.
        if (message.state === "connected" && message.since !== this.broker.since) this.#wantPast()
        this.broker = { state: message.state, since: message.since }
        this.sitesAway = sitesOf(message)
        break
      case "fleet":
        this.#replace(message.hosts.filter(isHostEntry), received)
        break
      case "host":
        this.#change(message)
        break
      case "pulse":
        if (!this.isStill)
          for (const [id, pulse] of Object.entries(message.hosts))
            this.#known(id)?.take(pulse, received, true)
        break
      case "history":
        this.#takePast(message, received)
        break
    }
  }

  /** Whether time stands still. */
  get isStill() {
    return this.until < Number.POSITIVE_INFINITY
  }

  /** How many hosts are in each state. @returns {Map<string, number>} */
  counts() {
    const counts = new Map(STATES.map((state) => [state, 0]))
    for (const host of this.hosts.values()) counts.set(host.state, (counts.get(host.state) ?? 0) + 1)
    return counts
  }

  /** Pulses may have been missed: the past of every host is wanted again. */
  forgetPast() {
    this.#wantPast()
    this.sums.forgetPast()
  }

  /** @param {number} time seconds by the bridge's clock @returns {number} milliseconds by the browser's */
  fromBridge(time) {
    return time * 1000 + (this.bridgeClock.milliseconds ?? 0)
  }

  #wantPast() {
    for (const host of this.hosts.values()) host.filled = false
  }

  /** @param {Record<string, any>} message @param {number} received */
  #takePast(message, received) {
    const host = this.hosts.get(message.host)
    if (host === undefined || !Array.isArray(message.samples.pulse)) return
    const pulses = host.upTo(message.samples.pulse, this.until)
    host.takePast(pulses)
    this.sums.takePast(host, pulses, message.more !== true, Math.min(received, this.until))
    if (message.more === true) return
    host.filled = true
    this.sums.fill([...this.hosts.values()].filter((one) => one.state === "live").map((one) => one.id))
  }

  /** @param {import("./contract.js").HostEntry[]} entries @param {number} received */
  #replace(entries, received) {
    const present = new Set()
    for (const entry of entries) {
      present.add(entry.id)
      this.#change(entry)
      this.hosts.get(entry.id)?.take(entry.pulse, received, entry.state === "live", this.until)
    }
    for (const id of this.hosts.keys()) if (!present.has(id)) this.#remove(id)
    this.known = true
  }

  /** @param {Record<string, any>} message */
  #change(message) {
    if (message.removed === true) {
      this.#remove(message.id)
      return
    }
    const isNew = !this.hosts.has(message.id)
    const host = this.#known(message.id)
    if (host === undefined) return
    this.#unlist(host)
    if (isNumber(message.since)) host.since = message.since
    if (message.state !== undefined) {
      host.enter(message.state, isNew)
      host.cutOff = message.cut_off === true
      host.expected = expectedOf(message.expected)
    }
    if (isObject(message.info)) host.info = message.info
    if (message.type === "host" && isObject(message.pulse)) host.noteSlow(message.pulse)
    this.#list(host)
  }

  /** @param {string} id */
  #remove(id) {
    const host = this.hosts.get(id)
    if (host !== undefined) this.#unlist(host)
    this.hosts.delete(id)
  }

  /** @param {Host} host */
  #list(host) {
    const namesakes = this.#byName.get(host.plainName) ?? new Set()
    this.#byName.set(host.plainName, namesakes.add(host))
    tellApart(namesakes)
  }

  /** @param {Host} host */
  #unlist(host) {
    const namesakes = this.#byName.get(host.plainName)
    if (!namesakes?.delete(host)) return
    if (namesakes.size === 0) this.#byName.delete(host.plainName)
    tellApart(namesakes)
  }

  /** @param {string} id */
  #known(id) {
    let host = this.hosts.get(id)
    if (host === undefined && isHostId(id)) {
      host = new Host(id, this.bridgeClock)
      this.hosts.set(id, host)
      this.#list(host)
    }
    return host
  }
}

/** @param {string} name @param {string} id */
function withId(name, id) {
  return name === id ? id : `${name} (${id})`
}

/**
 * @param {unknown} expected as the bridge says it
 * @returns {{name: string, tags: string[], notes: string} | undefined}
 */
function expectedOf(expected) {
  if (!isObject(expected)) return undefined
  const { name, tags, notes } = expected
  return {
    name: typeof name === "string" ? name : "",
    tags: textsOf(tags),
    notes: typeof notes === "string" ? notes : "",
  }
}

/** Those in a list that are texts. @param {unknown} list @returns {string[]} */
function textsOf(list) {
  return Array.isArray(list) ? list.filter((one) => typeof one === "string" && one !== "") : []
}

/** @param {Set<Host>} namesakes */
function tellApart(namesakes) {
  for (const host of namesakes) host.hasNamesake = namesakes.size > 1
}

/** @param {Record<string, any>} message @returns {[string, number][]} */
function sitesOf({ sites_away: sites }) {
  return isObject(sites)
    ? Object.entries(sites).filter(/** @returns {site is [string, number]} */ (site) => isNumber(site[1]))
    : []
}

/** @param {Record<string, any>} pulse @returns {[string, number][]} */
function headline(pulse) {
  return isNumber(pulse.cpu_percent) ? [["cpu_percent", pulse.cpu_percent]] : []
}
