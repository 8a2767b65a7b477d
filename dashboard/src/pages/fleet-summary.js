/** The strip at the top: the fleet in a few large numbers, each with its last minute. */

import { button, element, setAttribute, setText } from "../dom.js"
import { SUMS_GAP_MILLISECONDS } from "../fleet-sums.js"
import { byteRate, bytes, count, isNumber, MISSING, networkRate, percent } from "../numbers.js"
import { drawSparkline } from "../strips.js"
import { canvasNamed } from "./fleet-cells.js"

/** @typedef {import("./fleet-survey.js").Survey} Survey */
/** @typedef {{key: string, mark: string, value: string, level?: string | null}} Figure mark: what tells two figures apart */
/** @typedef {{title: string, label: string, lines: string[], figures: (survey: Survey) => Figure[], detail: (survey: Survey) => string}} TileKind lines: of the sums */

/** @type {TileKind[]} */
const TILES = [
  { title: "hosts", label: "live hosts", lines: ["live"], figures: ({ counts }) => [figure(count(counts.get("live")))], detail: ({ counts, total }) => (total === counts.get("live") ? "all live" : `live, of ${count(total)}`) },
  { title: "CPU", label: "cores in use", lines: ["cores"], figures: ({ sums }) => [figure(isNumber(sums.cores) ? sums.cores.toFixed(1) : MISSING)], detail: ({ sums, cores }) => (isNumber(sums.cores) ? `of ${count(cores)} cores, ${percent((100 * sums.cores) / cores)}` : "") },
  { title: "memory", label: "memory in use", lines: ["memory"], figures: ({ sums }) => [figure(bytes(sums.memory))], detail: ({ sums, memory }) => (isNumber(sums.memory) ? `of ${bytes(memory)}, ${percent((100 * sums.memory) / memory)}` : "") },
  { title: "network", label: "network, received above and sent below", lines: ["received", "sent"], figures: ({ sums }) => [figure(networkRate(sums.received), "↓"), figure(networkRate(sums.sent), "↑")], detail: () => "received, sent" },
  { title: "disks", label: "disks, read above and written below", lines: ["read", "written"], figures: ({ sums }) => [figure(byteRate(sums.read), "r"), figure(byteRate(sums.written), "w")], detail: () => "read, written" },
]

export class FleetSummary {
  #attention
  #tiles
  element

  /** @param {() => void} onAttention shows only what needs attention, or all again */
  constructor(onAttention) {
    this.#attention = new AttentionTile(onAttention)
    this.#tiles = TILES.map((kind) => new Tile(kind))
    const [hosts, ...others] = this.#tiles
    this.element = element("section", { class: "summary", "aria-label": "The fleet in sum" },
      hosts.element, this.#attention.element, ...others.map((tile) => tile.element))
  }

  /** @param {Survey} survey @param {boolean} filtered whether only what needs attention is shown */
  update(survey, filtered) {
    this.#attention.update(survey, filtered)
    for (const tile of this.#tiles) tile.update(survey)
  }

  /** @param {import("../fleet-sums.js").FleetSums} sums @param {import("../theme.js").Colours} colours @param {number} now */
  draw(sums, colours, now) {
    this.#attention.tile.draw(sums, colours, now)
    for (const tile of this.#tiles) tile.draw(sums, colours, now)
  }
}

class Tile {
  #kind
  #figures = element("p", { class: "figures" })
  #detail = element("p", { class: "detail" })
  #canvas
  #drawn = ""
  /** @type {{box: HTMLElement, mark: HTMLElement, number: HTMLElement, unit: HTMLElement}[]} */
  #written = []
  element

  /** @param {TileKind} kind */
  constructor(kind) {
    this.#kind = kind
    this.#canvas = canvasNamed("tile-line", `${kind.label}, the last minute`)
    this.element = element("div", { class: `tile tile-${kind.title}` },
      element("h2", { class: "tile-title" }, kind.title), this.#figures, this.#detail, this.#canvas)
  }

  /** @param {Survey} survey */
  update(survey) {
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
  }

  /** @param {import("../fleet-sums.js").FleetSums} sums @param {import("../theme.js").Colours} colours @param {number} now */
  draw({ columns }, colours, now) {
    const key = `${columns.generation} ${columns.end} ${Math.floor(now / 1000)} ${colours.series[0]} ${window.devicePixelRatio}`
    if (key === this.#drawn) return
    this.#drawn = key
    const { lines } = this.#kind
    drawSparkline(this.#canvas, lines.map((line, index) => ({
      columns, key: line, colour: colours.series[index], offset: 0, gap: SUMS_GAP_MILLISECONDS,
      half: lines.length < 2 ? undefined : index === 0 ? "upper" : "lower",
    })), now)
  }

  #add() {
    const written = { mark: element("span", { class: "mark" }), number: element("span", { class: "value" }), unit: element("span", { class: "unit" }) }
    const box = element("span", { class: "figure" }, written.mark, written.number, written.unit)
    this.#written.push({ box, ...written })
    this.#figures.append(box)
  }
}

/** How many hosts need attention; pressed, it shows only these. */
class AttentionTile {
  #button
  element
  tile = new Tile({
    title: "attention", label: "hosts that need attention", lines: ["attention"],
    figures: ({ troubled: { critical, warn } }) => [{ ...figure(count(critical + warn)), level: critical > 0 ? "critical" : warn > 0 ? "warn" : null }],
    detail: ({ troubled: { critical, warn } }) => (critical + warn === 0 ? "nothing to do" : [critical > 0 ? `◆ ${count(critical)} critical` : "", warn > 0 ? `▲ ${count(warn)} warning` : ""].filter(Boolean).join(", ")),
  })

  /** @param {() => void} onPress */
  constructor(onPress) {
    this.element = this.tile.element
    this.#button = button("show", onPress, { class: "attention-button" })
    this.element.append(this.#button)
  }

  /** @param {Survey} survey @param {boolean} filtered */
  update(survey, filtered) {
    this.tile.update(survey)
    const { critical, warn } = survey.troubled
    this.#button.hidden = critical + warn === 0 && !filtered
    setText(this.#button, filtered ? "show all" : "show")
    setAttribute(this.#button, "aria-label", filtered ? "show all hosts" : "show only hosts that need attention")
  }
}

/** @param {string} value @param {string} [mark] @returns {Figure} */
function figure(value, mark = "") {
  return { key: mark, mark, value }
}
