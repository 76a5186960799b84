// The only file that touches the document.
// @ts-check

import { listen, use } from "./connection.js";
import { effectOf } from "./effects.js";
import { bind } from "./live.js";
import { stylesheets, swapStyle } from "./styles.js";

/** Changes that follow each other reload once, when it has been quiet for this long, in milliseconds. */
const QUIET = 50;

/** If it does not become quiet, the page reloads after this time, in milliseconds; and after this time in a burst. */
const CAP = 1000, BURST_CAP = 10_000;

/** The mark of a request for the source of the page, which is no resource that the page uses. */
const SOURCE = "savecast-source";

/** The last word of our server on a resource that the page has loaded: `VERSION PATH`, or `stream`. */
const TIMING = "savecast";

/**
 * @param {string | undefined} path of the file that the page was made from, percent-encoded
 * @param {string | undefined} version
 */
export function start(path, version) {
  if (document.querySelector('meta[name="savecast"][content="off" i]')) return;
  if (path && version) {
    page = decodeURIComponent(path);
    use(path, version);
    // When the page has all that it needs, it is time to learn how it was written.
    const learn = () => setTimeout(() => (source = read(version)));
    if (document.readyState === "complete") learn();
    else addEventListener("load", learn, { once: true });
  }
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
  // A frame is a page of its own, with a client of its own.
  if (url.searchParams.has(SOURCE)) return;
  if (url.origin !== location.origin || url.pathname.startsWith("/_savecast/") || /frame$/.test(initiatorType)) return;
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
  const known = { path: page, stylesheets: stylesheets(), pictures: new Set() };
  let effect = effectOf(update, known);
  if (effect.run === "reload" && update.event === "change") {
    // Where pictures are shown is asked only when one may have changed.
    const { references, showPictures } = await import("./pictures.js").catch(() => ({ references: () => [], showPictures: async () => {} }));
    const places = references().filter(({ path }) => path === update.path);
    effect = effectOf(update, { ...known, pictures: new Set(places.map(({ path }) => path)) });
    if (effect.run === "showPictures") return showPictures(places, effect.version);
  }
  switch (effect.run) {
    case "swapStyle":
      return swapStyle(effect.path, effect.version);
    case "morph":
      morphing = morphing.then(change).catch(() => false).then((isDone) => isDone || reload());
      return;
    case "reload":
      return reload();
    case "report":
      return console.warn(`savecast: ${effect.message}`);
    case "showPictures":
    case "nothing":
  }
}

/** @type {string | undefined} the path of the file that the page was made from */
let page;

/** @type {Promise<string | undefined>} how the page was written when it was loaded, or changed last */
let source = Promise.resolve(undefined);

/** @type {Promise<unknown>} one after the other */
let morphing = Promise.resolve();

/**
 * The HTML of the page as its author has written it.
 * @param {string} [version] the only one that will do
 * @returns {Promise<string | undefined>}
 */
async function read(version) {
  const url = new URL(location.href);
  url.searchParams.set(SOURCE, "");
  try {
    const response = await fetch(url, { headers: { accept: "text/html" }, cache: "no-store" });
    const isIt = response.ok && (!version || response.headers.get("etag") === `"${version}"`);
    return isIt ? await response.text() : undefined;
  } catch {
    return undefined; // The server has gone. When it is back, there is a stream that says what has changed.
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

/** Changes the page to what its author has written now; false if it has to be loaded again. */
async function change() {
  // In a burst, what belongs to this page may be half of what will change.
  if (bursting || firstReload) return false;
  const [before, now, { morph }] = await Promise.all([source, read(), import("./morph.js")]);
  if (before === undefined || now === undefined || !morph(before, now)) return false;
  source = Promise.resolve(now);
  return true;
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
