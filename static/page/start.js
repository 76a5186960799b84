// What happens to the page: each update of a file that it uses becomes an effect, and the effect is done.
// @ts-check

import { listen, use } from "../stream/connection.js";
import { effectOf } from "./effects.js";
import { pathIn, urlOf } from "../paths.js";
import { isInVain, isPending, prepare, release, reload, remember, said, setBurst, TIMING } from "./reload.js";
import { stylesheets } from "../apply/styles.js";

/** The mark of a request for a file as it was written, which is no resource that the page uses. */
const SOURCE = "savecast-source";

/** What shows a picture where we can replace it. What scripts, plugins and frames have loaded, only they can show. */
const SHOWN = /^(?:css|early-hints|icon|image|img|input|link|other|use|video)$/;

/** @type {Set<string>} the paths of files that something else has loaded, too */
const ofScripts = new Set();

/**
 * What `client.js` knows: the file that the page was made from, percent-encoded, and its version; the resources that the
 * page loads; and what it could not bring back after a reload.
 * @typedef {{ path?: string, version?: string, describe?: (field: Element) => { kind: string, label: string, isTyped: boolean },
 *   isTouched?: (element: Element) => boolean, resources?: (handler: (entries: PerformanceEntry[]) => void) => void,
 *   missing?: () => import("../apply/state.js").State["fields"] }} Start
 */

/** @param {Start} start */
export function start({ path, version, describe, isTouched, resources, missing } = {}) {
  if (document.querySelector('meta[name="savecast"][content="off" i]')) return;
  const state = import("../apply/state.js");
  if (path && version) {
    page = decodeURIComponent(path);
    use(path, version);
    // When the page has all that it needs, it is time to learn how it was written, and how it is.
    const learn = () => setTimeout(() => {
      source = written(version);
      state.then(({ remember }) => remember()).catch(() => {});
    });
    if (document.readyState === "complete") learn();
    else addEventListener("load", learn, { once: true });
  }
  prepare(page, async () => {
    const { keep } = await state;
    if (describe && isTouched) keep(describe, isTouched, missing?.() ?? []);
  });
  resources?.((entries) => entries.forEach(note));
  // A frame that is written in the page has no client of its own.
  document.addEventListener("load", ({ target }) => noteFrame(target), { capture: true });
  document.querySelectorAll("iframe[srcdoc]").forEach(noteFrame);
  listen(apply, setBurst, hear);
  showData();
}

/** What wants `bind.js`. */
const DATA = ["data-live", "data-live-attr", "data-live-list"];

/** Most pages show no data by `data-live`: the module that does comes with the first element that wants it. */
function showData() {
  const show = () => {
    if (!document.querySelector(DATA.map((name) => `[${name}]`).join())) return;
    observer.disconnect();
    import("../data/bind.js").then(({ bind }) => bind(document.documentElement)).catch((error) => console.error("savecast: data-live:", error));
  };
  const observer = new MutationObserver(show);
  observer.observe(document, { subtree: true, childList: true, attributeFilter: DATA });
  show();
}

/** @param {PerformanceEntry} entry */
function note(entry) {
  const { name, initiatorType, serverTiming } = /** @type {PerformanceResourceTiming} */ (entry);
  if (!URL.canParse(name)) return;
  const url = new URL(name);
  if (url.searchParams.has(SOURCE)) return;
  // A frame is a page of its own, with a client of its own.
  if (url.origin !== location.origin || url.pathname.startsWith("/_savecast/") || /frame$/.test(initiatorType)) return;
  // We have asked for the page itself, to see whether it is there.
  if (initiatorType === "fetch" && url.href === location.href.split("#")[0]) return;
  if (!SHOWN.test(initiatorType)) ofScripts.add(pathIn(url));
  const timing = serverTiming?.find((timing) => timing.name === TIMING)?.description;
  const [version, path] = timing?.split(" ") ?? [];
  if (version === "stream") return;
  if (path) {
    use(path, version);
    remember(pathIn(new URL(path, location.origin)), name);
  }
  // Without a word of the server, which browsers hide on plain HTTP from other machines, it isn't known whether a
  // directory stands for its index or its listing.
  else if (!url.pathname.endsWith("/")) use(url.pathname, null);
}

/** @param {EventTarget | null} frame */
function noteFrame(frame) {
  const inside = frame instanceof HTMLIFrameElement && frame.hasAttribute("srcdoc") ? frame.contentWindow : null;
  // One in a sandbox is not open to us.
  if (!inside || !(/** @type {HTMLIFrameElement} */ (frame)).contentDocument) return;
  const { PerformanceObserver: Observer } = /** @type {typeof globalThis} */ (/** @type {unknown} */ (inside));
  new Observer((list) => list.getEntries().forEach(note)).observe({ type: "resource", buffered: true });
}

/** @param {import("../protocol.js").Update} update whatever happens to a file that the page uses or reads */
function hear(update) {
  showProblem(update);
  if (update.path === page && update.event !== "removed" && update.event !== "problem") release();
}

