// What the page has loaded, and which version of each file that was.
// @ts-check

import { BASE, decoded, pathIn, withoutBase } from "../paths.js";
import { use } from "../stream/connection.js";

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
  // We have asked for the page itself, to see whether it is there.
  if (initiatorType === "fetch" && url.href === location.href.split("#")[0]) return;
  if (!SHOWN.test(initiatorType)) ofScripts.add(pathIn(url));
  const timing = serverTiming?.find((timing) => timing.name === TIMING)?.description;
  const [version, path] = timing?.split(" ") ?? [];
  if (version === "stream") return;
  if (path) {
    use(path, version);
    loadedFrom.set(decoded(path), name);
  }
  // Without a word of the server, which browsers hide on plain HTTP from other machines, it isn't known whether a
  // directory stands for its index or its listing.
  else if (!url.pathname.endsWith("/")) use(withoutBase(url.pathname), null);
}

/**
 * Which version of which file our server has sent.
 * @param {Response} response
 */
export function said(response) {
  const [, version, path] = /savecast;desc="(\S+) (\S+)"/.exec(response.headers.get("server-timing") ?? "") ?? [];
  return version ? { version, path: decoded(path) } : undefined;
}
