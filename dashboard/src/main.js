/** Builds the page and connects it: what arrives goes to the fleet and to the page that is open. */

import { Scheduler } from "./charts/scheduler.js"
import { TimeView } from "./charts/time-view.js"
import { Fleet } from "./data/fleet.js"
import { Selection } from "./data/selection.js"
import { BridgeSocket } from "./data/socket.js"
import { Actions } from "./frame/actions.js"
import { Announcer } from "./frame/announcer.js"
import { frameActions } from "./frame/frame-actions.js"
import { Header } from "./frame/header.js"
import { Help } from "./frame/help.js"
import { Kiosk } from "./frame/kiosk.js"
import { Palette } from "./frame/palette.js"
import { everythingToFind } from "./frame/palette-items.js"
import { Preferences } from "./frame/preferences.js"
import { followPrinting } from "./frame/print.js"
import { frameQuery, keepToken, parseRoute, takeToken } from "./frame/router.js"
import { StatusBar } from "./frame/status-bar.js"
import { Theme } from "./frame/theme.js"
import { TimePause } from "./frame/time-pause.js"
import { VisitedPages } from "./frame/visited-pages.js"
import { ComparePage } from "./pages/compare-page.js"
import { byName } from "./pages/fleet-columns.js"
import { FleetPage } from "./pages/fleet-page.js"
import { HostPage } from "./pages/host-page.js"
import { element, setAttribute, setText } from "./widgets/dom.js"
import { isBoxOpen } from "./widgets/menu.js"

const TEXT_MILLISECONDS = 1000
const STREAMS = new Set(["pulse", "live", "pong"])
const PAGES = { fleet: FleetPage, host: HostPage, compare: ComparePage }

class App {
  #fleet = new Fleet()
  #theme = new Theme()
  #preferences = new Preferences()
  #scheduler = new Scheduler((now) => this.#write(now))
  #time = new TimeView()
  #actions = new Actions()
  #visited = new VisitedPages()
  #announcer = new Announcer()
  #palette = new Palette()
  #help = new Help(this.#actions)
  #kiosk = new Kiosk(() => this.#hosts().map((host) => host.id))
  #said = element("p", { class: "unseen", role: "status" })
  #main = /** @type {HTMLElement} */ (document.getElementById("main"))
  #welcome = { viewers: 0, protocol: 0, pageVersion: "" }
  #icon = /** @type {HTMLElement} */ (document.querySelector('link[rel="icon"]'))
  #token
  #socket
  #selection
  #timePause
  #header
  #bar
  /** @type {FleetPage | HostPage | ComparePage | undefined} */
  #page
  #route = parseRoute("")
  /** To where the page that opened is to be scrolled, in pixels. @type {number | undefined} */
  #top

