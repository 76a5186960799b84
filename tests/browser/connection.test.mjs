// The stream of a page, without a browser: what is asked for, and what comes of what is told. `fetch` is ours here.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** The streams that were opened, in order. */
let streams;
/** @type {typeof import("../../static/connection.js")} */
let connection;
/** What the page was told of the files that it uses. */
let updates;
let modules = 0;

beforeEach(async () => {
  streams = [];
  updates = [];
  globalThis.addEventListener = () => {};
  globalThis.document = { addEventListener() {} };
  globalThis.fetch = (_, { body, signal }) => new Promise((resolve, reject) => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const stream = {
      wishes: JSON.parse(body),
      aborted: false,
      answer: () => resolve(new Response(readable)),
      tell: (event, data) => writer.write(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)),
    };
    signal.addEventListener("abort", () => {
      stream.aborted = true;
      reject(signal.reason);
    });
    streams.push(stream);
  });
  // A module of its own for each test, because it keeps the state of a page.
  connection = await import(`../../static/connection.js?${modules++}`);
  connection.listen((update) => updates.push(update), () => {}, () => {});
});

/** Waits until this many streams were opened, and answers the last one. */
async function opened(count) {
  while (streams.length < count) await new Promise(setImmediate);
  streams[count - 1].answer();
  return streams[count - 1];
}

test("a page asks for what it uses and reads, with the versions that it has", async () => {
  connection.use("/a%20b.css", "v1");
  connection.read("/c.json", () => {});
  const stream = await opened(1);
  assert.deepEqual(stream.wishes, { uses: { "/a%20b.css": "v1" }, reads: { "/c.json": null } });
});

test("what a reader has is known to the next stream, and what the page has to the one after it", async () => {
  connection.use("/c.json", "v1");
  const read = new Promise((resolve) => (globalThis.stop = connection.read("/c.json", resolve)));
  (await opened(1)).tell("message", { path: "/c.json", version: "v5", document: 5 });
  assert.equal((await read).document, 5);
  connection.read("/d.json", () => {});
  assert.deepEqual((await opened(2)).wishes, { uses: {}, reads: { "/c.json": "v5", "/d.json": null } });
  globalThis.stop();
  assert.deepEqual((await opened(3)).wishes, { uses: { "/c.json": "v5" }, reads: { "/d.json": null } });
});

test("a reader is not told of a change without contents, and still gets them", async () => {
  connection.use("/c.json", "v1");
  const before = await opened(1);
  const read = [];
  connection.read("/c.json", (update) => read.push(update));
  await before.tell("change", { path: "/c.json", version: "v2" });
  const stream = await opened(2);
  assert.deepEqual(stream.wishes, { uses: {}, reads: { "/c.json": null } });
  await stream.tell("message", { path: "/c.json", version: "v2", document: 2 });
  while (read.length === 0) await new Promise(setImmediate);
  assert.deepEqual(read.map(({ document }) => document), [2]);
  assert.ok(before.aborted && !stream.aborted);
});

test("contents that come when nobody reads any more are nobody's business", async () => {
  const stop = connection.read("/c.json", () => {});
  const stream = await opened(1);
  stop();
  connection.use("/a.css", "v1");
  await stream.tell("message", { path: "/c.json", version: "v2", document: 2 });
  await stream.tell("change", { path: "/a.css", version: "v2" });
  while (updates.length === 0) await new Promise(setImmediate);
  assert.deepEqual(updates.map(({ path }) => path), ["/a.css"]);
});
