/** One host in full. A page is made for one host and thrown away with it: nothing of another can stay. */

import { button, element, setAttribute, setText } from "../dom.js"
import { byName } from "./fleet-columns.js"
import { age, bytes, count, isNumber, MISSING, roughly, uptime } from "../numbers.js"
import { CollectorPanel } from "../panels/collector.js"
import { CoresPanel, CpuPanel, KernelPanel, LoadPanel } from "../panels/cpu.js"
import { DiskPanel } from "../panels/disk.js"
import { FactsPanel } from "../panels/facts.js"
import { FilesystemPanel } from "../panels/filesystem.js"
import { GenericPanel } from "../panels/generic.js"
import { MemoryPanel } from "../panels/memory.js"
import { NetworkPanel } from "../panels/network.js"
import { PowerPanel } from "../panels/power.js"
import { ProcessPanel } from "../panels/process.js"
import { TemperaturePanel } from "../panels/temperature.js"
import { FLEET_ADDRESS, hostAddress } from "../router.js"
import { Samples } from "../samples.js"
import { StateMark, stateInWords } from "../state.js"
import { WINDOWS_SECONDS } from "../time-view.js"

const SKEW_WORTH_A_WORD_SECONDS = 2
const PANELS = [CpuPanel, CoresPanel, MemoryPanel, LoadPanel, KernelPanel, NetworkPanel, DiskPanel, FilesystemPanel, TemperaturePanel, ProcessPanel, CollectorPanel, FactsPanel]
const KNOWN_GROUPS = new Set(["cpu", "memory", "disk", "filesystem", "network", "sensor", "process", "collector"])

export class HostPage {
  #context
  #id
  #samples = null
  #panels = []
  #windows
  #unfollow
  #switcher = element("select", { class: "switcher", "aria-label": "Host" })
  #listed = ""
  #mark = new StateMark()
  #name = element("h1", { class: "host-name" })
  #synthetic = element("span", { class: "tag", hidden: true, title: "a simulated host, not a real one" }, "synthetic")
  #about = element("p", { class: "host-about" })
  #heard = element("p", { class: "host-heard" })
  #warning = element("p", { class: "host-warning", hidden: true })
  #unknown = element("p", { class: "nothing", hidden: true })
  #grid = element("div", { class: "panels" })

