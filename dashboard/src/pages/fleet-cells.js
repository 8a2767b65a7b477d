/** What a row and a card are made of: who a host is, and one figure each. */

import { drawCores, MAX_CORES_SHOWN } from "../charts/core-bars.js"
import { drawSparkline } from "../charts/sparkline.js"
import { StillCanvas } from "../charts/still-canvas.js"
import { levelAt } from "../data/limits.js"
import { count, isNumber, MISSING, MISSING_TITLE } from "../data/numbers.js"
import { stateInWords } from "../data/state-words.js"
import { hostAddress } from "../frame/router.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { Meter } from "../widgets/meter.js"
import { StateMark } from "../widgets/state-mark.js"
import { shownTagsOf } from "./fleet-order.js"

const TAGS_SHOWN = 3
const GLYPHS = { warn: "▲", critical: "◆" }

/** @typedef {import("../data/fleet.js").Host} Host */
/**
 * @typedef {{colours: import("../charts/colours.js").Colours, now: number,
 *   alertsOf: import("./fleet-order.js").AlertsOf, picked: Set<string>}} Moment picked: ids chosen to be
 *   compared
 */
/**
 * @typedef {{element: HTMLElement, write: (host: Host, moment: Moment) => void, close?: () => void}} Cell
 *   close: of one that draws
 */
/** @typedef {import("../charts/scheduler.js").Scheduler} Scheduler */

/** The name as a link, what is wrong, and the host's tags. @returns {Cell & {link: HTMLElement}} */
export function identityCell() {
  const link = element("a", { class: "host-link" })
  const id = element("span", { class: "host-id", hidden: true })
  const pick = element("button", { type: "button", class: "pick-host", "aria-pressed": "false" })
  const chip = alertChip()
  const synthetic = element(
    "span",
    { class: "tag", hidden: true, title: "a simulated host, not a real one" },
    "synthetic",
  )
  const tags = tagList()
  return {
    link,
    element: element(
      "span",
      { class: "identity-line" },
      link,
      id,
      chip.element,
      synthetic,
      tags.element,
      pick,
    ),
    write(host, moment) {
      setText(link, host.name)
      setAttribute(link, "href", hostAddress(host.id))
      setAttribute(
        link,
        "title",
        [host.name === host.id ? "" : host.id, host.notes].filter(Boolean).join("\n") || null,
      )
      writeId(id, host)
      setAttribute(pick, "aria-label", `Compare ${host.name}`)
      setAttribute(pick, "aria-pressed", String(moment.picked.has(host.id)))
      synthetic.hidden = !host.synthetic
      chip.write(host, moment)
      tags.write(host, moment)
    },
  }
}

/** The id, where a listed name hides it. @param {HTMLElement} place @param {Host} host */
export function writeId(place, host) {
  place.hidden = host.name === host.fullName
  setText(place, place.hidden ? "" : host.id)
}

/** The state as glyph and words, then the system, or the notes of a host not yet heard. @returns {Cell} */
export function conditionCell() {
  const mark = new StateMark()
  const about = element("span", { class: "about" })
  return {
    element: element("span", { class: "condition-line" }, mark.element, about),
    write(host, { now }) {
      mark.set(host.state, stateInWords(host, now))
      const isSaid = host.state === "lost" || host.state === "late"
      setText(about, isSaid ? "" : host.isUnheard ? host.notes : systemOf(host))
    },
  }
}

/** "Debian 12, 8 cores": what is known. @param {Host} host */
export function systemOf({ info: { os_name: system, logical_cores: cores } }) {
  return [shortName(system), isNumber(cores) ? `${count(cores)} ${cores === 1 ? "core" : "cores"}` : ""]
    .filter(Boolean)
    .join(", ")
}

/**
 * @param {string} field of the pulse, in percent
 * @param {import("../data/limits.js").Limit} [limit] from where on it is coloured
 * @returns {Cell}
 */
export function meterCell(field, limit) {
  const meter = new Meter(limit && ((value) => levelAt(value, limit)))
  return { element: meter.element, write: (host) => meter.set(host.pulse[field]) }
}

/** @param {(host: Host, moment: Moment) => string} textOf @returns {Cell} */
export function textCell(textOf) {
  const value = element("span", { class: "number" })
  return {
    element: value,
    write(host, moment) {
      const text = textOf(host, moment)
      setText(value, text)
      setAttribute(value, "title", text === MISSING ? MISSING_TITLE : null)
    },
  }
}

