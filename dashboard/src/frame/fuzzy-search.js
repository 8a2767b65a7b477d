/** Finding by a few letters, in any order of words. No DOM. */

/**
 * How well a text fits what was typed: the higher, the better; 0 is not at all. Every word must be in it, at
 * best at
 * its start, else at the start of a word, else anywhere, else in one word with letters left out.
 * @param {string} typed @param {string} text
 */
export function fit(typed, text) {
  const hay = text.toLowerCase()
  let total = 1
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const one = fitOfWord(word, hay)
    if (one === 0) return 0
    total += one
  }
  return total
}

/**
 * The best of many, best first; equal ones keep their order.
 * @template Item
 * @param {string} typed @param {Item[]} items @param {(item: Item) => string} textOf @param {number} most
 * @returns {{found: Item[], total: number}}
 */
export function best(typed, items, textOf, most) {
  const fitting = items
    .map((item) => ({ item, score: fit(typed, textOf(item)) }))
    .filter(({ score }) => score > 0)
  fitting.sort((a, b) => b.score - a.score)
  return { found: fitting.slice(0, most).map(({ item }) => item), total: fitting.length }
}

/** @param {string} word @param {string} hay */
function fitOfWord(word, hay) {
  const at = hay.indexOf(word)
  if (at === 0) return 8
  if (at > 0) return /[\p{L}\p{N}]/u.test(hay[at - 1] ?? "") && !startsSomeWord(word, hay) ? 2 : 4
  return hay.split(/\s+/).some((one) => hasLetters(word, one)) ? 1 : 0
}

/** Whether all letters are there in this order. @param {string} letters @param {string} text */
function hasLetters(letters, text) {
  let place = -1
  for (const letter of letters) {
    place = text.indexOf(letter, place + 1)
    if (place < 0) return false
  }
  return true
}

/** @param {string} word @param {string} hay */
function startsSomeWord(word, hay) {
  for (let at = hay.indexOf(word); at >= 0; at = hay.indexOf(word, at + 1)) {
    if (!/[\p{L}\p{N}]/u.test(hay[at - 1] ?? "")) return true
  }
  return false
}
