// The one stream from the server for all tabs of this browser: it carries all that any of them uses or reads. It runs in a
// shared worker, or in the page itself where there is none.
//
// A tab is told the newest state of a file, and only when it has dealt with what it was told before. So a tab that sleeps
// has no queue: it ends on the final content.
// @ts-check

import { encoded, OURS, pathOf, setServers } from "../paths.js";
import { patched } from "./patch.js";
import { eventsIn, tooDeep } from "./sse.js";

/**
 * @typedef {import("../protocol.js").Update} Update
 * @typedef {import("../protocol.js").Wishes} Wishes
 * @typedef {import("../protocol.js").WorkerMessage} WorkerMessage
 *
 * @typedef {{ port: MessagePort, page: string, since: number, uses: Map<string, string | null>, reads: Map<string, string | null>, owed: Set<string>,
 *   burst: boolean, isBusy: boolean, isRefused: boolean }} Tab
 */

/** Not a path, which a `<base>` of the page would lead elsewhere. */
const EVENTS = new URL("events", OURS);

/** Where the server is told which tabs there are. */
const TABS = new URL("tabs", OURS);

/** How long to wait before it is told, in milliseconds. */
const NAME = 100;

/** How long to wait before the stream is opened again, in milliseconds: at first, and at most. */
const RETRY = 500, RETRY_AT_MOST = 4000;

/** How long to wait for more tabs and files before the stream is opened with them, in milliseconds. */
const GATHER = 10;

/** What the server knows us by: a new stream takes the place of the one before, also where a browser does not close it. */
const CLIENT = crypto.getRandomValues(new Uint32Array(4)).join("-");

/** @type {Set<Tab>} */
const tabs = new Set();

/** @type {Map<string, Update>} the newest state of each file that somebody uses or reads, as far as it is known */
const latest = new Map();

/** @type {Set<string>} the files of which a tab has another version than we know, so one of us is behind */
const doubted = new Set();

let burst = false;

/** What the stream was opened for, in words. */
let carried = "";

/** The tabs of which the server knows. */
let named = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let naming;

/** @type {AbortController | undefined} */
let current;
let delay = RETRY;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

if ("onconnect" in globalThis) addEventListener("connect", (event) => accept(/** @type {MessageEvent} */ (event).ports[0]));

/**
 * Serves a tab at the other end.
 * @param {MessagePort} port
 */
export function accept(port) {
  /** @type {Tab} */
  const tab = { port, page: "", since: 0, uses: new Map(), reads: new Map(), owed: new Set(), burst: false, isBusy: false, isRefused: false };
  port.onmessage = ({ data }) => {
    const { wishes, servers, page, since, ready, retry } = /** @type {import("../protocol.js").TabMessage} */ (data);
    if (ready) {
      tab.isBusy = false;
      tell(tab);
    }
    if (servers !== undefined) setServers(servers);
    if (page !== undefined && since !== undefined) [tab.page, tab.since] = [page, since];
    if (wishes) serve(tab, wishes);
    if (wishes === null) leave(tab);
    if (retry && !current && tabs.size > 0) open(0);
  };
  // Where browsers say it, also of tabs that have crashed.
  port.addEventListener("close", () => leave(tab));
}

/**
 * @param {Tab} tab
 * @param {Wishes} wishes
 */
function serve(tab, wishes) {
  tabs.add(tab);
  const byPath = (/** @type {Wishes["uses"]} */ files) => new Map(Object.entries(files).map(([url, version]) => [pathOf(url), version]));
  [tab.uses, tab.reads] = [byPath(wishes.uses), byPath(wishes.reads)];
  for (const [path, version] of tab.uses) {
    const known = latest.get(path);
    if (version === null || version === known?.version) continue;
    // What the tab has is the present state, or else the server says so.
    if (!known) latest.set(path, { event: "change", path, version });
    else if (known.event === "change" || known.event === "message") doubted.add(path);
    else tab.owed.add(path);
  }
  for (const [path, version] of tab.reads) {
    const known = latest.get(path);
    if (known && known.event !== "change" && known.version !== version) tab.owed.add(path);
  }
  if (burst) tab.burst = true;
  tell(tab);
  review();
}

/** @param {Tab} tab */
function leave(tab) {
  if (!tabs.delete(tab)) return;
  if (tabs.size > 0) return review();
  clearTimeout(timer);
  timer = undefined;
  if (current) end(current);
  current = undefined;
  carried = "";
  latest.clear();
  doubted.clear();
}

/**
 * Behind a service worker, Firefox keeps a stream that was aborted. So the server is asked to end it.
 * @param {AbortController} stream
 */
function end(stream) {
  stream.abort();
  const body = JSON.stringify({ client: CLIENT, over: true });
  fetch(EVENTS, { method: "POST", headers: { accept: "text/event-stream" }, body, keepalive: true }).catch(() => {});
}

/** Opens the stream again if the tabs want something else now. */
function review() {
  const { uses, reads } = wanted();
  for (const path of latest.keys()) if (!uses.has(path) && !reads.has(path)) latest.delete(path);
  const wish = JSON.stringify([[...uses], [...reads]]);
  if (wish === carried && doubted.size === 0) return nameTabs();
  carried = wish;
  open(GATHER);
}

/** The paths that tabs use, and those that they read. */
function wanted() {
  const reads = new Set([...tabs].flatMap((tab) => [...tab.reads.keys()]));
  const uses = new Set([...tabs].flatMap((tab) => [...tab.uses.keys()]).filter((path) => !reads.has(path)));
  return { uses, reads };
}

