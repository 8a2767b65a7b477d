/** Dark or light: the viewer's choice, else the system's. Canvases get the colours that CSS resolved. */

import { HEAT_STEPS, SERIES_COLOURS } from "../charts/colours.js"

const KEY = "fleetglass.theme"
/** @type {readonly ThemeChoice[]} */
export const THEMES = ["auto", "light", "dark"]
/** @typedef {"auto" | "light" | "dark"} ThemeChoice auto: the system's */
/** @typedef {import("../charts/colours.js").Colours} Colours */

export class Theme {
  /** @type {Set<(colours: Colours) => void>} */
  #listeners = new Set()
  /** @type {ThemeChoice} */
  choice
  /** @type {Colours} */
  colours

  constructor() {
    this.choice = THEMES.find((one) => one === localStorage.getItem(KEY)) ?? "auto"
    this.colours = this.#apply()
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
      matchMedia(query).addEventListener("change", () => this.#tell())
    }
  }

  /** @param {ThemeChoice} choice */
  choose(choice) {
    this.choice = choice
    localStorage.setItem(KEY, choice)
    this.#tell()
  }

  /** Read the colours again: the medium changed. */
  refresh() {
    this.#tell()
  }

  /**
   * @param {(colours: Colours) => void} listener called now and at each change
   * @returns {() => void} ends it
   */
  follow(listener) {
    this.#listeners.add(listener)
    listener(this.colours)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #tell() {
    this.colours = this.#apply()
    for (const listener of this.#listeners) listener(this.colours)
  }

  #apply() {
    const root = document.documentElement
    if (this.choice === "auto") delete root.dataset.theme
    else root.dataset.theme = this.choice
    const { read, done } = colourReader()
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", read("--bg"))
    const colours = {
      panel: read("--panel"),
      grid: read("--grid"),
      muted: read("--muted"),
      faint: read("--faint"),
      warn: read("--warn"),
      critical: read("--critical"),
      series: Array.from({ length: SERIES_COLOURS + 1 }, (_, index) => read(`--series-${index + 1}`)),
      heat: Array.from({ length: HEAT_STEPS }, (_, index) => read(`--heat-${index}`)),
    }
    done()
    return colours
  }
}

/** Variables hold what was written, `light-dark(…)` too; only the colour of an element is a colour. */
function colourReader() {
  const probe = document.createElement("i")
  // Lines on a canvas stay apart by their colours, whatever the system forces on text.
  probe.style.forcedColorAdjust = "none"
  document.documentElement.append(probe)
  const style = getComputedStyle(probe)
  const painter = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"))
  return {
    /** @param {string} name of a variable @returns {string} #rrggbb */
    read: (name) => {
      probe.style.color = `var(${name})`
      painter.fillStyle = style.color
      return String(painter.fillStyle)
    },
    done: () => probe.remove(),
  }
}