  /** @param {object} context @param {import("../router.js").Route} route */
  constructor(context, { host: id }) {
    this.#context = context
    this.#id = id
    this.#unfollow = context.time.follow(() => this.#showWindow())
    this.#windows = WINDOWS_SECONDS.map((seconds) => button(`${seconds / 60} min`, () => this.#setWindow(seconds), { "data-seconds": String(seconds) }))
    this.#switcher.addEventListener("change", () => { location.hash = hostAddress(this.#switcher.value) })
    context.tools.replaceChildren(
      element("nav", { class: "host-nav", "aria-label": "Hosts" },
        element("a", { href: FLEET_ADDRESS, class: "back" }, "all hosts"),
        button("‹", () => this.#step(-1), { "aria-label": "Previous host", title: "previous host  [", class: "step" }),
        this.#switcher,
        button("›", () => this.#step(1), { "aria-label": "Next host", title: "next host  ]", class: "step" })),
      element("div", { class: "choice", role: "group", "aria-label": "Window" }, ...this.#windows))
    context.main.replaceChildren(
      element("section", { class: "identity", "aria-label": "Host" },
        element("div", { class: "identity-name" }, this.#name, this.#synthetic, this.#mark.element), this.#about, this.#heard, this.#warning),
      this.#unknown, this.#grid)
    this.#showWindow()
    context.selection.host(id, context.time.seconds)
  }

  /** Undo the constructor. */
  close() {
    this.#unfollow()
    for (const panel of this.#panels) panel.close()
    this.#context.main.replaceChildren()
    this.#context.tools.replaceChildren()
    delete this.#context.main.dataset.state
  }

  /** @param {Record<string, any>} message @param {number} received */
  take(message, received) {
    if (message.host !== this.#id) return
    const host = this.#context.fleet.host(this.#id)
    if (host === undefined) return
    this.#adopt(host)
    if (message.type === "live") this.#samples.take(message.samples, received)
    if (message.type === "live") host.take(message.samples.pulse, received, true)
    if (message.type === "history") this.#samples.takePast(message.samples, received)
  }

  /** @returns {import("../actions.js").Action[]} */
  get actions() {
    return [
      { words: "Previous host", keys: ["["], run: () => this.#step(-1) },
      { words: "Next host", keys: ["]"], run: () => this.#step(1) },
      { words: "All hosts", keys: ["Escape"], run: () => { location.hash = FLEET_ADDRESS } },
    ]
  }

  /** @param {number} now */
  update(now) {
    const { fleet, main } = this.#context
    const host = fleet.host(this.#id)
    this.#writeSwitcher()
    setText(this.#name, host?.name ?? this.#id)
    document.title = `${host?.name ?? this.#id} · Fleetglass`
    this.#unknown.hidden = host !== undefined || !fleet.known
    setText(this.#unknown, "No host of this name is known to the bridge. It appears here when its agent is heard.")
    this.#grid.hidden = host === undefined
    this.#mark.element.hidden = host === undefined
    if (host === undefined) return
    this.#adopt(host)
    setAttribute(main, "data-state", host.state)
    this.#writeIdentity(host, now)
    this.#addUnknownGroups()
    for (const panel of this.#panels) panel.update(now)
  }

  #adopt(host) {
    if (this.#samples?.host === host) return
    for (const panel of this.#panels) panel.close()
    this.#samples = new Samples(host)
    this.#panels = PANELS.map((Kind) => new Kind(this.#panelContext(host)))
    this.#grid.replaceChildren(...this.#panels.map((panel) => panel.element))
    this.#showWindow()
  }

  #panelContext(host) {
    const { fleet, scheduler, theme, time } = this.#context
    return { host, samples: this.#samples, fleet, scheduler, theme, time }
  }

  #addUnknownGroups() {
    for (const name of this.#samples.names) {
      if (KNOWN_GROUPS.has(name) || name === "pulse" || this.#panels.some((panel) => panel.group === name)) continue
      const context = this.#panelContext(this.#samples.host)
      const panel = name === "power" ? new PowerPanel(context) : new GenericPanel(context, name)
      this.#panels.push(panel)
      this.#grid.append(panel.element)
      this.#showWindow()
    }
  }

  #writeIdentity(host, now) {
    const { fleet } = this.#context
    const { info } = host
    this.#mark.set(host.state, stateInWords(host, now))
    this.#synthetic.hidden = !host.synthetic
    const cores = isNumber(info.logical_cores) ? `${count(info.logical_cores)} cores` : ""
    const memory = isNumber(info.memory_total_bytes) ? bytes(info.memory_total_bytes) : ""
    const up = uptime(host.state === "live" ? this.#uptime(host, now) : undefined)
    const since = up === MISSING ? "" : `up ${up}`
    setText(this.#about, [info.os_name, info.kernel, info.cpu_model, cores, memory, since].filter((part) => typeof part === "string" && part !== "").join(" · "))
    const heard = fleet.lastHeard(host)
    setText(this.#heard, Number.isNaN(heard) ? "" : host.state === "live" ? "" : `last sample ${age(heard, now)}`)
    this.#writeWarning(host)
  }

  /** From the time of boot, since the headline figures come only to the fleet page. */
  #uptime(host, now) {
    const { boot_time: booted } = host.info
    return isNumber(booted) ? (now - this.#context.fleet.offset(host)) / 1000 - booted : host.pulse.uptime_seconds
  }

  #writeWarning(host) {
    const skew = this.#context.fleet.skew(host)
    const words = []
    if (skew !== undefined && Math.abs(skew) > SKEW_WORTH_A_WORD_SECONDS) {
      words.push(`clock ${roughly(skew)} ${skew > 0 ? "ahead of" : "behind"} the bridge's; the charts are set right`)
    }
    if (host.info.conflict) words.push("another machine publishes under this host id")
    setText(this.#warning, words.join(" · "))
    this.#warning.hidden = words.length === 0
  }

  #writeSwitcher() {
    const hosts = [...this.#context.fleet.hosts.values()].sort(byName)
    const listed = hosts.map((host) => `${host.id}\t${host.name}\t${host.state}`).join("\n")
    if (listed !== this.#listed && document.activeElement !== this.#switcher) {
      this.#listed = listed
      this.#switcher.replaceChildren(...hosts.map((host) =>
        element("option", { value: host.id }, host.state === "live" ? host.name : `${host.name} (${host.state})`)))
    }
    if (document.activeElement !== this.#switcher) this.#switcher.value = this.#id
  }

  #step(by) {
    const ids = [...this.#context.fleet.hosts.values()].sort(byName).map((host) => host.id)
    if (ids.length === 0) return
    const place = ids.indexOf(this.#id)
    location.hash = hostAddress(ids[(place + by + ids.length) % ids.length])
  }

  #setWindow(seconds) {
    const { time } = this.#context
    const longer = seconds > time.seconds
    time.setSeconds(seconds)
    this.#context.scheduler.repaint()
    if (longer) this.#context.selection.hostAnew(this.#id, seconds)
    else this.#context.selection.host(this.#id, seconds)
  }

  #showWindow() {
    const { seconds } = this.#context.time
    for (const one of this.#windows) setAttribute(one, "aria-pressed", String(Number(one.dataset.seconds) === seconds))
  }
}
