// The stream of all tabs and a tab's part in it, without a browser: what is asked for, and what comes of what is told.
// `fetch` and the ports are ours here.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** The streams that were opened, in order. */
let streams;
/** @type {typeof import("../../static/stream/worker.js")} */
let stream;
let modules = 0;

beforeEach(async () => {
  streams = [];
  globalThis.addEventListener = () => {};
  globalThis.document = { addEventListener() {}, querySelectorAll: () => [] };
  globalThis.location = { pathname: "/" };
  globalThis.fetch = (url, { body, signal }) => new Promise((resolve, reject) => {
    if (String(url).endsWith("/tabs")) return resolve(new Response(null, { status: 204 }));
    if (JSON.parse(body).over) return resolve(new Response(null, { status: 204 }));
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const opened = {
      wishes: (({ uses, reads }) => ({ uses, reads }))(JSON.parse(body)),
      aborted: false,
      answer: () => resolve(new Response(readable)),
      tell: (event, data) => writer.write(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)),
    };
    signal.addEventListener("abort", () => {
      opened.aborted = true;
      reject(signal.reason);
    });
    streams.push(opened);
  });
  // A module of its own for each test, because it keeps the state of a browser.
  stream = await import(`../../static/stream/worker.js?${modules++}`);
});

/** Waits until this many streams were opened, and answers the last one. */
async function opened(count) {
  await until(() => streams.length >= count);
  streams[count - 1].answer();
  return streams[count - 1];
}

/** Waits until a stream was opened for this, and answers all on the way there. */
async function openedFor(uses, reads) {
  for (let count = 1; ; count++) {
    const stream = await opened(count);
    if (JSON.stringify(stream.wishes) === JSON.stringify({ uses, reads })) return stream;
  }
}

async function until(wish) {
  while (!wish()) await new Promise(setImmediate);
}

/** Both ends of a port. */
function ports() {
  const [one, other] = [{ addEventListener() {} }, { addEventListener() {} }];
  one.postMessage = (data) => queueMicrotask(() => other.onmessage?.({ data: structuredClone(data) }));
  other.postMessage = (data) => queueMicrotask(() => one.onmessage?.({ data: structuredClone(data) }));
  return [one, other];
}

/** A tab with the client in it, and what it was told of the files that it uses. */
async function tab() {
  const updates = [];
  globalThis.SharedWorker = class {
    constructor() {
      const [here, there] = ports();
      stream.accept(there);
      this.port = here;
    }
    addEventListener() {}
  };
  /** @type {typeof import("../../static/stream/connection.js")} */
  const connection = await import(`../../static/stream/connection.js?${modules++}`);
  connection.listen((update) => updates.push(update), () => {}, () => {});
  return { ...connection, updates };
}

/** A tab that deals with what it is told when the test says so. */
function slowTab(wishes) {
  const [here, there] = ports();
  const messages = [];
  stream.accept(there);
  here.onmessage = ({ data }) => messages.push(data);
  here.postMessage({ wishes });
  return { messages, say: (word) => here.postMessage(word) };
}

test("a page asks for what it uses and reads, with the versions that it has", async () => {
  const page = await tab();
  page.use("/a%20b.css", "v1");
  page.read("/c.json", () => {});
  assert.deepEqual((await opened(1)).wishes, { uses: { "/a%20b.css": "v1" }, reads: { "/c.json": null } });
});

test("what a reader has is known to the next stream, and what the page has to the one after it", async () => {
  const page = await tab();
  page.use("/c.json", "v1");
  let stop;
  const read = new Promise((resolve) => (stop = page.read("/c.json", resolve)));
  (await opened(1)).tell("message", { path: "/c.json", version: "v5", document: 5 });
  assert.equal((await read).document, 5);
  page.read("/d.json", () => {});
  assert.deepEqual((await opened(2)).wishes, { uses: {}, reads: { "/c.json": "v5", "/d.json": null } });
  stop();
  assert.deepEqual((await opened(3)).wishes, { uses: { "/c.json": "v5" }, reads: { "/d.json": null } });
});

test("a reader is not told of a change without contents, and still gets them", async () => {
  const page = await tab();
  page.use("/c.json", "v1");
  const before = await opened(1);
  const read = [];
  page.read("/c.json", (update) => read.push(update));
  await before.tell("change", { path: "/c.json", version: "v2" });
  const next = await opened(2);
  assert.deepEqual(next.wishes, { uses: {}, reads: { "/c.json": null } });
  await next.tell("message", { path: "/c.json", version: "v2", document: 2 });
  await until(() => read.length > 0);
  assert.deepEqual(read.map(({ document }) => document), [2]);
  assert.ok(before.aborted && !next.aborted);
});

test("contents that come when nobody reads any more are nobody's business", async () => {
  const page = await tab();
  const stop = page.read("/c.json", () => {});
  const before = await opened(1);
  stop();
  page.use("/a.css", "v1");
  await before.tell("message", { path: "/c.json", version: "v2", document: 2 });
  await (await opened(2)).tell("change", { path: "/a.css", version: "v2" });
  await until(() => page.updates.length > 0);
  assert.deepEqual(page.updates.map(({ path }) => path), ["/a.css"]);
});

