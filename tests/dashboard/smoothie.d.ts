/** As much of smoothie 1.36.1 as the page uses, with the inner fields that `chart.js` sets itself. */

interface TimeSeries {
  data: [time: number, value: number, count: number][]
  disabled: boolean
  append(time: number, value: number): void
  clear(): void
}

interface SeriesStyle {
  lineWidth?: number
  strokeStyle?: string
  fillStyle?: string
  interpolation?: "linear" | "step" | "bezier"
}

interface HorizontalLine {
  value: number
  color: string
  lineWidth: number
}

interface ChartOptions {
  responsive: boolean
  interpolation: "linear" | "step" | "bezier"
  scaleSmoothing: number
  millisPerPixel: number
  maxDataSetLength: number
  labels: { disabled: boolean }
  grid: {
    fillStyle: string
    strokeStyle: string
    lineWidth: number
    millisPerLine: number
    verticalSections: number
    borderVisible: boolean
  }
  horizontalLines: HorizontalLine[]
  yRangeFunction: (range: { min: number; max: number }) => { min: number; max: number }
}

type Given<T> = { [name in keyof T]?: T[name] extends unknown[] ? T[name] : T[name] extends (...of: never) => unknown ? T[name] : T[name] extends object ? Given<T[name]> : T[name] }

interface SmoothieChart {
  options: ChartOptions
  canvas: HTMLCanvasElement
  delay: number
  clientWidth: number
  clientHeight: number
  lastChartTimestamp: number | null
  resize: () => void
  addTimeSeries(series: TimeSeries, style?: SeriesStyle): void
  removeTimeSeries(series: TimeSeries): void
  bringToFront(series: TimeSeries): void
  getTimeSeriesOptions(series: TimeSeries): SeriesStyle
  render(canvas: HTMLCanvasElement, time: number): void
}

interface Window {
  SmoothieChart: new (options?: Given<ChartOptions>) => SmoothieChart
  TimeSeries: new (options?: { resetBounds?: boolean }) => TimeSeries
}
