// What happens to the page: each update of a file that it uses becomes an effect, and the effect is done.
// @ts-check

import { listen, use } from "./connection.js";
import { effectOf } from "./effects.js";
import { pathIn, urlOf } from "./paths.js";
import { stylesheets } from "./styles.js";

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
  if (path && version) {
    page = decodeURIComponent(path);
    use(path, version);
    // When the page has all that it needs, it is time to learn how it was written.
    const learn = () => setTimeout(() => (source = read().then((found) => (found?.version === version ? found?.html : undefined))));
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
  showData();
}

/** What wants `live.js`. */
const DATA = ["data-live", "data-live-attr", "data-live-list"];

/** Most pages show no data by `data-live`: the module that does comes with the first element that wants it. */
function showData() {
  const show = () => {
    if (!document.querySelector(DATA.map((name) => `[${name}]`).join())) return;
    observer.disconnect();
    import("./live.js").then(({ bind }) => bind(document.documentElement)).catch((error) => console.error("savecast: data-live:", error));
  };
  const observer = new MutationObserver(show);
  observer.observe(document, { subtree: true, childList: true, attributeFilter: DATA });
  show();
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
function apply(update) {
  // What we can't do in place, because of what this page is or of what we are, a reload can.
  effect(update).catch((error) => {
    console.error("savecast: this page is loaded again:", error);
    reload();
  });
}

/** @param {import("./connection.js").Update} update */
async function effect(update) {
  const detail = { path: update.path, version: update.version, event: update.event };
  // Who handles it says so with `event.preventDefault()`.
  if (!dispatchEvent(new CustomEvent("savecast:change", { detail, cancelable: true }))) return;
  const known = { path: page, stylesheets: stylesheets(), pictures: new Set() };
  let effect = effectOf(update, known);
  if (effect.run === "reload" && update.event === "change" && !ofScripts.has(update.path)) {
    // Where pictures are shown is asked only when one may have changed.
    const { references } = await import("./pictures.js");
    effect = effectOf(update, { ...known, pictures: new Set(references().map(({ path }) => path)) });
  }
  switch (effect.run) {
    case "swapStyle": {
      const { swapStyle } = await import("./swap.js");
      return swapStyle(effect.path, effect.version, showAll);
    }
    case "showPictures":
      shown.set(update.path, effect.version);
      return show(update.path, effect.version);
    case "morph": {
      const change = morphing.then(() => morphTo(update));
      morphing = change.catch(() => {});
      return change;
    }
    case "reload":
      return reload();
    case "report":
      return console.warn(`savecast: ${effect.message}`);
    case "nothing":
  }
}

/** @type {Map<string, string>} the pictures that were replaced, each with its version */
const shown = new Map();

/**
 * @param {string} path
 * @param {string} version
 */
async function show(path, version) {
  const { references, showPictures } = await import("./pictures.js");
  const places = references().filter((place) => place.path === path);
  if (places.length > 0) await showPictures(places, version);
}

/** What is written anew, or comes with a new stylesheet, shows pictures as they were when the browser saw them first. */
async function showAll() {
  for (const [path, version] of shown) await show(path, version);
}

/** @type {string | undefined} the path of the file that the page was made from */
let page;

/** @type {Promise<string | undefined>} how the page was written when it was loaded, or changed last */
let source = Promise.resolve(undefined);

/** @type {Promise<void>} one after the other */
let morphing = Promise.resolve();

/**
 * The HTML of the page as its author has written it. The address is the one that it was loaded from, because scripts may
 * have given it another one since.
 * @returns {Promise<{ html: string, version: string | undefined } | undefined>} undefined if it can't be had now
 */
async function read() {
  const url = new URL(performance.getEntriesByType("navigation")[0]?.name ?? location.href);
  url.searchParams.set(SOURCE, "");
  try {
    const response = await fetch(url, { headers: { accept: "text/html" }, cache: "no-store" });
    const version = response.headers.get("etag")?.replaceAll('"', "");
    return response.ok ? { html: await response.text(), version } : undefined;
  } catch {
    return undefined; // The server has gone. When it is back, there is a stream that says what has changed.
  }
}

/**
 * Changes the page to what its author has written now, or loads it again.
 * @param {import("./connection.js").Update} update
 */
async function morphTo({ path, version }) {
  // In a burst, what belongs to this page may be half of what will change.
  const before = bursting || firstReload || document.characterSet !== "UTF-8" ? undefined : await source;
  if (before === undefined) return reload();
  const { morph } = await import("./morph.js");
  let now = await read();
  // A save that has begun meanwhile may be half done.
  for (let tries = 0; now && now.version !== version && tries < 5; tries++) {
    await new Promise((resolve) => setTimeout(resolve, QUIET));
    now = await read();
  }
  if (!now?.version || bursting || firstReload || !morph(before, now.html, showAll)) return reload();
  source = Promise.resolve(now.html);
  // It may be a newer one than the update was about.
  use(urlOf(path), now.version);
  await showAll();
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
