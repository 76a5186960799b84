// What the page has loaded, and which version of each file that was.
// @ts-check

import { BASE, isAnswer, pathIn, pathOf, urlOf, withoutBase } from "../paths.js";
import { leaveOut, use } from "../stream/connection.js";

/** The mark of a request for a file as it was written, which is no resource that the page uses. */
export const SOURCE = "savecast-source";

/** What our server says of all that it sends: `VERSION PATH`, or `stream`. */
const TIMING = "savecast";

/** What shows a picture where we can replace it. What scripts, plugins and frames have loaded, only they can show. */
const SHOWN = /^(?:css|early-hints|icon|image|img|input|link|other|use|video)$/;

/** @type {Set<string>} the paths of files that something else has loaded, too */
export const ofScripts = new Set();

/** @type {Map<string, string>} the URL under which each file was loaded, which may have a query */
export const loadedFrom = new Map();

/** Clients of tools that make the pages of their server live themselves. */
const TOOLS = /^\/(?:.*@vite\/client|_next\/static\/(?:development\/|.*(?:react-refresh|hmr-client|webpack\.js\?v=))|__webpack_hmr|.*webpack-dev-server|.*webpack\/hot\/)/;

/** Whether the server of this page makes it live itself. */
export let hasOwnClient = false;

/** Of an address that is asked for with so many different queries, or a URL that scripts ask for so often, the page takes care itself. */
const QUERIES = 8, TIMES = 3;

/** @type {Map<string, Set<string>>} what other servers have answered, by path: the URLs */
const answers = new Map();

/** @type {Map<string, number>} how often scripts have asked for it */
const times = new Map();

/** Where the page itself was loaded from, whatever address scripts have given it since. */
export const pageURL = performance.getEntriesByType("navigation")[0]?.name ?? location.href;

/** Follows what frames load that are written in the page, and so have no client of their own. */
export function watchFrames() {
  document.addEventListener("load", ({ target }) => watchFrame(target), { capture: true });
  document.querySelectorAll("iframe[srcdoc]").forEach(watchFrame);
}

/** @param {EventTarget | null} frame */
function watchFrame(frame) {
  const inside = frame instanceof HTMLIFrameElement && frame.hasAttribute("srcdoc") ? frame.contentWindow : null;
  // One in a sandbox is not open to us.
  if (!inside || !(/** @type {HTMLIFrameElement} */ (frame)).contentDocument) return;
  const { PerformanceObserver: Observer } = /** @type {typeof globalThis} */ (/** @type {unknown} */ (inside));
  new Observer((list) => note(list.getEntries())).observe({ type: "resource", buffered: true });
}

/** @param {PerformanceEntry[]} entries of resources that were loaded */
export function note(entries) {
  for (const entry of entries) noteOne(/** @type {PerformanceResourceTiming} */ (entry));
}

/** @param {PerformanceResourceTiming} entry */
function noteOne({ name, initiatorType, serverTiming }) {
  if (!URL.canParse(name)) return;
  const url = new URL(name);
  if (url.searchParams.has(SOURCE)) return;
  // A frame is a page of its own, with a client of its own.
  if (url.origin !== location.origin || url.pathname.startsWith(`${BASE}/_savecast/`) || /frame$/.test(initiatorType)) return;
  // We have asked for the page itself, to see whether it is there, or for what is kept.
  if (initiatorType === "fetch" && (url.href === location.href.split("#")[0] || renewing.has(name))) return;
  if (!SHOWN.test(initiatorType)) ofScripts.add(pathIn(url));
  const timing = serverTiming?.find((timing) => timing.name === TIMING)?.description;
  const [version, path] = timing?.split(" ") ?? [];
  if (version === "stream") return;
  if (isAnswer(withoutBase(url.pathname))) return noteAnswer(pathIn(url), name, SHOWN.test(initiatorType) || initiatorType === "script", version);
  if (path) {
    use(path, version);
    loadedFrom.set(pathOf(path), name);
  }
  // Without a word of the server, which browsers hide on plain HTTP from other machines, it isn't known whether a
  // directory stands for its index or its listing.
  else if (!url.pathname.endsWith("/")) use(withoutBase(url.pathname), null);
}

/**
 * Another server has answered.
 * @param {string} path its URL
 * @param {string} name
 * @param {boolean} isPart whether it is a part of the page, and not for a script
 * @param {string} [load] what our server calls it, where browsers tell
 */
async function noteAnswer(path, name, isPart, load) {
  const [pathname] = path.split("?");
  if (TOOLS.test(path)) {
    hasOwnClient = true;
    for (const urls of answers.values()) for (const url of urls) leaveOut(url);
  }
  // Where browsers hide what our server says, an answer to a script may be a stream of the other server's, which never ends.
  if (hasOwnClient || (!load && (isSecureContext || !isPart))) return;
  times.set(path, (times.get(path) ?? 0) + (isPart ? 0 : 1));
  if (/** @type {number} */ (times.get(path)) >= TIMES) return leaveOut(path);
  const urls = answers.get(pathname) ?? new Set();
  answers.set(pathname, urls.add(path));
  if (urls.size > QUERIES) return void urls.delete(path);
  const version = load?.startsWith("~") ? await (await import("./loads.js")).versionOf(load.slice(1)) : null;
  loadedFrom.set(path, name);
  if (!hasOwnClient) use(path, version);
}

/** @type {Set<string>} what is being renewed: the URLs */
const renewing = new Set();

/**
 * Has the browser keep what another server answers now. That may have said that it may be kept for long, and then pages would be loaded
 * with the old one.
 * @param {string} path as events call it
 */
export async function renewKept(path) {
  if (!isAnswer(path)) return;
  const url = new URL(loadedFrom.get(path) ?? urlOf(path), location.href).href;
  renewing.add(url);
  try {
    // Nobody is asked if the browser has kept one, however old.
    const kept = await fetch(url, { cache: "force-cache" });
    await kept.body?.cancel();
    if (/no-cache|no-store|max-age=0\b/.test(kept.headers.get("cache-control") ?? "")) return;
    // Only what has come to its end is kept.
    await (await fetch(url, { cache: "reload" })).blob();
  } catch {
    // The server is away.
  }
}

/**
 * The status of an answer. Where the client of a page has asked, our server says it in a header: an error would stand in the console.
 * @param {Response} response
 */
export function statusOf(response) {
  return Number(response.headers.get("savecast-status") ?? response.status);
}

/**
 * Which version of which file our server has sent.
 * @param {Response} response
 */
export function said(response) {
  const [, version, path] = /savecast;desc="(\S+) (\S+)"/.exec(response.headers.get("server-timing") ?? "") ?? [];
  return version ? { version, path: pathOf(path) } : undefined;
}
