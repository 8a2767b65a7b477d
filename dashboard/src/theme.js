/** Dark or light: the viewer's choice, else the system's. Canvases get the colours that CSS resolved. */

const KEY = "fleetglass.theme"
export const CHOICES = ["auto", "light", "dark"]
export const SERIES_COLOURS = 7
export const HEAT_STEPS = 6

/** @typedef {{panel: string, grid: string, muted: string, faint: string, warn: string, critical: string, series: string[], heat: string[]}} Colours */

export class Theme {
  #listeners = new Set()
  choice = "auto"
  /** @type {Colours} */
  colours

  constructor() {
    const kept = localStorage.getItem(KEY)
    if (CHOICES.includes(kept)) this.choice = kept
    this.#apply()
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#apply())
  }

  /** Auto, light, dark, auto, … */
  next() {
    this.choice = CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length]
    localStorage.setItem(KEY, this.choice)
    this.#apply()
  }

  /** @param {(colours: Colours) => void} listener called now and at each change @returns {() => void} ends it */
  follow(listener) {
    this.#listeners.add(listener)
    listener(this.colours)
    return () => this.#listeners.delete(listener)
  }

  #apply() {
    const root = document.documentElement
    if (this.choice === "auto") delete root.dataset.theme
    else root.dataset.theme = this.choice
    const style = getComputedStyle(root)
    const read = (name) => style.getPropertyValue(name).trim()
    this.colours = {
      panel: read("--panel"),
      grid: read("--grid"),
      muted: read("--muted"),
      faint: read("--faint"),
      warn: read("--warn"),
      critical: read("--critical"),
      series: Array.from({ length: SERIES_COLOURS }, (_, index) => read(`--series-${index + 1}`)),
      heat: Array.from({ length: HEAT_STEPS }, (_, index) => read(`--heat-${index}`)),
    }
    for (const listener of this.#listeners) listener(this.colours)
  }
}

/** A colour over another, opaque. @param {string} colour #rrggbb @param {string} under #rrggbb @param {number} share 0 to 1 */
export function mixed(colour, under, share) {
  const parts = [1, 3, 5].map((at) => {
    const top = Number.parseInt(colour.slice(at, at + 2), 16)
    const bottom = Number.parseInt(under.slice(at, at + 2), 16)
    return Math.round(top * share + bottom * (1 - share))
  })
  return `rgb(${parts.join(", ")})`
}

/** A colour seen through. @param {string} colour #rrggbb @param {number} alpha 0 to 1 */
export function translucent(colour, alpha) {
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
  return `rgba(${parts.join(", ")}, ${alpha})`
}
