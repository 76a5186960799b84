// Tells the person at the terminal what this page has made of a change.
// @ts-check

import { encoded, OURS } from "../paths.js";

/** How long reports are collected, in milliseconds. */
const COLLECT = 250;

/** How many effects one report has at most. */
const EFFECTS = 20;

/** @typedef {{ effect: "swapped" | "replaced" | "changed" | "reloaded", path: string, more?: number }} Effect */

/** @type {Effect[]} */
let effects = [];

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * @param {Effect["effect"]} effect
 * @param {string} path of the file that had changed, not percent-encoded
 * @param {number} [more] how many others had
 */
export function report(effect, path, more) {
  // A script may save a file a hundred times a second.
  effects = effects.filter((known) => known.path !== path).concat({ effect, path, more }).slice(-EFFECTS);
  timer ??= setTimeout(send, COLLECT);
}

function send() {
  timer = undefined;
  // Nobody waits for an answer, and the page may be on its way out.
  navigator.sendBeacon(new URL("effects", OURS), JSON.stringify(effects.map(({ path, ...rest }) => ({ ...rest, path: encoded(path) }))));
  effects = [];
}

addEventListener("pagehide", () => {
  if (timer) send();
});
