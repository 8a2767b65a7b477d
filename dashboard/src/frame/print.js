/** On paper: light, and every chart drawn, in sight or not. */

/** @param {import("./theme.js").Theme} theme @param {import("../charts/scheduler.js").Scheduler} scheduler */
export function followPrinting(theme, scheduler) {
  // There is no frame between the change and the paper, and none tells that the sizes are back.
  matchMedia("print").addEventListener("change", () => {
    theme.refresh()
    scheduler.paintAll()
  })
}