test("tabs share a stream, and each hears what concerns it in its own words", async () => {
  const [one, other] = [await tab(), await tab()];
  const read = [];
  one.use("/a.json", "v1");
  other.read("/a.json", (update) => read.push(update.document));
  other.use("/b.css", "v1");
  const both = await openedFor({ "/b.css": "v1" }, { "/a.json": null });
  await both.tell("message", { path: "/a.json", version: "v1", document: 1 });
  await both.tell("message", { path: "/a.json", version: "v2", document: 2 });
  await both.tell("change", { path: "/b.css", version: "v2" });
  await until(() => other.updates.length > 0);
  assert.deepEqual(read, [1, 2]);
  assert.deepEqual(one.updates, [{ event: "change", path: "/a.json", version: "v2" }]);
  assert.deepEqual(other.updates, [{ event: "change", path: "/b.css", version: "v2" }]);
});

test("a tab that comes later is told what is known, without another stream", async () => {
  const one = slowTab({ uses: { "/a.css": "v1" }, reads: { "/a.json": null } });
  await (await opened(1)).tell("message", { path: "/a.json", version: "v1", document: 1 });
  await until(() => one.messages.length > 0);
  const other = slowTab({ uses: { "/a.css": "v1" }, reads: { "/a.json": null } });
  await until(() => other.messages.length > 0);
  assert.deepEqual(other.messages[0].updates.map(({ document }) => document), [1]);
  // A marker: a third tab does need one, and it is the second.
  slowTab({ uses: { "/new.css": "v1" }, reads: {} });
  assert.deepEqual((await opened(2)).wishes, { uses: { "/a.css": "v1", "/new.css": "v1" }, reads: { "/a.json": "v1" } });
});

test("when two tabs have different versions, the server is asked anew, and who is behind is told", async () => {
  const one = await tab();
  one.use("/a.css", "v1");
  await opened(1);
  const other = await tab();
  other.use("/a.css", "v2");
  const next = await opened(2);
  assert.deepEqual(next.wishes, { uses: { "/a.css": "" }, reads: {} });
  await next.tell("change", { path: "/a.css", version: "v2" });
  await until(() => one.updates.length > 0);
  assert.deepEqual(one.updates.map(({ version }) => version), ["v2"]);
  assert.deepEqual(other.updates, []);
});

test("a tab that is busy has no queue and ends on the final content", async () => {
  const slow = slowTab({ uses: {}, reads: { "/a.json": null } });
  const fast = await tab();
  const read = [];
  fast.read("/a.json", (update) => read.push(update.document));
  const both = await opened(1);
  for (const number of [1, 2, 3]) await both.tell("message", { path: "/a.json", version: `v${number}`, document: number });
  await until(() => read.at(-1) === 3);
  assert.deepEqual(slow.messages.flatMap(({ updates }) => updates.map(({ document }) => document)), [1]);
  slow.say({ ready: true });
  await until(() => slow.messages.length === 2);
  assert.deepEqual(slow.messages[1].updates.map(({ document }) => document), [3]);
});

test("with the last tab the stream goes", async () => {
  const one = slowTab({ uses: { "/a.css": "v1" }, reads: {} });
  const other = slowTab({ uses: { "/a.css": "v1" }, reads: {} });
  const both = await opened(1);
  one.say({ wishes: null });
  other.say({ retry: true });
  await new Promise(setImmediate);
  assert.ok(!both.aborted);
  other.say({ wishes: null });
  await until(() => both.aborted);
  assert.equal(streams.length, 1);
});

test("patches become documents, and the document is asked for where one does not fit", async () => {
  const page = await tab();
  const read = [];
  page.read("/a.json", (update) => read.push([update.version, update.document]));
  const first = await opened(1);
  await first.tell("message", { path: "/a.json", version: "v1", document: { a: [1, 2], "b/c": 1 } });
  const patch = [
    { op: "add", path: "/a/1", value: 9 }, { op: "remove", path: "/a/0" }, { op: "replace", path: "/b~1c", value: 2 },
    { op: "add", path: "/__proto__", value: { x: 1 } },
  ];
  await first.tell("patch", { path: "/a.json", version: "v2", before: "v1", patch });
  await until(() => read.length === 2);
  assert.equal(JSON.stringify(read[1]), '["v2",{"a":[9,2],"b/c":2,"__proto__":{"x":1}}]');
  await first.tell("patch", { path: "/a.json", version: "v4", before: "v3", patch: [] });
  const second = await opened(2);
  assert.deepEqual(second.wishes, { uses: {}, reads: { "/a.json": null } });
  await second.tell("message", { path: "/a.json", version: "v4", document: 4 });
  await until(() => read.length === 3);
  assert.deepEqual(read[2], ["v4", 4]);
});
