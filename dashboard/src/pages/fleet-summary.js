/** The strip at the top: the fleet in a few large numbers, each with its last minute. */

import { drawSparkline } from "../charts/sparkline.js"
import { StillCanvas } from "../charts/still-canvas.js"
import { SUMS_GAP_MILLISECONDS } from "../data/fleet-sums.js"
import { byteRate, bytes, count, isNumber, MISSING, networkRate, percent } from "../data/numbers.js"
import { button, element, setAttribute, setText } from "../widgets/dom.js"
import { canvasNamed } from "./fleet-cells.js"

/** @typedef {import("./fleet-survey.js").Survey} Survey */
/**
 * @typedef {{key: string, mark: string, value: string, level?: string | null}} Figure mark: what tells two
 *   figures apart
 */
/**
 * @typedef {{title: string, label: string, lines: string[], figures: (survey: Survey) => Figure[],
 *   detail: (survey: Survey) => string}} TileKind lines: of the sums
 */

/**
 * What the lines are drawn from.
 * @typedef {{sums: import("../data/fleet-sums.js").FleetSums,
 *   colours: import("../charts/colours.js").Colours, now: number}} Past
 */
/** @typedef {import("../charts/scheduler.js").Scheduler} Scheduler */

/** @type {TileKind[]} */
const TILES = [
  {
    title: "hosts",
    label: "live hosts",
    lines: ["live"],
    figures: ({ counts }) => [figure(count(counts.get("live")))],
    detail: ({ counts, total }) => (total === counts.get("live") ? "all live" : `live, of ${count(total)}`),
  },
  {
    title: "CPU",
    label: "cores in use",
    lines: ["cores"],
    figures: ({ sums }) => [figure(isNumber(sums.cores) ? sums.cores.toFixed(1) : MISSING)],
    detail: ({ sums, cores }) =>
      isNumber(sums.cores) ? `of ${count(cores)} cores, ${percent((100 * sums.cores) / cores)}` : "",
  },
  {
    title: "memory",
    label: "memory in use",
    lines: ["memory"],
    figures: ({ sums }) => [figure(bytes(sums.memory))],
    detail: ({ sums, memory }) =>
      isNumber(sums.memory) ? `of ${bytes(memory)}, ${percent((100 * sums.memory) / memory)}` : "",
  },
  {
    title: "network",
    label: "network, received above and sent below",
    lines: ["received", "sent"],
    figures: ({ sums }) => [figure(networkRate(sums.received), "↓"), figure(networkRate(sums.sent), "↑")],
    detail: () => "received, sent",
  },
  {
    title: "disks",
    label: "disks, read above and written below",
    lines: ["read", "written"],
    figures: ({ sums }) => [figure(byteRate(sums.read), "r"), figure(byteRate(sums.written), "w")],
    detail: () => "read, written",
  },
]

/** @type {TileKind} */
const ATTENTION = {
  title: "attention",
  label: "hosts that need attention",
  lines: ["attention"],
  figures: ({ troubled: { critical, warn } }) => [
    { ...figure(count(critical + warn)), level: critical > 0 ? "critical" : warn > 0 ? "warn" : null },
  ],
  detail: ({ troubled: { critical, warn } }) =>
    critical + warn === 0
      ? "nothing to do"
      : [critical > 0 ? `◆ ${count(critical)} critical` : "", warn > 0 ? `▲ ${count(warn)} warning` : ""]
          .filter(Boolean)
          .join(", "),
}

export class FleetSummary {
  #attention
  #tiles
  element

  /**
   * @param {Scheduler} scheduler
   * @param {() => void} onAttention shows only what needs attention, or all again
   */
  constructor(scheduler, onAttention) {
    this.#attention = new AttentionTile(scheduler, onAttention)
    this.#tiles = TILES.map((kind) => new Tile(scheduler, kind))
    const [hosts, ...others] = this.#tiles
    this.element = element(
      "section",
      { class: "summary", "aria-label": "The fleet in sum" },
      hosts.element,
      this.#attention.element,
      ...others.map((tile) => tile.element),
    )
  }

