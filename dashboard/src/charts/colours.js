/** The colours of what is drawn on a canvas, as the theme of the page gives them. No DOM. */

export const SERIES_COLOURS = 7
export const HEAT_STEPS = 6

/**
 * @typedef {{panel: string, grid: string, muted: string, faint: string, warn: string, critical: string,
 *   series: string[], heat: string[]}} Colours
 *   all as #rrggbb; after the colours of the series comes one for any further
 * @typedef {{colours: Colours, follow: (listener: (colours: Colours) => void) => () => void}} ColourSource
 *   the colours of now, and a listener for
 *   those to come, which gets those of now, too; what `follow` returns ends it
 */

/**
 * A colour over another, opaque.
 * @param {string} colour #rrggbb
 * @param {string} under #rrggbb
 * @param {number} share 0 to 1
 */
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
