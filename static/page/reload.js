// When and how the page is loaded again: once for many changes, never into a page that isn't there, never twice for the
// same change.
// @ts-check

import { isAnswer, pathIn, urlOf } from "../paths.js";
import { report } from "./report.js";
import { loadedFrom, pageURL, renewKept, said, statusOf } from "./resources.js";

/** @typedef {import("../protocol.js").Update} Update */

/** Changes that follow each other reload once, when it has been quiet for this long, in milliseconds. One alone need not wait. */
const QUIET = 50;

/** How soon after another change one does not come alone, in milliseconds. */
const SERIES = 500;

/** If it does not become quiet, the page reloads after this time, in milliseconds; and after this time in a burst. */
const CAP = 1000, BURST_CAP = 10_000;

/** How long a service worker gets to renew what it keeps, before the page is loaded from it, in milliseconds. */
const RENEW = 500;

/** How long to wait before it is asked again whether the page is there, in milliseconds; and how often that is done. */
const RETRY = 250, TRIES = 8;

/** How long a page that is gone may take to come back, before it is asked what is in its place, in milliseconds. */
const SEARCH = 2000;

/** What the page was loaded again for, in this tab. */
const KEY = "savecast:reload";

/** @type {Map<string, string>} what has changed since the page was loaded, each file with its version */
const changed = new Map();

/** @type {Record<string, string>} what had changed when the page was loaded again, each file with its version */
const reloadedFor = take();

const [cause, ...others] = Object.keys(reloadedFor);

/** @type {Record<string, string>} what of it is still old */
const old = {};

/** @type {() => Promise<void>} */
let keep = async () => {};

/** @type {string | undefined} the path of the file that the page was made from */
let page;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let search;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let first = 0;
/** When the last change was, or this page was loaded again for one. */
let latest = cause === undefined ? -Infinity : 0;
/** How often it was asked in vain whether the page is there. */
let tries = 0;
/** Whether the page is one that is shown for what is missing. It need not wait for anything. */
const status = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType("navigation")[0])?.responseStatus ?? 200;
export const wasMissing = status === 404;
/** Whether many files are changing at once: a build, a checkout. The server says so, and when it is over. */
let bursting = false;

/**
 * @param {string | undefined} path of the file that the page was made from
 * @param {() => Promise<void>} before what is to be done before the page goes
 */
export function prepare(path, before) {
  page = path;
  keep = before;
  // All pages of another server have one path in common.
  if (cause) report("reloaded", cause === page && isAnswer(cause) ? pathIn(new URL(pageURL)) : cause, others.length);
  if (path) loadedFrom.set(path, location.href);
}

/** Whether the page is about to be loaded again, or has to wait until many changes are over. */
export function isPending() {
  return first > 0 || bursting;
}

/** @param {boolean} value */
export function setBurst(value) {
  if (bursting === value) return;
  bursting = value;
  if (first) schedule();
}

/**
 * Loads the page again, because of a change.
 * @param {{ path: string, version: string }} change
 */
export function reload({ path, version }) {
  changed.set(path, version);
  schedule();
}

/** Loads the page again, whatever has changed. */
export function again() {
  schedule();
}

/**
 * Why a change is not shown: the page was loaded again for just this one, has the old version all the same, and would get it
 * again. Asked for each change, because only the first one after loading can be that.
 * @param {Update} change
 * @returns {Update | undefined} a problem, if it is so
 */
export function inVain({ event, path, version }) {
  const isOld = event === "change" && reloadedFor[path] === version;
  delete reloadedFor[path];
  delete old[path];
  if (!isOld) return undefined;
  old[path] = version;
  const worker = navigator.serviceWorker?.controller?.scriptURL;
  const cause = worker
    ? `The service worker ${new URL(worker).pathname} answers from its cache. To see your changes, switch on “Bypass for network” or “Update on reload” for service workers in the developer tools of your browser, or unregister it.`
    : "Something answers from a cache: a fetch() with a cache option, an extension, or a proxy between this browser and the server.";
  return { event: "problem", path, version, message: `This page was loaded again, and still has an old version of this file. ${cause}` };
}