/** Tells the server which pages the stream is for, if that is all that has changed. It shows them to people. */
function nameTabs() {
  naming ??= setTimeout(() => {
    naming = undefined;
    const tabs = pages();
    if (tabs.length === 0 || JSON.stringify(tabs) === named) return;
    named = JSON.stringify(tabs);
    fetch(TABS, { method: "POST", body: JSON.stringify({ client: CLIENT, tabs }), keepalive: true }).catch(() => {});
  }, NAME);
}

/** The pages of the tabs, and since when they are open. */
function pages() {
  return [...tabs].map(({ page, since }) => ({ page, since }));
}

/** @param {number} wait */
function open(wait) {
  clearTimeout(timer);
  timer = setTimeout(connect, wait);
}

async function connect() {
  timer = undefined;
  const before = current;
  const stream = (current = new AbortController());
  named = JSON.stringify(pages());
  try {
    const response = await fetch(EVENTS, {
      method: "POST",
      headers: { accept: "text/event-stream", "content-type": "application/json" },
      body: JSON.stringify(wishes()),
      cache: "no-store",
      signal: stream.signal,
    });
    // The one before was needed until now. What both have told is told once, by its version.
    before?.abort();
    if (response.status === 403) refuse(await response.text());
    if (!response.ok || !response.body) throw new Error(`the server answers ${response.status}`);
    delay = RETRY;
    // A stream begins without a burst; the one before may have ended in the middle of one.
    setBurst(false);
    for await (const event of eventsIn(response.body, stream)) {
      if (event.event === "reload") reloadAll();
      else if ("burst" in event) setBurst(event.burst);
      else take("patch" in event ? whole(event) : /** @type {Update} */ (event));
    }
  } catch {
    before?.abort();
  }
  // Taken over by a newer one, or given up because nobody is here any more.
  if (stream !== current) return;
  current = undefined;
  open(delay);
  delay = Math.min(delay * 2, RETRY_AT_MOST);
}

/**
 * The server does not send events to pages of this origin, and says why. Each tab is told once.
 * @param {string} refused
 */
function refuse(refused) {
  for (const tab of tabs) {
    if (!tab.isRefused) tab.port.postMessage(/** @type {WorkerMessage} */ ({ updates: [], burst, refused }));
    tab.isRefused = true;
  }
}

/** What the server is asked for. */
function wishes() {
  const { uses, reads } = wanted();
  const ask = (/** @type {Set<string>} */ paths, /** @type {(path: string) => string | null} */ versionOf) =>
    Object.fromEntries([...paths].map((path) => [encoded(path), versionOf(path)]));
  return {
    client: CLIENT,
    patches: true,
    tabs: pages(),
    // With no version at all, the state is told in any case.
    uses: ask(uses, (path) => (doubted.has(path) ? "" : (latest.get(path)?.version ?? null))),
    // That it has changed is known, but not to what.
    reads: ask(reads, (path) => (doubted.has(path) || latest.get(path)?.event === "change" ? null : (latest.get(path)?.version ?? null))),
  };
}

/** @param {Update | undefined} update */
function take(update) {
  if (!update) return;
  const { path, event, version } = update;
  const wishing = [...tabs].filter((tab) => tab.uses.has(path) || tab.reads.has(path));
  // The stream before the present one may still be open, and tells in the words of another wish: of a file that is read by
  // now only that it has changed. Its contents will come.
  if (wishing.length === 0 || (event === "change" && wishing.some((tab) => tab.reads.has(path)))) return;
  const known = latest.get(path);
  if (known?.version === version && known.event === event && !doubted.has(path)) return;
  latest.set(path, update);
  doubted.delete(path);
  for (const tab of wishing) {
    tab.owed.add(path);
    tell(tab);
  }
}

/**
 * The document that a patch makes of the one before. Where that can't be, the stream is opened again for it.
 * @param {import("../protocol.js").Patch} told
 * @returns {Update | undefined}
 */
function whole({ path, version, before, patch }) {
  const known = latest.get(path);
  try {
    if (known?.event !== "message" || known.version !== before) throw new Error("it is for another document");
    return { event: "message", path, version, document: patched(known.document, patch) };
  } catch {
    // The stream before the present one may have told it already.
    if (known?.version === version) return undefined;
    doubted.add(path);
    open(0);
  }
}

/** All pages are to be loaded again. */
function reloadAll() {
  for (const tab of tabs) tab.port.postMessage(/** @type {WorkerMessage} */ ({ updates: [], burst, reload: true }));
}

/** @param {boolean} value */
function setBurst(value) {
  if (burst === value) return;
  burst = value;
  for (const tab of tabs) tell(tab);
}

/** @param {Tab} tab */
function tell(tab) {
  if (tab.isBusy || (tab.owed.size === 0 && tab.burst === burst)) return;
  const updates = [...tab.owed].flatMap((path) => inWordsFor(tab, latest.get(path)));
  tab.owed.clear();
  tab.burst = burst;
  tab.isBusy = true;
  post(tab, { updates, burst });
}

/**
 * A document that is nested too deep can't be sent to a tab. It must not keep others from being sent.
 * @param {Tab} tab
 * @param {WorkerMessage} message
 */
function post(tab, message) {
  try {
    tab.port.postMessage(message);
  } catch {
    const updates = message.updates.map((update) => (canBeSent(update) ? update : tooDeep(update)));
    tab.port.postMessage(/** @type {WorkerMessage} */ ({ ...message, updates }));
  }
}

/** @param {Update} update */
function canBeSent(update) {
  try {
    structuredClone(update);
    return true;
  } catch {
    return false;
  }
}

/**
 * Who only uses a file is not told its contents.
 * @param {Tab} tab
 * @param {Update | undefined} update
 * @returns {Update[]}
 */
function inWordsFor(tab, update) {
  if (!update) return [];
  const { event, path, version } = update;
  return event === "message" && !tab.reads.has(path) ? [{ event: "change", path, version }] : [update];
}
