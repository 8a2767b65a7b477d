/**
 * What a page works with, as a type. `ask` has one of some things chosen by name.
 * @typedef {{fleet: import("../data/fleet.js").Fleet, theme: import("./theme.js").Theme,
 *   preferences: import("./preferences.js").Preferences,
 *   scheduler: import("../charts/scheduler.js").Scheduler,
 *   selection: import("../data/selection.js").Selection, time: import("../charts/time-view.js").TimeView,
 *   visited: import("./visited-pages.js").VisitedPages, actions: import("./actions.js").Actions,
 *   tools: HTMLElement, main: HTMLElement, ask: (prompt: string,
 *   items: import("./palette.js").Item[]) => void}} PageContext
 */

export {}
