// The one stream from the server that carries all that this page uses and reads. It keeps the cursor: the version that
// the page has of each file.
// @ts-check

/**
 * What the server tells of a file. `event` is `message`, `change`, `problem` or `removed`, or a word of a newer server.
 * With `burst`, it tells of no file, but whether many are changing at once.
 * @typedef {{ event: string, path: string, version: string, document?: unknown, text?: string, size?: number,
 *   type?: string, message?: string, line?: number | null, column?: number | null, burst?: boolean }} Update
 *
 * @typedef {{ url: string, version: string | null, used: boolean, readers: Set<(update: Update) => void>,
 *   latest?: Update }} File
 */

/** Not a path, which a `<base>` of the page would lead elsewhere. */
const EVENTS = new URL("events", import.meta.url);

/** How long to wait before the stream is opened again, in milliseconds: at first, and at most. */
const RETRY = 500, RETRY_AT_MOST = 4000;

/** How long to wait for more files before the stream is opened with them, in milliseconds. A page loads many at once. */
const GATHER = 20;

/** @type {Map<string, File>} by the path as people write it, not percent-encoded */
const files = new Map();

/** @type {(update: Update) => void} */
let onUpdate = () => {};
/** @type {(burst: boolean) => void} */
let onBurst = () => {};
/** @type {(update: Update) => void} */
let onNews = () => {};

/** @type {AbortController | undefined} */
let current;
let delay = RETRY;
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
  if (isNew && file.readers.size === 0) open(GATHER);
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
  if (file.readers.size === 0) open(GATHER);
  file.readers.add(reader);
  return () => {
    file.readers.delete(reader);
    if (file.readers.size > 0) return;
    file.latest = undefined;
    open(GATHER);
  };
}

/**
 * Calls `handler` with what happens to files that the page uses; `burst` when many files begin to change at once, and when
 * that is over; and `news` with whatever happens to a file that the page uses or reads.
 * @param {(update: Update) => void} handler
 * @param {(burst: boolean) => void} burst
 * @param {(update: Update) => void} news
 */
export function listen(handler, burst, news) {
  onUpdate = handler;
  onBurst = burst;
  onNews = news;
  // A stream that is open keeps a page out of the back/forward cache, and holds one of few connections.
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open(0));
  // A machine that wakes up, or finds its network again, should not wait for the next try.
  addEventListener("online", () => retryNow());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && retryNow());
  open(0);
}

/** @param {string} url */
function fileAt(url) {
  let path;
  try {
    path = decodeURIComponent(url);
  } catch {
    return undefined; // The server does not know it either.
  }
  let file = files.get(path);
  if (!file) files.set(path, (file = { url, version: null, used: false, readers: new Set() }));
  return file;
}

function close() {
  clearTimeout(timer);
  timer = undefined;
  current?.abort();
  current = undefined;
}

function retryNow() {
  if (!current) open(0);
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
    if (!response.ok || !response.body) throw new Error(`the server answers ${response.status}`);
    delay = RETRY;
    // A stream begins without a burst; the one before may have ended in the middle of one.
    onBurst(false);
    for await (const update of updates(response.body)) {
      if (update.event === "burst") onBurst(update.burst === true);
      else take(update);
    }
  } catch (error) {
    before?.abort();
    if (stream.signal.aborted) return;
  }
  if (stream !== current) return;
  current = undefined;
  open(delay);
  delay = Math.min(delay * 2, RETRY_AT_MOST);
}

/** What the page uses and reads, each with the version that it has. */
function wishes() {
  /** @type {Record<string, string | null>} */
  const uses = {};
  /** @type {Record<string, string | null>} */
  const reads = {};
  for (const file of files.values()) {
    if (file.readers.size > 0) reads[file.url] = file.latest?.version ?? null;
    else if (file.used) uses[file.url] = file.version;
  }
  return { uses, reads };
}

/** @param {Update} update */
function take(update) {
  const file = files.get(update.path);
  if (!file) return;
  // The stream before the present one may still be open, and tells a page in the words of another wish: of a file that is
  // read by now only that it has changed, of one that is read no more its contents.
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

/**
 * Reads server-sent events. Only what our server sends needs to be understood: each event has at most one line of data.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Update>}
 */
async function* updates(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
      const frame = rest.slice(0, end).split("\n");
      const field = (/** @type {string} */ name) => frame.find((line) => line.startsWith(name))?.slice(name.length);
      const data = field("data: ");
      if (data?.startsWith("{")) yield { event: field("event: ") ?? "message", ...JSON.parse(data) };
    }
  }
}
