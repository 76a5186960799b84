// A page that another server has made: nobody but the page can ask whether it is another one now.
// @ts-check

import { OURS, pathIn } from "../paths.js";
import { isPending } from "./reload.js";
import { pageURL, SOURCE, statusOf } from "./resources.js";
import { mayMorph } from "./source.js";
import { compare as compareTexts } from "./varying.js";

/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./source.js").Outcome} Outcome */

/** How long to wait until a clock shows another second, in milliseconds. */
const SECOND = 1100;

/** A page may be another one each time, in a way that nobody can see. It is loaded again so often within this time, in milliseconds. */
const RELOADS = 4, WITHIN = 10_000;

/** What frameworks write for letters that mean something in HTML. */
const ENTITIES = { "#39": "'", quot: '"', lt: "<", gt: ">", amp: "&" };

/** When the page was loaded again because it was another one, in this tab. */
const KEY = "savecast:compared";

/** @type {string} the address at which the page was when it was learned; a script may change it, and the page with it */
let address = pageURL;

/** Whether the last answer was the server's page for an error of its own. */
let isBroken = false;

/**
 * How the page was written that is shown.
 * @param {string} path of all pages of that server
 * @param {string} version
 * @param {string} [loaded] what our server calls the load of it; without it, nobody knows
 * @returns {Promise<Source | undefined>}
 */
export async function written(path, version, loaded) {
  if (!loaded) return undefined;
  const response = await fetch(new URL(`loaded?${loaded}`, OURS), { cache: "no-store" }).catch(() => undefined);
  // A page out of the cache of the browser was loaded long ago.
  if (!response?.ok) return undefined;
  const html = decode(await response.arrayBuffer());
  return { path, version, html, canMorph: await canMorph(html) };
}

/**
 * Whether the page is another one now, and changes it if it can.
 * @param {Source} before
 * @param {string} version
 * @returns {Promise<{ outcome: Outcome, now: Source | undefined }>}
 */
export async function compare(before, version) {
  const same = { ...before, version };
  // Behind a script that changes its address, the page is another one than it was.
  if (withoutHash(location.href) !== withoutHash(address)) return reloadOrWait(before, version);
  const now = await ask();
  // While the server is away, or has no such page any more, the page stays as it is.
  if (now === undefined || now.status === 404) return { outcome: "same", now: same };
  await showTrouble(now);
  if (now.status >= 500 && !wasBroken()) return { outcome: "same", now: same };
  if (now.html === before.html || !(await isOther(before.html, now.html))) return { outcome: "same", now: same };
  if (isPending()) return { outcome: "reload", now: same };
  const next = { ...same, html: now.html, canMorph: before.canMorph && (await canMorph(now.html)) };
  const [{ morph }, { showAgain }] = await Promise.all([import("../apply/morph/plan.js"), import("../apply/pictures.js")]);
  if (now.isWhereItWas && next.canMorph && morph(before.html, now.html)) {
    await showAgain();
    return { outcome: "changed", now: next };
  }
  return reloadOrWait(before, version);
}

/**
 * Whether a page says something else, and not only what it says anew each time.
 * @param {string} before
 * @param {string} now
 */
async function isOther(before, now) {
  const again = [(await ask())?.html ?? now];
  const outcome = compareTexts(before, now, again);
  if (outcome !== "perhaps") return outcome === "changed";
  await new Promise((resolve) => setTimeout(resolve, SECOND));
  again.push((await ask())?.html ?? now);
  return compareTexts(before, now, again) !== "same";
}

/** The page as the server makes it now; undefined if it does not answer. */
async function ask() {
  const url = new URL(address);
  url.searchParams.set(SOURCE, "");
  try {
    const response = await fetch(url, { headers: { accept: "text/html" }, cache: "no-store" });
    const status = statusOf(response);
    if (status >= 502 && status <= 504) return undefined;
    return { status, html: decode(await response.arrayBuffer()), isWhereItWas: !response.redirected };
  } catch {
    return undefined;
  }
}

/** @param {ArrayBuffer} bytes */
function decode(bytes) {
  return new TextDecoder(document.characterSet).decode(bytes);
}

/** @param {string} html */
async function canMorph(html) {
  return mayMorph() && (await import("../apply/morph/plan.js")).canMorph(html);
}

/** Whether the page that is shown is the server's page for an error. */
function wasBroken() {
  const [entry] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return (entry?.responseStatus ?? 200) >= 500;
}

/**
 * Says that the server has an error where this page was, until it has none.
 * @param {{ status: number, html: string }} now
 */
async function showTrouble({ status, html }) {
  const isNow = status >= 500 && !wasBroken();
  if (!isNow && !isBroken) return;
  isBroken = isNow;
  const { note } = await import("../ui/overlay.js");
  // Not by a parser, which a page that wants trusted types forbids.
  const title = /<title[^>]*>([^<]*)/i.exec(html)?.[1].trim().replace(/&(#39|quot|lt|gt|amp);/g, (_, name) => /** @type {any} */ (ENTITIES)[name]);
  const message = `The server answers ${status}${title ? `: ${title}` : ""}. This page stays as it was until that is over.`;
  const path = `${pathIn(new URL(address))} (${status})`;
  // All numbers are of one place.
  await note({ event: isNow ? "problem" : "message", path: isNow ? path : shown ?? path, version: "", message, link: address });
  shown = isNow ? path : undefined;
}

/** @type {string | undefined} where trouble is shown */
let shown;

/**
 * The page is another one, and has to be loaded again; if that was done too often, only if it is still another one later.
 * @param {Source} before
 * @param {string} version
 * @returns {Promise<{ outcome: Outcome, now: Source | undefined }>}
 */
async function reloadOrWait(before, version) {
  const wait = pauseBeforeReload();
  if (wait <= 0) return { outcome: "reload", now: { ...before, version } };
  await new Promise((resolve) => setTimeout(resolve, wait));
  return compare(before, version);
}

/** How long the page has to wait before it is loaded again because it is another one, in milliseconds. If not at all, that is noted. */
function pauseBeforeReload() {
  try {
    const { url, times } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    const recent = url === location.href ? times.filter((/** @type {number} */ time) => Date.now() - time < WITHIN) : [];
    if (recent.length >= RELOADS) return recent[0] + WITHIN - Date.now();
    sessionStorage.setItem(KEY, JSON.stringify({ url: location.href, times: [...recent, Date.now()] }));
  } catch {
    // A browser that keeps nothing.
  }
  return 0;
}

/** @param {string} url */
function withoutHash(url) {
  return url.split("#")[0];
}
