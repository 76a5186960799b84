// Data for scripts: `follow()`, as `live.js` offers it, and what it is made of.
// @ts-check

import { isAnswer, withoutBase } from "../paths.js";
import { read } from "../stream/connection.js";
import { problemText } from "../page/effects.js";

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
  const source = sourceOf(url);
  /** @param {(value: any) => void} show */
  const start = (show) => readValues(source, show);
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
 * What a URL names: a file, and perhaps a value in it.
 * @typedef {{ url: string, pathname: string, pointer: string }} Source
 * @param {string} url
 * @returns {Source}
 */
export function sourceOf(url) {
  const { origin, pathname, search, hash } = new URL(url, document.baseURI);
  if (origin !== location.origin) throw new TypeError(`savecast: ${url} is not a file of this site`);
  const pointer = decodeURIComponent(hash.slice(1));
  if (pointer && !pointer.startsWith("/")) throw new TypeError(`savecast: #${pointer} is no JSON Pointer`);
  const path = withoutBase(pathname);
  // A file has no query.
  return { url, pathname: isAnswer(path) ? path + search : path, pointer };
}

/**
 * Calls `show` with the values that a source has, and logs what goes wrong.
 * @param {Source} source
 * @param {(value: any) => void} show
 * @param {(problem: string) => void} [mark] is told that the value is the last good one, and why
 * @returns {() => void} ends it
 */
export function readValues({ url, pathname, pointer }, show, mark) {
  return read(pathname, (update) => {
    const problem = problemWith(update, pointer);
    if (problem) {
      if (update.event !== "removed") console.warn(`savecast: ${problemText({ ...update, message: problem })}`);
      return mark?.(problem);
    }
    if (update.event !== "message") return;
    const value = "document" in update ? valueAt(update.document, pointer) : "text" in update ? update.text : meta(update);
    try {
      show(value);
    } catch (error) {
      // A page that can't show this value can still show the next one.
      console.error(`savecast: following ${url}:`, error);
      mark?.(error instanceof RangeError || /recursion/.test(String(error)) ? "nested too deep to be shown" : String(error));
    }
  });
}

/**
 * Why there is nothing to show.
 * @param {import("../protocol.js").Update} update
 * @param {string} pointer
 */
function problemWith(update, pointer) {
  if (update.event === "problem") return update.message;
  if (update.event === "removed") return "removed";
  if (update.event === "message" && pointer && !("document" in update)) return `this is no JSON, so it has no ${pointer}`;
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

/** @param {import("../protocol.js").Update} update */
function meta({ path, version, size, type }) {
  return { path, version, size, type };
}
