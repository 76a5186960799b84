// What this page uses and reads, and the version that it has of each file. The stream itself is one for all tabs; see
// `worker.js`.
// @ts-check

import { isAnswer, servers } from "../paths.js";

/**
 * @typedef {import("../protocol.js").Update} Update
 *
 * @typedef {{ url: string, version: string | null, used: boolean, readers: Set<(update: Update) => void>,
 *   latest?: Update }} File
 */

/** The version of what tabs and worker say to each other. See `protocol.d.ts`. */
const PROTOCOL = 3;

/** How long to wait for more files before they are asked for, in milliseconds. A page loads many at once. */
const GATHER = 20;

/** How long a page that was about to go waits before it takes part again, in milliseconds. */
const STAY = 1000;

/** @type {Map<string, File>} by the path as people write it, not percent-encoded */
const files = new Map();

/** @type {(update: Update) => void} */
let onUpdate = () => {};
/** @type {(burst: boolean) => void} */
let onBurst = () => {};
/** @type {(update: Update) => void} */
let onNews = () => {};

/** @type {MessagePort | undefined} the way to the stream */
let port;
/** Whether the stream is this page's own, because it can't be shared. */
let isAlone = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * The page has loaded this version of a file and wants to know when it is another one.
 * @param {string} url the path, percent-encoded
 * @param {string | null} version null where the browser does not tell
 */
export function use(url, version) {
  const file = fileAt(url);
  if (!file) return;
  const isNew = !file.used;
  file.used = true;
  file.version = version ?? file.version;
  if (isNew && file.readers.size === 0) ask(GATHER);
}

/**
 * The page has no use for a file any more.
 * @param {string} url the path, percent-encoded
 */
export function leaveOut(url) {
  const file = fileAt(url);
  if (!file?.used) return;
  file.used = false;
  ask(GATHER);
}

/**
 * Calls `reader` with the contents now and whenever they change.
 * @param {string} url the path, percent-encoded
 * @param {(update: Update) => void} reader
 * @returns {() => void} stops it
 */
export function read(url, reader) {
  const file = fileAt(url);
  if (!file) throw new TypeError(`savecast: ${url} is no path of a file`);
  if (file.latest) queueMicrotask(() => file.readers.has(reader) && file.latest && reader(file.latest));
  if (file.readers.size === 0) ask(GATHER);
  file.readers.add(reader);
  return () => {
    file.readers.delete(reader);
    if (file.readers.size > 0) return;
    file.latest = undefined;
    ask(GATHER);
  };
}

/**
 * Calls `handler` with what happens to files that the page uses; `burst` when many files begin to change at once, and when
 * that is over; and `news` with whatever happens to a file that the page uses or reads.
 * @param {(update: Update) => void} handler
 * @param {(burst: boolean) => void} burst
 * @param {(update: Update) => void} news
 * @param {(url: URL) => string | URL} [trust] makes of the URL of our worker what the page takes
 */
export function listen(handler, burst, news, trust = (url) => url) {
  onUpdate = handler;
  onBurst = burst;
  onNews = news;
  // A page in the back/forward cache wants nothing, until it is back.
  addEventListener("pagehide", leave);
  // With the last page, browsers put the shared worker to sleep before it could hear of that. So it is told before: it is
  // not too bad if the page stays after all, as it does when the link leads to a download.
  addEventListener("beforeunload", () => {
    leave();
    ask(STAY);
  });
  addEventListener("pageshow", (event) => event.persisted && ask(0));
  // A machine that wakes up, or finds its network again, should not wait for the next try.
  addEventListener("online", () => port?.postMessage({ retry: true }));
  document.addEventListener("visibilitychange", () => {
    // A browser has few connections to one server, so a tab that has one of its own leaves it to those who are seen.
    if (isAlone && document.visibilityState === "hidden") leave();
    else if (document.visibilityState === "visible") isAlone ? ask(0) : port?.postMessage({ retry: true });
  });
  share(trust);
}

/**
 * Finds the stream that all tabs share.
 * @param {(url: URL) => string | URL} trust
 */
function share(trust) {
  try {
    // Tabs of a newer server may meet the worker of an older one.
    const worker = new SharedWorker(trust(new URL("worker.js", import.meta.url)), { type: "module", name: `savecast ${PROTOCOL}` });
    // A policy of the page may forbid it.
    worker.addEventListener("error", () => isAlone || beAlone());
    connect(worker.port);
  } catch {
    beAlone();
  }
}

/** Opens a stream for this page, where browsers have no shared workers, or do not allow them here. */
async function beAlone() {
  isAlone = true;
  const { accept } = await import("./worker.js");
  const { port1, port2 } = new MessageChannel();
  accept(port2);
  connect(port1);
}

/** @param {MessagePort} to */
function connect(to) {
  port = to;
  to.onmessage = ({ data }) => {
    const { updates, burst, refused, reload } = /** @type {import("../protocol.js").WorkerMessage} */ (data);
    if (refused) console.error(`savecast: this page is not live: ${refused.trim()}`);
    if (reload) onUpdate({ event: "reload", path: "", version: "" });
    if (burst) onBurst(true);
    for (const update of updates) take(update);
    if (!burst) onBurst(false);
    to.postMessage({ ready: true });
  };
  ask(0);
}

function leave() {
  clearTimeout(timer);
  timer = undefined;
  port?.postMessage({ wishes: null });
}

/** @param {number} wait */
function ask(wait) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!isAlone || document.visibilityState !== "hidden") port?.postMessage({ wishes: wishes(), servers, page: location.pathname, since: Math.round(performance.timeOrigin) });
  }, wait);
}

/** @param {string} url */
function fileAt(url) {
  let path;
  try {
    path = isAnswer(url) ? url : decodeURIComponent(url);
  } catch {
    return undefined; // The server does not know it either.
  }
  let file = files.get(path);
  if (!file) files.set(path, (file = { url, version: null, used: false, readers: new Set() }));
  return file;
}

/** What the page uses and reads, each with the version that it has. */
function wishes() {
  /** @type {import("../protocol.js").Wishes} */
  const wishes = { uses: {}, reads: {} };
  for (const file of files.values()) {
    if (file.readers.size > 0) wishes.reads[file.url] = file.latest?.version ?? null;
    else if (file.used) wishes.uses[file.url] = file.version;
  }
  return wishes;
}

/** @param {Update} update */
function take(update) {
  const file = files.get(update.path);
  if (!file) return;
  // It may have been told in the words of a wish before the present one: of a file that is read by now only that it has
  // changed, of one that is read no more its contents.
  if (file.readers.size > 0) {
    if (update.event === "change" || update.version === file.latest?.version) return;
    file.latest = update;
    if (update.event === "message") file.version = update.version;
    onNews(update);
    for (const reader of [...file.readers]) reader(update);
  } else if (file.used && update.event !== "message") {
    onNews(update);
    if (update.version === file.version) return;
    // While a file is gone or broken, the page still has what it has loaded. If just that comes back, nothing has changed.
    if (update.event === "change") file.version = update.version;
    onUpdate(update);
  }
}