/** The file of the page is gone. It may come back, or another one may answer at its address. */
export function lost() {
  clearTimeout(search);
  search = setTimeout(async () => {
    const response = await ask(location.href).catch(() => undefined);
    const path = response?.ok ? said(response)?.path : undefined;
    if (path !== undefined && path !== page) schedule();
  }, SEARCH);
}

/** The page is there again, if it was away. */
export function release() {
  clearTimeout(search);
  if (tries > 0) schedule();
}

/** What was kept for this load of the page. */
function take() {
  try {
    const { url, files } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    sessionStorage.removeItem(KEY);
    return url === location.href ? files : {};
  } catch {
    return {}; // A browser that keeps nothing.
  }
}

function schedule() {
  const now = performance.now();
  const quiet = now - latest > SERIES ? 0 : QUIET;
  latest = now;
  first ||= now;
  tries = 0;
  clearTimeout(timer);
  const wait = Math.min(bursting ? Infinity : quiet, first + (bursting ? BURST_CAP : CAP) - now);
  timer = setTimeout(start, Math.max(0, wait));
}

async function start() {
  const mine = timer;
  const isController = navigator.serviceWorker?.controller != null;
  if (isController) await renew();
  // A page that was saved a moment ago is there.
  const isSaved = page !== undefined && changed.has(page) && !isAnswer(page) && !wasMissing && pageURL === location.href && tries === 0;
  const state = isSaved ? "there" : await look();
  // Something else has changed meanwhile, and has set another time.
  if (mine !== timer) return;
  if (state === "elsewhere") {
    await keep();
    return location.replace(pageURL);
  }
  // A service worker may have the page, even if the server doesn't answer.
  if (state === "gone" || (state === "silent" && !isController)) {
    // Its coming back is no news if it was away for a moment only, or if nobody tells news. Else it will be heard.
    if (++tries <= TRIES || state === "silent") timer = setTimeout(start, RETRY);
    return;
  }
  await Promise.all([...changed.keys()].filter((path) => path !== page).map(renewKept));
  await keep();
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ url: location.href, files: { ...old, ...Object.fromEntries(changed) } }));
  } catch {
    // A browser that keeps nothing.
  }
  location.reload();
}

/**
 * Whether the page is there: a build may have removed it, and will bring it back. A script may have given it an address at
 * which nothing is; then it is loaded from where it was loaded before.
 * @returns {Promise<"there" | "elsewhere" | "gone" | "silent">}
 */
async function look() {
  try {
    if (await isThere(location.href)) return "there";
    return pageURL !== location.href && (await isThere(pageURL)) ? "elsewhere" : "gone";
  } catch {
    return "silent";
  }
}

/**
 * What the server would answer now, without its contents.
 * @param {string} url
 */
function ask(url) {
  return fetch(url, { method: "HEAD", cache: "no-store", headers: { "savecast-look": "" } });
}

/** @param {string} url */
async function isThere(url) {
  const response = await ask(url);
  const answered = said(response)?.path;
  // Without its index, a directory shows its listing.
  const isListing = answered?.endsWith("/") && page !== undefined && !page.endsWith("/");
  // Nobody wants to see an error, unless in the place of another one. With some of them, a server is away.
  const now = statusOf(response), isAway = now >= 502 && now <= 504;
  return (now !== 404 || wasMissing) && (now < 500 || (status >= 500 && !isAway)) && !isListing;
}

/**
 * Lets a service worker renew what it keeps. Many answer with what they have, and ask the server for the next time.
 */
async function renew() {
  const end = performance.now() + RENEW;
  const isOld = async (/** @type {[string, string]} */ [path, version]) => {
    // What it keeps of the page must have the client, as what it got for a navigation.
    const headers = path === page ? { accept: "text/html", "savecast-document": "" } : undefined;
    const response = await fetch(loadedFrom.get(path) ?? urlOf(path), { headers }).catch(() => undefined);
    await response?.body?.cancel();
    return response !== undefined && said(response)?.version !== version;
  };
  while ((await Promise.all([...changed].map(isOld))).includes(true) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, RENEW / 5));
  }
}
