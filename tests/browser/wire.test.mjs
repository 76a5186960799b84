// The wire format, as clients see it that are not ours.
import assert from "node:assert/strict";
import { test } from "node:test";

import { EventSource } from "eventsource";

import { serve, siteWith } from "./support.mjs";

/** Opens a stream; `next()` waits for an event of any kind. */
function open(test, url) {
  const source = new EventSource(url);
  test.after(() => source.close());
  const events = [], waiting = [];
  const take = (event) => (waiting.shift() ?? ((event) => events.push(event)))(event);
  for (const name of ["message", "problem", "removed", "end"]) source.addEventListener(name, take);
  return { source, next: () => events.length ? Promise.resolve(events.shift()) : new Promise((resolve) => waiting.push(resolve)) };
}

test("text arrives as it was written", { timeout: 20_000 }, async (test) => {
  const site = await siteWith(test, { "a.txt": "start" });
  const server = await serve(test, site);
  const stream = open(test, `${server.url}/a.txt`);
  assert.equal((await stream.next()).data, "start");
  for (const [text, expected] of [
    ["a\nb\n\nc\n", "a\nb\n\nc\n"],
    ["a\r\nb\rc", "a\nb\nc"],
    [" leading space\n: colon\ndata: field\nid: 1\n\nevent: x", " leading space\n: colon\ndata: field\nid: 1\n\nevent: x"],
    ["\n", "\n"],
    ["\u2028é😀", "\u2028é😀"],
    ["x".repeat(1 << 20), "x".repeat(1 << 20)],
  ]) {
    await site.replace("a.txt", text);
    assert.equal((await stream.next()).data, expected);
  }
});

test("events have names, and ids that resume after a restart", { timeout: 20_000 }, async (test) => {
  const site = await siteWith(test, { "a.json": "{ \"a\": 1.0 }" });
  let server = await serve(test, site);
  const stream = open(test, `${server.url}/a.json`);
  const first = await stream.next();
  assert.equal(first.data, '{"a":1.0}');
  assert.match(first.lastEventId, /^[0-9a-f]{32}$/);

  await site.write("a.json", "{");
  const problem = await stream.next();
  assert.deepEqual([problem.type, JSON.parse(problem.data).path], ["problem", "/a.json"]);
  await site.write("a.json", "[1]");
  assert.equal((await stream.next()).data, "[1]");

  await server.stop();
  assert.deepEqual([(await stream.next()).type], ["end"]);
  server = await serve(test, site, server.port);
  // Connected again by itself, it gets what is new and nothing else.
  await new Promise((resolve) => stream.source.addEventListener("open", resolve, { once: true }));
  await site.write("a.json", "[2]");
  assert.equal((await stream.next()).data, "[2]");
});
