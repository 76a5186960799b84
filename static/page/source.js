// How the page is written, and how it changes in place from one source to the next.
// @ts-check

import { encoded } from "../paths.js";
import { use } from "../stream/connection.js";
import { isPending } from "./reload.js";
import { pageURL, said, SOURCE } from "./resources.js";

/** @typedef {{ path: string, version: string, html: string }} Source */

/** @type {Promise<Source | undefined>} how the page was written when it was loaded, or changed last; undefined if it can't
 *   be changed in place */
let source = Promise.resolve(undefined);

/** @type {Promise<unknown>} one change after the other */
let changing = Promise.resolve();

/**
 * Learns how the page was written, if it can be changed in place.
 * @param {string} path of the file that it was made from
 * @param {string} version
 */
export function learn(path, version) {
  source = written(path, version);
}

/**
 * @param {string} path
 * @param {string} version
 */
async function written(path, version) {
  if (document.documentElement.dataset.savecast === "reload" || document.characterSet !== "UTF-8") return undefined;
  const found = await read(path);
  if (found?.version !== version) return undefined;
  const { canMorph } = await import("../apply/morph/plan.js");
  return canMorph(found.html) ? found : undefined;
}

/**
 * The HTML of the page as its author has written it. The address is the one that it was loaded from, because scripts may
 * have given it another one since.
 * @param {string} path
 * @returns {Promise<Source | undefined>} undefined if it can't be had now
 */
async function read(path) {
  const url = new URL(pageURL);
  url.searchParams.set(SOURCE, "");
  try {
    const response = await fetch(url, { headers: { accept: "text/html" }, cache: "no-store" });
    const now = said(response);
    // While the index of a directory is gone, its listing is answered.
    if (!response.ok || now?.path !== path) return undefined;
    return { ...now, html: await response.text() };
  } catch {
    return undefined;
  }
}

/**
 * Changes the page to how it is written now.
 * @param {string} version that it has at least
 * @returns {Promise<boolean>} false if it has to be loaded again
 */
export function change(version) {
  const change = changing.then(() => changeTo(version));
  changing = change.catch(() => {});
  return change;
}

/** @param {string} version */
async function changeTo(version) {
  const before = await source;
  // In a burst, what belongs to this page may be half of what will change.
  if (!before || isPending()) return false;
  const [{ morph }, { showAgain }] = await Promise.all([import("../apply/morph/plan.js"), import("../apply/pictures.js")]);
  let now = await read(before.path);
  // A save that has begun meanwhile may be half done.
  for (let tries = 0; now && now.version !== version && tries < 5; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    now = await read(before.path);
  }
  // Behind a service worker, it may stay as it was.
  const isOld = now?.version === before.version;
  if (!now || isOld || isPending() || !morph(before.html, now.html)) return false;
  source = Promise.resolve(now);
  // It may be a newer one than the update was about.
  use(encoded(now.path), now.version);
  await showAgain();
  return true;
}