/** @param {import("../protocol.js").Update} update */
function apply(update) {
  if (isInVain(update)) return explain(update);
  // What we can't do in place, because of what this page is or of what we are, a reload can.
  effect(update).catch((error) => {
    console.error("savecast: this page is loaded again:", error);
    reload(update);
  });
}

/** @param {import("../protocol.js").Update} update */
async function effect(update) {
  const detail = { path: update.path, version: update.version, event: update.event };
  // Who handles it says so with `event.preventDefault()`.
  if (!dispatchEvent(new CustomEvent("savecast:change", { detail, cancelable: true }))) return;
  const known = { path: page, stylesheets: stylesheets(), pictures: new Set() };
  let effect = effectOf(update, known);
  if (effect.run === "reload" && update.event === "change" && !ofScripts.has(update.path)) {
    // Where pictures are shown is asked only when one may have changed.
    const { pictures } = await import("../apply/pictures.js");
    effect = effectOf(update, { ...known, pictures: pictures() });
  }
  switch (effect.run) {
    case "swapStyle": {
      const { swapStyle } = await import("../apply/swap.js");
      return swapStyle(effect.path, effect.version);
    }
    case "showPictures": {
      const { showPicture } = await import("../apply/pictures.js");
      return showPicture(update.path, effect.version);
    }
    case "morph": {
      const change = morphing.then(() => morphTo(update));
      morphing = change.catch(() => {});
      return change;
    }
    case "reload":
      return reload(update);
    case "report":
      return console.warn(`savecast: ${effect.message}`);
    case "nothing":
  }
}

/**
 * Says why a change is not shown: another reload would bring the old version again.
 * @param {import("../protocol.js").Update} update
 */
function explain({ path, version }) {
  const worker = navigator.serviceWorker?.controller?.scriptURL;
  const cause = worker
    ? `The service worker ${new URL(worker).pathname} answers from its cache. To see your changes, switch on “Bypass for network” or “Update on reload” for service workers in the developer tools of your browser, or unregister it.`
    : "Something answers from a cache: a fetch() with a cache option, an extension, or a proxy between this browser and the server.";
  const message = `This page was loaded again, and still has an old version of this file. ${cause}`;
  console.warn(`savecast: ${path}: ${message}`);
  showProblem({ event: "problem", path, version, message });
}

/** @type {string | undefined} the path of the file that the page was made from */
let page;

/** @typedef {{ html: string, version: string }} Source */

/** @type {Promise<Source | undefined>} how the page was written when it was loaded, or changed last; undefined if it can't
 *   be changed in place */
let source = Promise.resolve(undefined);

/** @type {Promise<void>} one after the other */
let morphing = Promise.resolve();

/**
 * How the page was written, if it can be changed in place.
 * @param {string} version the one that the page was made from
 */
async function written(version) {
  if (document.documentElement.dataset.savecast === "reload" || document.characterSet !== "UTF-8") return undefined;
  const found = await read();
  if (found?.version !== version) return undefined;
  const { canMorph } = await import("../apply/morph/plan.js");
  return canMorph(found.html) ? found : undefined;
}

/**
 * The HTML of the page as its author has written it. The address is the one that it was loaded from, because scripts may
 * have given it another one since.
 * @returns {Promise<Source | undefined>} undefined if it can't be had now
 */
async function read() {
  const url = new URL(performance.getEntriesByType("navigation")[0]?.name ?? location.href);
  url.searchParams.set(SOURCE, "");
  try {
    const response = await fetch(url, { headers: { accept: "text/html" }, cache: "no-store" });
    const now = said(response);
    // While the index of a directory is gone, its listing is answered.
    if (!response.ok || !now || now.path !== page) return undefined;
    return { html: await response.text(), version: now.version };
  } catch {
    return undefined;
  }
}

/** @param {import("../protocol.js").Update} update of the page itself */
async function morphTo(update) {
  const before = await source;
  // In a burst, what belongs to this page may be half of what will change.
  if (before === undefined || isPending()) return reload(update);
  const [{ morph }, { showAgain }] = await Promise.all([import("../apply/morph/plan.js"), import("../apply/pictures.js")]);
  let now = await read();
  // A save that has begun meanwhile may be half done.
  for (let tries = 0; now && now.version !== update.version && tries < 5; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    now = await read();
  }
  // Behind a service worker, it may stay as it was.
  const isOld = now?.version === before.version;
  if (!now || isOld || isPending() || !morph(before.html, now.html)) return reload(update);
  source = Promise.resolve(now);
  // It may be a newer one than the update was about.
  use(urlOf(update.path), now.version);
  await showAgain();
}

/** @type {Promise<typeof import("../ui/overlay.js")> | undefined} most pages never need it */
let overlay;

/** @param {import("../protocol.js").Update} update */
function showProblem(update) {
  if (update.event === "problem") overlay ??= import("../ui/overlay.js");
  overlay?.then(({ note }) => note(update)).catch((error) => console.error("savecast: a problem can't be shown:", error));
}
