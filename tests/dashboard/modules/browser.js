/** As much of a browser as the modules without DOM ask for; imported before them. */

class KeptValues {
  #values = new Map()
  getItem(name) {
    return this.#values.get(name) ?? null
  }
  setItem(name, value) {
    this.#values.set(name, String(value))
  }
  clear() {
    this.#values.clear()
  }
}

/** Something that can have the focus; `kinds` are the selectors that it matches. */
export class FakeElement {
  constructor(...kinds) {
    this.kinds = kinds
  }
  matches(selectors) {
    return selectors.split(", ").some((one) => this.kinds.includes(one))
  }
}

export const address = {
  hash: "",
  /** Every address that replaced the last. */
  replaced: [],
}

provide("localStorage", new KeptValues())
provide("sessionStorage", new KeptValues())
provide("Element", FakeElement)
provide("HTMLElement", FakeElement)
provide("location", address)
provide("history", {
  replaceState(_state, _title, hash) {
    address.hash = hash
    address.replaced.push(hash)
  },
})

function provide(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