  constructor() {
    this.#token = takeToken()
    // Beside the page, which a proxy may serve under a path of its own.
    const address = new URL("ws", location.href)
    address.protocol = address.protocol.replace("http", "ws")
    this.#socket = new BridgeSocket(address.href, {
      token: this.#token,
      onMessage: (message, received) => this.#take(message, received),
      onLink: () => this.#changed(),
    })
    this.#selection = new Selection(this.#socket, this.#time)
    this.#bar = new StatusBar(/** @type {HTMLElement} */ (document.getElementById("bar")), {
      retry: () => this.#socket.retryNow(),
      resume: () => this.#timePause.toggle(),
      hasToken: this.#token !== undefined,
      useToken: (given) => this.#useToken(given),
    })
    this.#timePause = new TimePause(this.#time, this.#fleet, (words) => this.#bar.notice(words, Date.now()))
    this.#header = new Header(/** @type {HTMLElement} */ (document.getElementById("header")), {
      theme: this.#theme,
      preferences: this.#preferences,
      actions: this.#actions,
      welcome: () => this.#welcome,
      find: () => this.#find(),
      help: () => this.#help.open(),
      pause: () => this.#timePause.toggle(),
    })
    document.body.append(this.#said)
  }

  start() {
    // Browsers would scroll before there is anything to scroll to.
    history.scrollRestoration = "manual"
    window.addEventListener("hashchange", ({ oldURL }) => {
      this.#visited.leave(new URL(oldURL).hash, window.scrollY)
      this.#open()
    })
    window.addEventListener("online", () => this.#socket.retryNow())
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#socket.retryNow()
    })
    document.addEventListener("keydown", (event) => this.#press(event))
    // The skip link must not become an address of the router.
    document.querySelector(".skip")?.addEventListener("click", (event) => {
      event.preventDefault()
      this.#main.focus()
    })
    this.#actions.frame = frameActions({
      actions: this.#actions,
      theme: this.#theme,
      preferences: this.#preferences,
      time: this.#time,
      timePause: this.#timePause,
      kiosk: this.#kiosk,
      visited: this.#visited,
      find: () => this.#find(),
      help: () => this.#help.open(),
      route: () => this.#route,
    })
    this.#time.follow(() => {
      this.#fleet.until = this.#time.end(Number.POSITIVE_INFINITY)
      this.#scheduler.wantText()
    })
    this.#preferences.follow(() => {
      this.#scheduler.wantText()
      this.#scheduler.repaint()
    })
    followPrinting(this.#theme, this.#scheduler)
    this.#open()
    // Nothing was scrolled yet.
    this.#top = undefined
    this.#scheduler.start()
    this.#socket.open()
    setInterval(() => this.#changed(), TEXT_MILLISECONDS)
  }

  #open() {
    const token = takeToken()
    if (token !== this.#token) this.#useToken(token ?? "")
    this.#page?.close()
    this.#selection.release()
    this.#route = parseRoute(location.hash)
    const { win, pause } = frameQuery(this.#route.query)
    if (win !== undefined) this.#time.setSeconds(win)
    this.#timePause.open(this.#route, pause)
    this.#page = new PAGES[this.#route.page](this.#context(), this.#route)
    this.#actions.page = this.#page.actions
    this.#kiosk.follow(this.#route)
    setAttribute(document.documentElement, "data-page", this.#route.page)
    if (!this.#route.isKnown)
      this.#bar.notice(`There is no page ${location.hash}; this is the fleet.`, Date.now())
    const isKnown = history.state !== null || this.#route.page === "fleet"
    this.#top = isKnown ? this.#visited.topOf(location.hash) : 0
    history.replaceState("seen", "")
    this.#scheduler.wantText()
  }

  /** @returns {import("./frame/page-context.js").PageContext} */
  #context() {
    return {
      fleet: this.#fleet,
      theme: this.#theme,
      preferences: this.#preferences,
      scheduler: this.#scheduler,
      selection: this.#selection,
      time: this.#time,
      visited: this.#visited,
      actions: this.#actions,
      tools: this.#header.tools,
      main: this.#main,
      ask: (prompt, items) => this.#palette.open(prompt, items),
    }
  }

  /** @param {Record<string, any>} message @param {number} received */
  #take(message, received) {
    if (message.type === "error") this.#bar.refuse(message.code, message.text)
    if (message.type === "notice") this.#bar.notice(`This page does not keep up: ${message.text}`, received)
    const before = statesOf(this.#fleet, message)
    this.#fleet.take(message, received)
    if (message.type === "welcome") this.#greet(message)
    this.#announceChanges(before)
    this.#page?.take(message, received)
    // What streams in is kept, and shown when time goes on.
    if (this.#time.pausedAt === undefined || !STREAMS.has(message.type)) this.#scheduler.wantText()
  }

  /** @param {Record<string, any>} message */
  #greet({ viewers, protocol, limits, version }) {
    this.#bar.refuse("", "")
    // Its modules came from this bridge, too, which is asked to hand out no older ones.
    const pageVersion = this.#welcome.pageVersion || String(version ?? "")
    this.#welcome = { viewers, protocol, pageVersion }
    this.#timePause.learn(limits?.history_seconds)
  }

  /** @param {Map<string, string>} before states by host id */
  #announceChanges(before) {
    for (const [id, state] of before) {
      const host = this.#fleet.host(id)
      if (host !== undefined && host.state !== state) this.#announcer.host(host, state, host.state)
    }
  }

  /** @param {string} token */
  #useToken(token) {
    this.#token = token
    keepToken(token)
    this.#socket.useToken(token)
  }

  #find() {
    this.#palette.open(
      "Host, panel or action",
      everythingToFind({ hosts: this.#hosts(), actions: this.#actions }),
    )
  }

  #hosts() {
    return [...this.#fleet.hosts.values()].sort(byName)
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (isBoxOpen()) return
    if (event.key === "Escape" && this.#kiosk.on) this.#kiosk.leave()
    else this.#actions.press(event)
  }

  /** @param {number} now */
  #write(now) {
    this.#writeFrame(now)
    this.#page?.update(this.#time.end(now))
    if (this.#top !== undefined && this.#fleet.known) this.#scroll(this.#top, now)
    this.#writeTitle()
  }

  /** What comes into sight is written at once. @param {number} top @param {number} now */
  #scroll(top, now) {
    this.#top = undefined
    if (top === window.scrollY) return
    window.scrollTo({ top, behavior: "instant" })
    this.#page?.update(this.#time.end(now))
  }

  /** @param {number} now */
  #writeFrame(now) {
    const { link } = this.#socket
    const { pausedAt } = this.#time
    this.#announcer.connection(
      this.#bar.update({ link, fleet: this.#fleet, pausedAt, pageVersion: this.#welcome.pageVersion }, now),
    )
    this.#header.update({ link, fleet: this.#fleet, pausedAt, page: this.#route.page }, now)
    const words = this.#announcer.next(now)
    if (words !== undefined) setText(this.#said, words)
  }

  /** What is wrong is seen from another tab, too. */
  #writeTitle() {
    const lost = this.#fleet.counts().get("lost") ?? 0
    const bare = document.title.replace(/^\(\d+\) /, "")
    const title = lost > 0 ? `(${lost}) ${bare}` : bare
    if (title !== document.title) document.title = title
    // Without its bridge the page could not load the other icon.
    if (this.#socket.link.phase !== "open") return
    const trouble =
      lost > 0 || !["ok", "opening", "paused", "notice"].includes(document.body.dataset.link ?? "ok")
    setAttribute(this.#icon, "href", trouble ? "icon-trouble.svg" : "icon.svg")
  }

  /** Once per second, and when the connection changes: the frame even while the rest stands still. */
  #changed() {
    if (this.#time.pausedAt === undefined) this.#scheduler.wantText()
    else this.#writeFrame(Date.now())
  }
}

/**
 * The states that a message may change, as they are before it.
 * @param {Fleet} fleet
 * @param {Record<string, any>} message
 * @returns {Map<string, string>}
 */
function statesOf(fleet, message) {
  if (message.type === "fleet") return new Map([...fleet.hosts.values()].map((host) => [host.id, host.state]))
  const host = message.type === "host" && message.state !== undefined ? fleet.host(message.id) : undefined
  return new Map(host === undefined ? [] : [[host.id, host.state]])
}

new App().start()
