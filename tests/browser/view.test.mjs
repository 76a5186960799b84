// Files that somebody opens in a tab: shown as the browser would, and live.
import assert from "node:assert/strict";
import { appendFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { documentOf, valuesIn } from "../../static/ui/json.js";
import { eventually, openBrowser, serve, siteWith } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

async function open(test, name, content) {
  const site = await siteWith(test, { [name]: content });
  const server = await serve(test, site);
  await page.leave();
  await page.open(`${server.url}/${name}`);
  await page.isLive(server);
  await page.mark();
  return { site, server };
}

/** For looking at: `SHOTS=folder`. */
async function shot(name) {
  if (process.env.SHOTS) await writeFile(path.join(process.env.SHOTS, `${name}.png`), Buffer.from(await page.screenshot(), "base64"));
}

test("values are found where they are written", () => {
  const json = ' { "a" : [1.0, -0, 1e400, "x]\\"" ], "b\\\\" : { } , "c":true, "d" : null }\n';
  const root = documentOf(json);
  const found = [...valuesIn(json, root)].map(({ key, from, to }) => [key, json.slice(from, to)]);
  assert.deepEqual(found, [['"a"', '[1.0, -0, 1e400, "x]\\"" ]'], ['"b\\\\"', "{ }"], ['"c"', "true"], ['"d"', "null"]]);
  const [list] = [...valuesIn(json, root)];
  assert.deepEqual([...valuesIn(json, list)].map(({ from, to }) => json.slice(from, to)), ["1.0", "-0", "1e400", '"x]\\""']);
  assert.deepEqual([...valuesIn("[]", documentOf("[]"))], []);
  assert.deepEqual(documentOf(" 12 "), { key: null, from: 1, to: 3 });
});

test("JSON is readable, can be folded, and stays so after a save", async (test) => {
  const json = (n) => `{ "n": ${n}, "big": 12345678901234567890, "list": [[1], [2, 3]], "name": "<b>" }`;
  const { site, server } = await open(test, "data.json", json(1));
  const leaves = () => page.run(() => [...document.querySelectorAll(".json div")].map((leaf) => leaf.textContent));
  await eventually(leaves, (all) => all.includes('"n": 1') && all.includes('"big": 12345678901234567890') && all.includes('"name": "<b>"'));
  await page.run(() => document.querySelector("details details").open = true);
  await eventually(() => page.run(() => document.querySelectorAll("details details details").length), (count) => count === 2);
  await shot("json");
  await site.write("data.json", json(2));
  await eventually(leaves, (all) => all.includes('"n": 2'));
  assert.equal(await page.run(() => document.querySelector("details details").open), true);
  // Programs get what was written.
  assert.equal(await (await fetch(`${server.url}/data.json`)).text(), json(2));
  assert.equal(await page.run(async () => (await fetch("data.json")).text()), json(2));
  await site.write("data.json", "{ broken");
  // The last good document stays.
  await eventually(() => page.run(() => document.querySelector("savecast-problems") !== null));
  assert.ok((await leaves()).includes('"n": 2'));
  await site.write("data.json", json(3));
  await eventually(leaves, (all) => all.includes('"n": 3'));
  assert.ok(await page.isMarked());
});

test("text and logs are followed", async (test) => {
  const { site } = await open(test, "notes.md", "# One\n");
  await eventually(() => page.text("pre"), (text) => text === "# One\n");
  await site.write("notes.md", "# Two\n<b>");
  await eventually(() => page.text("pre"), (text) => text === "# Two\n<b>");
  assert.ok(await page.isMarked());

  const lines = Array.from({ length: 500 }, (_, number) => `line ${number}\n`).join("");
  const log = await open(test, "server.log", lines);
  const isAtEnd = () => page.run(() => scrollY > 0 && scrollY + document.documentElement.clientHeight >= document.documentElement.scrollHeight - 4);
  await eventually(() => page.text("pre"), (text) => text === lines);
  await eventually(isAtEnd);
  await appendFile(path.join(log.site.root, "server.log"), "one more\n");
  await eventually(() => page.text("pre"), (text) => text.endsWith("one more\n"));
  await eventually(isAtEnd);
  await page.run(() => scrollTo(0, 10));
  await appendFile(path.join(log.site.root, "server.log"), "and more\n");
  await eventually(() => page.text("pre"), (text) => text.endsWith("and more\n"));
  assert.equal(await page.run(() => scrollY), 10);
  await log.site.write("server.log", "anew\n");
  await eventually(() => page.text("pre"), (text) => text === "anew\n");
  assert.ok(await page.isMarked());
  await shot("log");
});

test("pictures and drawings are replaced", async (test) => {
  const drawing = (width) => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="10"><script>document.documentElement.dataset.ran = 1</script><rect width="${width}" height="10"/></svg>`;
  const { site } = await open(test, "drawing.svg", drawing(10));
  const inside = () => page.run(() => [...document.querySelectorAll("iframe")].map((frame) => [frame.contentDocument?.documentElement?.getAttribute("width"), frame.contentDocument?.documentElement?.dataset?.ran]));
  await eventually(inside, (frames) => frames.join() === "10,1");
  await site.write("drawing.svg", drawing(20));
  await eventually(inside, (frames) => frames.join() === "20,1");
  assert.ok(await page.isMarked());
  // The smallest picture of this form, and one that is twice as wide.
  const picture = (width) => Buffer.from(`474946383961${width}000100800000000000ffffff21f90400000000002c00000000010001000002024401003b`, "hex");
  const gif = await open(test, "photo.gif", picture("01"));
  await eventually(() => page.run(() => document.title), (title) => title === "photo.gif (1 × 1)");
  await gif.site.write("photo.gif", picture("02"));
  await eventually(() => page.run(() => document.title), (title) => title === "photo.gif (2 × 1)");
  assert.ok(await page.isMarked());
});

test("five megabytes are no burden", async (test) => {
  const rows = (first) => `[\n${[first, ...Array(60_000).keys()].map((id) => JSON.stringify({ id, name: `row number ${id}`, values: [1.5, 2.25, id], text: "x".repeat(30) })).join(",\n")}\n]`;
  const { site } = await open(test, "large.json", rows(-1));
  await eventually(() => page.run(() => document.querySelectorAll("details details").length), (count) => count === 200);
  const start = performance.now();
  await site.write("large.json", rows(-2));
  await eventually(() => page.run(() => document.querySelector("details details .preview").textContent), (text) => text.includes('"id":-2'));
  test.diagnostic(`${rows(-1).length} bytes of JSON shown again in ${Math.round(performance.now() - start)} ms`);
  await page.run(() => document.querySelector(".json > details > button").click());
  assert.equal(await page.run(() => document.querySelectorAll(".json > details > details").length), 401);
  const text = await open(test, "large.txt", "line of text\n".repeat(400_000));
  await eventually(() => page.run(() => document.querySelector("pre")?.textContent.length), (length) => length === 5_200_000);
  const again = performance.now();
  await appendFile(path.join(text.site.root, "large.txt"), "end");
  await eventually(() => page.run(() => document.querySelector("pre").textContent.endsWith("end")));
  test.diagnostic(`5,200,000 bytes of text shown again in ${Math.round(performance.now() - again)} ms`);
});