  /** Undo the constructor. */
  close() {
    for (const tile of [this.#attention.tile, ...this.#tiles]) tile.close()
  }

  /**
   * @param {Survey} survey
   * @param {boolean} filtered whether only what needs attention is shown
   * @param {Past} past
   */
  update(survey, filtered, past) {
    this.#attention.update(survey, filtered, past)
    for (const tile of this.#tiles) tile.update(survey, past)
  }
}

class Tile {
  #kind
  #figures = element("p", { class: "figures" })
  #detail = element("p", { class: "detail" })
  #picture
  /** @type {Past | undefined} */
  #past
  #shown = ""
  /** @type {{box: HTMLElement, mark: HTMLElement, number: HTMLElement, unit: HTMLElement}[]} */
  #written = []
  element

  /** @param {Scheduler} scheduler @param {TileKind} kind */
  constructor(scheduler, kind) {
    this.#kind = kind
    const canvas = canvasNamed("tile-line", `${kind.label}, the last minute`)
    this.#picture = new StillCanvas(scheduler, canvas, (sheet) => this.#draw(sheet))
    this.element = element(
      "div",
      { class: `tile tile-${kind.title}` },
      element("h2", { class: "tile-title" }, kind.title),
      this.#figures,
      this.#detail,
      canvas,
    )
  }

  /** Undo the constructor. */
  close() {
    this.#picture.close()
  }

  /** @param {Survey} survey @param {Past} past */
  update(survey, past) {
    const figures = this.#kind.figures(survey)
    while (this.#written.length < figures.length) this.#add()
    figures.forEach(({ mark, value, level }, index) => {
      const written = this.#written[index]
      // The number is what is looked for; its unit only says what it is.
      const [number, unit = ""] = value.split(" ")
      setText(written.mark, mark)
      setText(written.number, number)
      setText(written.unit, unit)
      setAttribute(written.box, "data-level", level)
    })
    setText(this.#detail, this.#kind.detail(survey))
    this.#renew(past)
  }

  /** @param {Past} past */
  #renew(past) {
    const {
      sums: { columns },
      colours,
      now,
    } = past
    const key = `${columns.generation} ${columns.end} ${Math.floor(now / 1000)} ${colours.series[0]}`
    if (key === this.#shown) return
    this.#shown = key
    this.#past = past
    this.#picture.renew()
  }

  /** @param {import("../charts/still-canvas.js").Sheet} sheet */
  #draw(sheet) {
    if (this.#past === undefined) return
    const {
      sums: { columns },
      colours,
      now,
    } = this.#past
    const { lines } = this.#kind
    drawSparkline(
      sheet,
      lines.map((line, index) => ({
        columns,
        key: line,
        colour: colours.series[index],
        offset: 0,
        gap: SUMS_GAP_MILLISECONDS,
        half: lines.length < 2 ? undefined : index === 0 ? "upper" : "lower",
      })),
      now,
    )
  }

  #add() {
    const written = {
      mark: element("span", { class: "mark" }),
      number: element("span", { class: "value" }),
      unit: element("span", { class: "unit" }),
    }
    const box = element("span", { class: "figure" }, written.mark, written.number, written.unit)
    this.#written.push({ box, ...written })
    this.#figures.append(box)
  }
}

/** How many hosts need attention; pressed, it shows only these. */
class AttentionTile {
  #button
  element
  tile

  /** @param {Scheduler} scheduler @param {() => void} onPress */
  constructor(scheduler, onPress) {
    this.tile = new Tile(scheduler, ATTENTION)
    this.element = this.tile.element
    this.#button = button("show", onPress, { class: "attention-button" })
    this.element.append(this.#button)
  }

  /** @param {Survey} survey @param {boolean} filtered @param {Past} past */
  update(survey, filtered, past) {
    this.tile.update(survey, past)
    const { critical, warn } = survey.troubled
    this.#button.hidden = critical + warn === 0 && !filtered
    setText(this.#button, filtered ? "show all" : "show")
    setAttribute(
      this.#button,
      "aria-label",
      filtered ? "show all hosts" : "show only hosts that need attention",
    )
  }
}

/** @param {string} value @param {string} [mark] @returns {Figure} */
function figure(value, mark = "") {
  return { key: mark, mark, value }
}
