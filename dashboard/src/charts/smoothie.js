/** The vendored smoothie is a classic script; this is where the modules get it from. */

export const { SmoothieChart, TimeSeries } = window
