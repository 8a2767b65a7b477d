/** Builds the page and connects it: what arrives goes to the fleet and to the page that is open. */

import { Actions } from "./actions.js"
import { Fleet } from "./fleet.js"
import { Header } from "./header.js"
import { FleetPage } from "./pages/fleet-page.js"
import { HostPage } from "./pages/host-page.js"
import { parseRoute, takeToken } from "./router.js"
import { Scheduler } from "./scheduler.js"
import { Selection } from "./selection.js"
import { BridgeSocket } from "./socket.js"
import { StatusBar } from "./status-bar.js"
import { Theme } from "./theme.js"
import { TimeView } from "./time-view.js"

const TEXT_MILLISECONDS = 1000

class App {
  #fleet = new Fleet()
  #theme = new Theme()
  #scheduler = new Scheduler((now) => this.#write(now))
  #time = new TimeView()
  #actions = new Actions()
  #socket
  #selection
  #header
  #bar
  #page = null

  constructor() {
    const token = takeToken()
    // Beside the page, which a proxy may serve under a path of its own.
    const address = new URL("ws", location.href)
    address.protocol = address.protocol.replace("http", "ws")
    this.#socket = new BridgeSocket(address.href, {
      token,
      onMessage: (message, received) => this.#take(message, received),
      onLink: () => this.#scheduler.wantText(),
    })
    this.#selection = new Selection(this.#socket)
    this.#header = new Header(document.getElementById("header"), { theme: this.#theme })
    this.#bar = new StatusBar(document.getElementById("bar"), () => this.#socket.retryNow())
  }

  start() {
    window.addEventListener("hashchange", () => this.#open())
    window.addEventListener("online", () => this.#socket.retryNow())
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#socket.retryNow()
    })
    document.addEventListener("keydown", (event) => this.#actions.press(event))
    // The skip link must not become an address of the router.
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault()
      document.getElementById("main").focus()
    })
    this.#open()
    this.#scheduler.start()
    this.#socket.open()
    setInterval(() => this.#scheduler.wantText(), TEXT_MILLISECONDS)
  }

  #open() {
    const route = parseRoute(location.hash)
    this.#page?.close()
    this.#time.pause(undefined)
    const context = {
      fleet: this.#fleet,
      theme: this.#theme,
      scheduler: this.#scheduler,
      selection: this.#selection,
      time: this.#time,
      tools: this.#header.tools,
      main: document.getElementById("main"),
    }
    this.#page = route.page === "host" ? new HostPage(context, route) : new FleetPage(context, route)
    this.#actions.page = this.#page.actions
    this.#scheduler.wantText()
  }

  #take(message, received) {
    if (message.type === "error") this.#bar.refuse(message.text)
    if (message.type === "welcome") this.#bar.refuse("")
    if (message.type === "notice") this.#bar.notice(message.text, received)
    this.#fleet.take(message, received)
    this.#page?.take(message, received)
    this.#scheduler.wantText()
  }

  #write(now) {
    this.#bar.update(this.#socket.link, this.#fleet, now)
    this.#header.update(this.#socket.link, this.#fleet, now)
    this.#page?.update(now)
  }
}

new App().start()
