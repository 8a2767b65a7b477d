import { alertsOf } from "../data/host-alerts.js"
import { clockTime } from "../data/numbers.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { KeyedTable } from "../widgets/table.js"
import { Panel } from "./panel.js"

/** @type {import("./panel.js").Kind} */
export const ALERTS = {
  key: "alerts",
  title: "Alerts",
  groups: [],
  make: (context, kind) => new AlertsPanel(context, kind),
}

/** What needs attention now, and the changes of state that this page has seen. */
class AlertsPanel extends Panel {
  #none = element("p", { class: "quiet" }, "nothing needs attention")
  #list = element("ul", { class: "alerts" })
  #seen = element("p", { class: "quiet" })
  #changes = new KeyedTable("Changes of state", [{ title: "at" }, { title: "state" }])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.body.append(this.#none, this.#list, this.#changes.element, this.#seen)
  }

  /** @param {import("./panel.js").Payload | undefined} payload @param {number} now */
  update(payload, now) {
    super.update(payload, now)
    const { host, samples } = this.context
    const alerts = alertsOf(host, now, (group) => samples.group(group).latest, samples.busySeconds(now))
    this.#none.hidden = alerts.length > 0 || host.state !== "live"
    this.#writeList(alerts)
    this.#changes.element.hidden = host.changes.length === 0
    this.#changes.update(
      host.changes
        .toReversed()
        .map(({ at, state }, index) => ({ key: `${at} ${index}`, cells: [clockTime(at), state] })),
    )
    setText(this.#seen, host.changes.length === 0 ? "no change of state since this page was opened" : "")
    this.#seen.hidden = host.changes.length > 0
  }

  /** @param {import("../data/host-alerts.js").Alert[]} alerts */
  #writeList(alerts) {
    while (this.#list.childElementCount > alerts.length) this.#list.lastElementChild?.remove()
    while (this.#list.childElementCount < alerts.length)
      this.#list.append(element("li", {}, element("span", { class: "alert-level" }), element("span")))
    alerts.forEach(({ level, words }, index) => {
      const item = this.#list.children[index]
      setAttribute(item, "data-level", level)
      setText(item.children[0], level === "critical" ? "critical" : "warning")
      setText(item.children[1], words)
    })
  }
}
