// How the page is written, and how it changes in place from one source to the next.
// @ts-check

import { encoded, isAnswer } from "../paths.js";
import { use } from "../stream/connection.js";
import { isPending } from "./reload.js";
import { hasOwnClient, pageURL, said, SOURCE } from "./resources.js";

/** @typedef {{ path: string, version: string, html: string, canMorph: boolean }} Source how a page is written, and whether it may be changed in place */

/** What has become of a page: it was changed, it is still the same, or has to be loaded again. */
/** @typedef {"changed" | "same" | "reload"} Outcome */

/** @type {Promise<Source | undefined>} how the page was written when it was loaded, or changed last; undefined if it can't
 *   be changed in place */
let source = Promise.resolve(undefined);

/** For how long a page that is still loading is waited for, before it is loaded again, in milliseconds. */
const PATIENCE = 10_000;

/** Whether another server has made the page. */
let isOfServer = false;

/** @type {Promise<unknown>} one change after the other */
let changing = Promise.resolve();

/** @type {Promise<Outcome> | undefined} a change that has not begun yet, to whatever there is then: there need not be two */
let waiting;

/**
 * Learns how the page was written, if it can be changed in place, or if nobody else can say whether it is another one.
 * @param {string} path of the file that it was made from
 * @param {string} version
 * @param {Promise<void>} ready when the page is loaded
 * @param {string} [loaded] what our server calls the load of the page, if another server has made it
 */
export function learn(path, version, ready, loaded) {
  isOfServer = isAnswer(path);
  if (!isOfServer) return void ready.then(() => (source = written(path, version))).catch(() => {});
  const learned = ready.then(() => import("./answer.js")).then((answer) => answer.written(path, version, loaded));
  // That another server may have another page is no reason to load one again that is not there yet.
  source = Promise.race([learned, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  learned.then(() => (source = learned)).catch(() => {});
}

/**
 * @param {string} path
 * @param {string} version
 * @returns {Promise<Source | undefined>}
 */
async function written(path, version) {
  if (!mayMorph()) return undefined;
  const found = await read(path);
  if (found?.version !== version) return undefined;
  const { canMorph } = await import("../apply/morph/plan.js");
  return canMorph(found.html) ? { ...found, canMorph: true } : undefined;
}

/** Whether a page may be changed in place, as far as it says so itself. */
export function mayMorph() {
  return document.documentElement.dataset.savecast !== "reload" && document.characterSet === "UTF-8";
}

/**
 * The HTML of the page as its author has written it. The address is the one that it was loaded from, because scripts may
 * have given it another one since.
 * @param {string} path
 * @returns {Promise<{ path: string, version: string, html: string } | undefined>} undefined if it can't be had now
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
 * @returns {Promise<Outcome>}
 */
export function change(version) {
  // Of a page of another server, the version says nothing.
  if (waiting && isOfServer) return waiting.then((outcome) => (outcome === "reload" ? outcome : "same"));
  const change = changing.then(() => {
    waiting = undefined;
    return changeTo(version);
  });
  changing = change.catch(() => {});
  return (waiting = change);
}

/**
 * @param {string} version
 * @returns {Promise<Outcome>}
 */
async function changeTo(version) {
  const before = await source.catch(() => undefined);
  if (hasOwnClient) return "same";
  // In a burst, what belongs to this page may be half of what will change.
  if (!before || isPending()) return "reload";
  if (isAnswer(before.path)) {
    const { outcome, now } = await (await import("./answer.js")).compare(before, version);
    source = Promise.resolve(now);
    return outcome;
  }
  const [{ morph }, { showAgain }] = await Promise.all([import("../apply/morph/plan.js"), import("../apply/pictures.js")]);
  let now = await read(before.path);
  // A save that has begun meanwhile may be half done.
  for (let tries = 0; now && now.version !== version && tries < 5; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    now = await read(before.path);
  }
  // Behind a service worker, it may stay as it was.
  const isOld = now?.version === before.version;
  if (!now || isOld || isPending() || !morph(before.html, now.html)) return "reload";
  source = Promise.resolve({ ...now, canMorph: true });
  // It may be a newer one than the update was about.
  use(encoded(now.path), now.version);
  await showAgain();
  return "changed";
}
