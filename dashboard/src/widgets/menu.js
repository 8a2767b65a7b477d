/** Boxes that open from a button of the header and close by themselves: the browser's own popovers. */

import { element, setAttribute } from "./dom.js"

let made = 0

export class Menu {
  button
  box

  /**
   * @param {string} label
   * @param {{class?: string, title?: string}} looks of the button
   * @param {...Node} content
   */
  constructor(label, looks, ...content) {
    made += 1
    const id = `menu-${made}`
    this.box = element(
      "div",
      { id, class: "menu", popover: true, role: "group", "aria-label": label },
      ...content,
    )
    // Whoever opens a popover by this attribute gets the focus back when it closes.
    this.button = element(
      "button",
      { type: "button", popovertarget: id, "aria-expanded": "false", ...looks },
      label,
    )
    this.box.addEventListener("toggle", () => setAttribute(this.button, "aria-expanded", String(this.isOpen)))
  }

  get isOpen() {
    return this.box.matches(":popover-open")
  }

  close() {
    this.box.hidePopover()
  }
}

/** Whether a box is open that has its own use for the keys. */
export function isBoxOpen() {
  return document.querySelector("dialog[open], :popover-open") !== null
}

/**
 * A box over the page: closes on Escape and outside click, and gives the focus back.
 * @param {string} kind
 * @param {string} label
 * @param {...Node} content
 */
export function boxOf(kind, label, ...content) {
  const box = /** @type {HTMLDialogElement} */ (
    element(
      "dialog",
      { class: `box ${kind}`, "aria-label": label },
      element("div", { class: "box-content" }, ...content),
    )
  )
  // What is clicked outside of the content is the dialog itself.
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close()
  })
  document.body.append(box)
  return box
}
