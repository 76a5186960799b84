// Starts the client in a page, and does what the effect of each update is.
// @ts-check

import { stylesheets } from "../apply/styles.js";
import { trustedURL } from "../apply/trusted.js";
import { isAnswer, pathIn, pathOf } from "../paths.js";
import { listen, use } from "../stream/connection.js";
import { effectOf, problemText } from "./effects.js";
import { report } from "./report.js";
import { again, inVain, lost, prepare, release, reload, setBurst, wasMissing } from "./reload.js";
import { note, ofScripts, pageURL, renewKept, watchFrames } from "./resources.js";
import { change, learn } from "./source.js";

/** @typedef {import("../protocol.js").Update} Update */

/**
 * What `client.js` knows: the file that the page was made from, percent-encoded, and its version; on what else it depends, as
 * `VERSION PATH VERSION PATH`; what the load of this page is called if another server has made it, and whether that one
 * may be asked again; the resources that the page loads; and what it could not bring back after a reload.
 * @typedef {{ path?: string, version?: string, also?: string, loaded?: string, ask?: string, describe?: (field: Element) => { kind: string, label: string, isTyped: boolean },
 *   isTouched?: (element: Element) => boolean, resources?: (handler: (entries: PerformanceEntry[]) => void) => void,
 *   missing?: () => import("../apply/state.js").State["fields"] }} Start
 */

/** @type {string | undefined} the path of the file that the page was made from */
let page;

/** @param {Start} start */
export function start({ path, version, also, loaded, ask, describe, isTouched, resources, missing } = {}) {
  if (document.querySelector('meta[name="savecast"][content="off" i]')) return;
  const state = import("../apply/state.js");
  if (path && version) {
    const file = (page = pathOf(path));
    use(path, version);
    // What was looked for in vain, and the rules of the site: the page is another one when they are.
    const others = also?.split(" ") ?? [];
    for (let at = 0; at < others.length; at += 2) use(others[at + 1], others[at]);
    // When the page has all that it needs, it is time to learn how it was written, and how it is.
    const ready = whenLoaded();
    // The page for what is missing becomes another one, if anything.
    if (!wasMissing && ask !== "off") learn(file, version, ready, loaded);
    ready.then(() => state).then(({ remember }) => remember()).catch(() => {});
  }
  prepare(page, async () => {
    const { keep } = await state;
    if (describe && isTouched) keep(describe, isTouched, missing?.() ?? []);
  });
  resources?.(note);
  watchFrames();
  listen(apply, setBurst, hear, trustedURL);
  showData();
  // What the first change is likely to need is there when it comes.
  whenLoaded().then(() => import("../apply/swap.js")).catch(() => {});
}

/** @returns {Promise<void>} */
function whenLoaded() {
  return new Promise((resolve) => {
    const later = () => void setTimeout(resolve);
    if (document.readyState === "complete") later();
    else addEventListener("load", later, { once: true });
  });
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

/** @param {Update} update whatever happens to a file that the page uses or reads */
function hear(update) {
  const isOfServer = update.path === page && isAnswer(update.path);
  showProblem(isOfServer ? { ...update, path: pathIn(new URL(pageURL)) } : update);
  if (update.path !== page) return;
  if (update.event === "removed") lost();
  else if (update.event !== "problem") release();
}

/** @param {Update} update of a file that the page uses, or a reload of all pages */
function apply(update) {
  if (update.event === "reload") return again();
  const problem = inVain(update);
  if (problem) {
    console.warn(`savecast: ${problemText(problem)}`);
    return showProblem(problem);
  }
  // What we can't do in place, because of what this page is or of what we are, a reload can.
  effect(update).catch((error) => {
    console.error("savecast: this page is loaded again:", error);
    reload(update);
  });
}

/** @param {Update} update */
async function effect(update) {
  const { path, version, event } = update;
  // Who handles it says so with `event.preventDefault()`.
  if (!dispatchEvent(new CustomEvent("savecast:change", { detail: { path, version, event }, cancelable: true }))) return;
  const known = { path: page, stylesheets: stylesheets(), pictures: new Set() };
  let effect = effectOf(update, known);
  if (effect.run === "reload" && event === "change" && !ofScripts.has(path)) {
    // Where pictures are shown is asked only when one may have changed.
    const { pictures } = await import("../apply/pictures.js");
    effect = effectOf(update, { ...known, pictures: pictures() });
  }
  switch (effect.run) {
    case "swapStyle": {
      const { swapStyle } = await import("../apply/swap.js");
      await swapStyle(effect.path, effect.version);
      report("swapped", path);
      return renewKept(path);
    }
    case "showPictures": {
      const { showPicture } = await import("../apply/pictures.js");
      await showPicture(path, effect.version);
      report("replaced", path);
      return renewKept(path);
    }
    case "morph": {
      const outcome = await change(version);
      if (outcome === "changed") report("changed", isAnswer(path) ? pathIn(new URL(pageURL)) : path);
      return outcome === "reload" ? reload(update) : undefined;
    }
    case "reload":
      return reload(update);
    case "report":
      return console.warn(`savecast: ${effect.message}`);
    case "nothing":
  }
}

/** @type {Promise<typeof import("../ui/overlay.js")> | undefined} most pages never need it */
let overlay;

/** @param {Update} update a problem, or one after which there is none */
function showProblem(update) {
  if (update.event === "problem") overlay ??= import("../ui/overlay.js");
  overlay?.then(({ note }) => note(update)).catch((error) => console.error("savecast: a problem can't be shown:", error));
}
