/** What can be done on every page. */

import { PALETTE_KEY } from "./palette-items.js"
import { changeQuery, compareAddress } from "./router.js"
import { THEMES } from "./theme.js"

/**
 * @typedef {{actions: import("./actions.js").Actions, theme: import("./theme.js").Theme,
 *   preferences: import("./preferences.js").Preferences, time: import("../charts/time-view.js").TimeView,
 *   timePause: import("./time-pause.js").TimePause, kiosk: import("./kiosk.js").Kiosk,
 *   visited: import("./visited-pages.js").VisitedPages, find: () => void, help: () => void,
 *   route: () => import("./router.js").Route}} Doing
 * @param {Doing} doing @returns {import("./actions.js").Action[]}
 */
export function frameActions({
  actions,
  theme,
  preferences,
  time,
  timePause,
  kiosk,
  visited,
  find,
  help,
  route,
}) {
  const step = (/** @type {1 | -1} */ by) => {
    time.step(by)
    if (route().page !== "fleet") changeQuery({ win: String(time.seconds) })
  }
  return [
    { words: "Find a host, a panel or an action", keys: [PALETTE_KEY, "/"], run: find },
    { words: "Keys", keys: ["?"], run: help },
    { words: "Pause, or go on", keys: ["p"], run: () => timePause.toggle() },
    { words: "Longer window of time", keys: ["w"], run: () => step(1) },
    { words: "Shorter window of time", keys: ["W"], run: () => step(-1) },
    {
      words: "Theme: system, light or dark",
      keys: ["t"],
      run: () => theme.choose(THEMES[(THEMES.indexOf(theme.choice) + 1) % THEMES.length] ?? "auto"),
    },
    { words: "Density: comfortable or compact", keys: ["d"], run: () => preferences.toggle("density") },
    {
      words: "Compare hosts",
      keys: ["c"],
      run: () => {
        location.hash = compareAddress(route().host === "" ? [] : [route().host])
      },
    },
    {
      words: "All hosts",
      run: () => {
        location.hash = visited.fleetAddress
      },
    },
    { words: "Kiosk: nothing but data; Esc ends it", run: () => kiosk.enter() },
    { words: "Network in bytes or bit/s", run: () => preferences.toggle("network") },
    { words: "Temperatures in °C or °F", run: () => preferences.toggle("temperature") },
    { words: "Single keys on or off", run: () => actions.enable(!actions.enabled) },
  ]
}