/** @param {Scheduler} scheduler @returns {Cell} */
export function sparklineCell(scheduler) {
  const canvas = canvasNamed("spark", "CPU of the last minute")
  /** @type {import("../charts/sparkline.js").Line[]} */
  let lines = []
  let end = 0
  let shown = ""
  const picture = new StillCanvas(scheduler, canvas, (sheet) => drawSparkline(sheet, lines, end))
  return {
    element: canvas,
    write(
      { id, recent, offsetMilliseconds: offset, gapMilliseconds: gap },
      {
        colours: {
          series: [colour],
        },
        now,
      },
    ) {
      const key = `${id} ${recent.generation} ${recent.end} ${Math.floor(now / 1000)} ${colour}`
      if (key === shown) return
      shown = key
      end = now
      lines = [{ columns: recent, key: "cpu_percent", colour, offset, gap, top: 100 }]
      picture.renew()
    },
    close: () => picture.close(),
  }
}

/** @param {Scheduler} scheduler @returns {Cell} */
export function coresCell(scheduler) {
  const canvas = canvasNamed("core-strip", "use of each core")
  const more = element("span", { class: "more" })
  /** @type {{percents: unknown, colours?: import("../charts/colours.js").Colours}} */
  let shown = { percents: undefined }
  const picture = new StillCanvas(scheduler, canvas, (sheet) => {
    if (shown.colours) drawCores(sheet, shown.percents, shown.colours)
  })
  return {
    element: element("span", { class: "cores-cell" }, canvas, more),
    write({ pulse: { core_percents: percents } }, { colours }) {
      const cores = Array.isArray(percents) ? percents.length : undefined
      setText(
        more,
        cores === undefined ? MISSING : cores > MAX_CORES_SHOWN ? `+${cores - MAX_CORES_SHOWN}` : "",
      )
      setAttribute(more, "title", cores === undefined ? MISSING_TITLE : null)
      canvas.hidden = cores === undefined
      if (shown.percents === percents && shown.colours === colours) return
      shown = { percents, colours }
      picture.renew()
    },
    close: () => picture.close(),
  }
}

/** The worst of what is wrong, beside what the state says by itself. @returns {Cell} */
function alertChip() {
  const glyph = element("span", { "aria-hidden": "true" })
  const words = element("span", { class: "chip-words" })
  const chip = element("span", { class: "chip", hidden: true }, glyph, words)
  return {
    element: chip,
    write(host, { alertsOf }) {
      const alerts = alertsOf(host).filter(({ metric }) => metric !== "state")
      chip.hidden = alerts.length === 0
      if (alerts.length === 0) return
      setAttribute(chip, "data-level", alerts[0].level)
      setText(glyph, GLYPHS[alerts[0].level])
      setText(words, alerts.length === 1 ? alerts[0].words : `${alerts[0].words} +${alerts.length - 1}`)
      setAttribute(chip, "title", alerts.map((alert) => alert.words).join("\n"))
    },
  }
}

/** A few of the tags, to filter by. @returns {Cell} */
function tagList() {
  const box = element("span", { class: "tags" })
  let written = ""
  return {
    element: box,
    write(host) {
      const tags = shownTagsOf(host)
      const key = JSON.stringify(tags)
      if (key === written) return
      written = key
      const more =
        tags.length > TAGS_SHOWN
          ? [element("span", { class: "more", title: tags.join(", ") }, `+${tags.length - TAGS_SHOWN}`)]
          : []
      box.replaceChildren(
        ...tags.slice(0, TAGS_SHOWN).map((tag) =>
          element(
            "button",
            {
              type: "button",
              class: "tag-button",
              "data-tag": tag,
              title: `only hosts with the tag ${tag}`,
              tabindex: "-1",
            },
            tag,
          ),
        ),
        ...more,
      )
    },
  }
}

/** @param {string} kind @param {string} label @returns {HTMLCanvasElement} */
export function canvasNamed(kind, label) {
  return /** @type {HTMLCanvasElement} */ (
    element("canvas", { class: kind, role: "img", "aria-label": label })
  )
}

/** "Debian GNU/Linux 12 (bookworm)" as "Debian 12". @param {unknown} name */
function shortName(name) {
  return typeof name === "string"
    ? name
        .replace(/ GNU\/Linux| Linux/g, "")
        .replace(/ \(.*\)$/, "")
        .replace(/ LTS$/, "")
    : ""
}
