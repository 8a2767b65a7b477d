/** How the samples of one host come to the bridge, as the bridge tells every few seconds. No DOM. */

import { gapMilliseconds } from "./column-queries.js"
import { isNumber } from "./numbers.js"
import { Columns } from "./store.js"

const CAPACITY_ROWS = 256
const TOLD_EVERY_SECONDS = 5

/** @typedef {Partial<import("./contract.js").Delivery>} Delivery */

export class DeliveryRecord {
  /** @type {Delivery | undefined} */
  latest
  #columns = new Columns(CAPACITY_ROWS)

  /**
   * @param {Record<string, unknown>} delivery
   * @param {number} received milliseconds
   * @param {boolean} shown whether time does not stand still
   */
  take(delivery, received, shown) {
    if (shown) this.latest = delivery
    const numbers = /** @type {[string, number][]} */ (
      Object.entries(delivery).filter(([, value]) => isNumber(value))
    )
    this.#columns.append(received / 1000, numbers)
  }

  /** For a chart; its times are this page's. @returns {import("./column-queries.js").Source} */
  get source() {
    return {
      columns: this.#columns,
      gap: () => gapMilliseconds(TOLD_EVERY_SECONDS),
      offset: () => 0,
      interval: () => TOLD_EVERY_SECONDS,
    }
  }
}
