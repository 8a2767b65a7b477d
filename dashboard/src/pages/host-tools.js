/** What stands in the header on a host's page: the way to the other hosts, and the window. */

import { WINDOWS_SECONDS } from "../charts/time-view.js"
import { hostAddress } from "../frame/router.js"
import { button, element, setAttribute } from "../widgets/dom.js"
import { byName } from "./fleet-columns.js"

export class HostTools {
  #id
  #panel
  #fleet
  #windows
  #listed = ""
  #switcher = /** @type {HTMLSelectElement} */ (
    element("select", { class: "switcher", "aria-label": "Host" })
  )
  elements

  /**
   * @param {import("../data/fleet.js").Fleet} fleet
   * @param {{host: string, panel: string}} route
   * @param {string} fleetAddress
   * @param {(seconds: number) => void} setWindow
   */
  constructor(fleet, { host, panel }, fleetAddress, setWindow) {
    this.#fleet = fleet
    this.#id = host
    this.#panel = panel
    this.#windows = WINDOWS_SECONDS.map((seconds) =>
      button(`${seconds / 60} min`, () => setWindow(seconds), { "data-seconds": String(seconds) }),
    )
    this.#switcher.addEventListener("change", () => {
      location.hash = hostAddress(this.#switcher.value, panel)
    })
    this.elements = [
      element(
        "nav",
        { class: "host-nav", "aria-label": "Hosts" },
        element("a", { href: fleetAddress, class: "back" }, "all hosts"),
        button("‹", () => this.step(-1), {
          "aria-label": "Previous host",
          title: "previous host  [",
          class: "step",
        }),
        this.#switcher,
        button("›", () => this.step(1), { "aria-label": "Next host", title: "next host  ]", class: "step" }),
      ),
      element("div", { class: "choice", role: "group", "aria-label": "Window" }, ...this.#windows),
    ]
  }

  /** To the next host by name, or the one before; the same panel of it. @param {number} by */
  step(by) {
    const ids = this.#sorted().map((host) => host.id)
    if (ids.length === 0) return
    const place = ids.indexOf(this.#id)
    location.hash = hostAddress(ids[(place + by + ids.length) % ids.length], this.#panel)
  }

  /** @param {number} seconds the window that is shown */
  showWindow(seconds) {
    for (const one of this.#windows)
      setAttribute(one, "aria-pressed", String(Number(one.dataset.seconds) === seconds))
  }

  /** Write what changed. */
  update() {
    if (document.activeElement === this.#switcher) return
    const hosts = this.#sorted()
    const listed = hosts.map((host) => `${host.id}\t${host.fullName}\t${host.state}`).join("\n")
    if (listed !== this.#listed) {
      this.#listed = listed
      this.#switcher.replaceChildren(
        ...hosts.map((host) =>
          element(
            "option",
            { value: host.id },
            host.state === "live" ? host.fullName : `${host.fullName} (${host.state})`,
          ),
        ),
      )
    }
    this.#switcher.value = this.#id
  }

  #sorted() {
    return [...this.#fleet.hosts.values()].sort(byName)
  }
}
