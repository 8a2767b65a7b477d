/**
 * Asks for the viewer token, where the bridge wants one: pasted as such, or as the whole link that it
 * printed.
 */

import { element } from "../widgets/dom.js"
import { tokenIn } from "./router.js"

export class TokenForm {
  #field = /** @type {HTMLInputElement} */ (
    element("input", {
      type: "password",
      class: "token",
      "aria-label": "Viewer token",
      placeholder: "token or link",
      autocomplete: "off",
      required: true,
    })
  )
  /** Whether it is a token that the bridge does not know, and not one that is missing. */
  wasTried
  element

  /** @param {boolean} hasToken @param {(token: string) => void} use */
  constructor(hasToken, use) {
    this.wasTried = hasToken
    this.element = element(
      "form",
      { class: "token-form", hidden: true },
      this.#field,
      element("button", { type: "submit" }, "Connect"),
      element(
        "span",
        { class: "token-where" },
        "It is in the link that ",
        element("code", {}, "fleetglass bridge --show-link"),
        " prints.",
      ),
    )
    this.element.addEventListener("submit", (event) => {
      event.preventDefault()
      const token = tokenIn(this.#field.value)
      if (token === "") return
      this.wasTried = true
      this.#field.value = ""
      use(token)
    })
  }

  /** @param {boolean} shown */
  show(shown) {
    if (this.element.hidden !== shown) return
    this.element.hidden = !shown
    if (shown && document.activeElement === document.body) this.#field.focus()
  }
}
