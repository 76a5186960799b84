// What happens to the page: each update of a file that it uses becomes an effect, and the effect is done.
// @ts-check

import { listen, use } from "./connection.js";
import { effectOf } from "./effects.js";
import { bind } from "./live.js";
import { pathIn, stylesheets, swapStyle } from "./styles.js";

/** Changes that follow each other reload once, when it has been quiet for this long, in milliseconds. */
const QUIET = 50;

/** If it does not become quiet, the page reloads after this time, in milliseconds; and after this time in a burst. */
const CAP = 1000, BURST_CAP = 10_000;

/** The mark of a request for a file as it was written, which is no resource that the page uses. */
const SOURCE = "savecast-source";

/** What shows a picture where we can replace it. What scripts, plugins and frames have loaded, only they can show. */
const SHOWN = /^(?:css|early-hints|icon|image|img|input|link|other|use|video)$/;

/** @type {Set<string>} the paths of files that something else has loaded, too */
const ofScripts = new Set();

/** The last word of our server on a resource that the page has loaded: `VERSION PATH`, or `stream`. */
const TIMING = "savecast";

/**
 * @param {string | undefined} path of the file that the page was made from, percent-encoded
 * @param {string | undefined} version
 */
export function start(path, version) {
  if (document.querySelector('meta[name="savecast"][content="off" i]')) return;
  if (path && version) use(path, version);
  // Also tells of what was loaded before it was asked.
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "resource", buffered: true });
  listen(apply, (burst) => {
    bursting = burst;
    if (firstReload) reload();
  }, showProblem);
  // Only a page that we have loaded again has something to bring back.
  if (isReturning()) import("./state.js").then(({ restore }) => restore()).catch(complain);
  bind(document.documentElement);
}

/** @param {PerformanceEntry} entry */
function note(entry) {
  const { name, initiatorType, serverTiming } = /** @type {PerformanceResourceTiming} */ (entry);
  const url = new URL(name);
  if (url.searchParams.has(SOURCE)) return;
  // A frame is a page of its own, with a client of its own.
  if (url.origin !== location.origin || url.pathname.startsWith("/_savecast/") || /frame$/.test(initiatorType)) return;
  if (!SHOWN.test(initiatorType)) ofScripts.add(pathIn(url));
  const timing = serverTiming?.find((timing) => timing.name === TIMING)?.description;
  const [version, path] = timing?.split(" ") ?? [];
  if (version === "stream") return;
  if (path) use(path, version);
  // Without a word of the server, which browsers hide on plain HTTP from other machines, it isn't known whether a
  // directory stands for its index or its listing.
  else if (!url.pathname.endsWith("/")) use(url.pathname, null);
}

/** @param {import("./connection.js").Update} update */
async function apply(update) {
  const detail = { path: update.path, version: update.version, event: update.event };
  // Who handles it says so with `event.preventDefault()`.
  if (!dispatchEvent(new CustomEvent("savecast:change", { detail, cancelable: true }))) return;
  const known = { stylesheets: stylesheets(), pictures: new Set() };
  let effect = effectOf(update, known);
  if (effect.run === "reload" && update.event === "change") {
    // Where pictures are shown is asked only when one may have changed.
    const { references, showPictures } = await import("./pictures.js").catch(() => ({ references: () => [], showPictures: async () => {} }));
    const places = ofScripts.has(update.path) ? [] : references().filter(({ path }) => path === update.path);
    effect = effectOf(update, { ...known, pictures: new Set(places.map(({ path }) => path)) });
    if (effect.run === "showPictures") return showPictures(places, effect.version);
  }
  switch (effect.run) {
    case "swapStyle":
      return swapStyle(effect.path, effect.version);
    case "reload":
      return reload();
    case "report":
      return console.warn(`savecast: ${effect.message}`);
    case "showPictures":
    case "nothing":
  }
}

/** @type {Promise<typeof import("./overlay.js")> | undefined} most pages never need it */
let overlay;

/** @param {import("./connection.js").Update} update */
function showProblem(update) {
  if (update.event === "problem") overlay ??= import("./overlay.js");
  overlay?.then(({ note }) => note(update)).catch((error) => console.error("savecast: a problem can't be shown:", error));
}

/** Whether something was kept for this page, under the key of `state.js`. */
function isReturning() {
  try {
    return "savecast:state" in sessionStorage;
  } catch {
    return false; // A browser that keeps nothing.
  }
}

/** @param {unknown} error */
function complain(error) {
  console.error("savecast: the state of the page is lost:", error);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let reloading;
let firstReload = 0;
/** Whether many files are changing at once: a build, a checkout. The server says so, and when it is over. */
let bursting = false;

function reload() {
  const now = performance.now();
  firstReload ||= now;
  clearTimeout(reloading);
  const wait = Math.min(bursting ? Infinity : QUIET, firstReload + (bursting ? BURST_CAP : CAP) - now);
  const start = () => import("./state.js").then(({ keep }) => keep()).catch(complain).finally(() => location.reload());
  reloading = setTimeout(start, Math.max(0, wait));
}
