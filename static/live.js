// Data in pages: `follow()` for scripts, `data-live` for HTML.
// @ts-check

import { read } from "./connection.js";
import { problemText } from "./effects.js";

/**
 * Calls `show` with the contents of a file, now and after every save: the document of a JSON file, the text of a text
 * file, `{ path, version, size, type }` of any other. Of a JSON file, a fragment may name one value with a JSON Pointer
 * (RFC 6901): `/prices.json#/btc/usd`. While the file is broken or gone, the last good value stays.
 *
 * Without `show`, the contents come to `for await`. A loop that is slower than the saves skips some and ends on the last.
 * @param {string} url
 * @param {(value: any) => void} [show]
 * @returns {(() => void) | AsyncIterable<any>} what ends it, or what brings it
 */
export function follow(url, show) {
  const { origin, pathname, hash } = new URL(url, document.baseURI);
  if (origin !== location.origin) throw new TypeError(`savecast: ${url} is not a file of this site`);
  const pointer = decodeURIComponent(hash.slice(1));
  if (pointer && !pointer.startsWith("/")) throw new TypeError(`savecast: #${pointer} is no JSON Pointer`);
  /** @param {(value: any) => void} show */
  const start = (show) => readValues(url, pathname, pointer, show);
  return show ? start(show) : { [Symbol.asyncIterator]: () => iterate(start) };
}

/**
 * The newest value, whenever somebody asks for one: a cursor, never a queue.
 * @param {(show: (value: any) => void) => () => void} start
 * @returns {AsyncIterator<any>}
 */
function iterate(start) {
  let isNew = false, isOver = false;
  /** @type {any} */
  let latest;
  let wake = () => {};
  const stop = start((value) => {
    [latest, isNew] = [value, true];
    wake();
  });
  return {
    async next() {
      while (!isNew && !isOver) await /** @type {Promise<void>} */ (new Promise((resolve) => (wake = resolve)));
      isNew = false;
      return isOver ? { done: true, value: undefined } : { done: false, value: latest };
    },
    async return() {
      stop();
      isOver = true;
      wake();
      return { done: true, value: undefined };
    },
  };
}

/**
 * @param {string} url as it was written
 * @param {string} pathname
 * @param {string} pointer
 * @param {(value: any) => void} show
 */
function readValues(url, pathname, pointer, show) {
  return read(pathname, (update) => {
    if (update.event === "problem") return console.warn(`savecast: ${problemText(update)}`);
    if (update.event !== "message") return;
    const value = "document" in update ? valueAt(update.document, pointer) : "text" in update ? update.text : meta(update);
    try {
      show(value);
    } catch (error) {
      // A page that can't show this value can still show the next one.
      console.error(`savecast: following ${url}:`, error);
    }
  });
}

/**
 * The value that a JSON Pointer names, or undefined.
 * @param {any} value
 * @param {string} pointer
 */
export function valueAt(value, pointer) {
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** @param {import("./connection.js").Update} update */
function meta({ path, version, size, type }) {
  return { path, version, size, type };
}

/** @type {Map<Element, { url: string, stop: () => void }>} */
const bound = new Map();

/**
 * Shows data in every `<b data-live="/prices.json#/btc/usd">` of the tree, also in those that come later.
 * @param {Element} root
 */
export function bind(root) {
  const update = () => {
    for (const [element, { url, stop }] of bound) {
      if (root.contains(element) && element.getAttribute("data-live") === url) continue;
      stop();
      bound.delete(element);
    }
    for (const element of root.querySelectorAll("[data-live]")) if (!bound.has(element)) bindElement(element);
  };
  update();
  new MutationObserver(update).observe(root, { subtree: true, childList: true, attributeFilter: ["data-live"] });
}

/** @param {Element} element */
function bindElement(element) {
  const url = element.getAttribute("data-live") ?? "";
  let stop = () => {};
  try {
    stop = /** @type {() => void} */ (follow(url, (value) => (element.textContent = textOf(value))));
  } catch (error) {
    console.error("savecast: data-live:", error);
  }
  bound.set(element, { url, stop });
}

/** @param {any} value */
function textOf(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
