// The page of a directory: sorted, filtered, walked by keyboard, and live.
import assert from "node:assert/strict";
import { mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { eventually, openBrowser, serve, siteWith } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** Opens the page of `d/`, with these files in it. */
async function open(test, files) {
  const site = await siteWith(test, { other: "" });
  await mkdir(path.join(site.root, "d"));
  for (const [name, content] of Object.entries(files)) await site.write(`d/${name}`, content);
  const server = await serve(test, site);
  await page.leave();
  await page.open(`${server.url}/d/`);
  await page.isLive(server);
  await page.mark();
  return { site, server };
}

/** Files of these names. */
const files = (...names) => Object.fromEntries(names.map((name) => [name, "x"]));
const numbered = (count) => files(...Array.from({ length: count }, (_, number) => `file${number}.txt`));

const names = () => page.run(() => [...document.querySelectorAll("tbody a")].map((link) => link.textContent));
const namesAre = (...expected) => eventually(names, (found) => found.join() === expected.join(), `names, not ${expected.join()}`);
const click = (column) => page.run((column) => document.querySelectorAll("th button")[column].click(), column);
const orders = () => page.run(() => [...document.querySelectorAll("th")].map((heading) => heading.getAttribute("aria-sort")));
const press = (key, options = {}) =>
  page.run((key, options) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options });
    return document.activeElement.dispatchEvent(event);
  }, key, options);
const focused = () => page.run(() => document.activeElement.localName + (document.activeElement.localName === "a" ? ` ${document.activeElement.textContent}` : ""));
const type = (text) =>
  page.run((text) => {
    const field = document.querySelector("input");
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, text);

test("entries are sorted by name, size and time, directories first", async (test) => {
  const { site } = await open(test, { "b10.txt": "1", "b9.txt": "333", "a.txt": "22", "z/one": "", "Y/one": "" });
  for (const [name, time] of [["a.txt", 2], ["b9.txt", 1], ["b10.txt", 3]]) await utimes(path.join(site.root, "d", name), time, time);
  await namesAre("Y/", "z/", "a.txt", "b9.txt", "b10.txt");
  assert.deepEqual(await orders(), ["ascending", null, null]);
  await click(0);
  await namesAre("z/", "Y/", "b10.txt", "b9.txt", "a.txt");
  assert.deepEqual(await orders(), ["descending", null, null]);
  await click(1);
  await namesAre("Y/", "z/", "b10.txt", "a.txt", "b9.txt");
  await click(1);
  await namesAre("Y/", "z/", "b9.txt", "a.txt", "b10.txt");
  assert.deepEqual(await orders(), [null, "descending", null]);
  // The times were set while the page was open.
  await click(2);
  await namesAre("Y/", "z/", "b9.txt", "a.txt", "b10.txt");
  await click(2);
  await namesAre("Y/", "z/", "b10.txt", "a.txt", "b9.txt");
  assert.ok(await page.isMarked());
  assert.deepEqual(await page.console(), []);
});

test("the order stays when the directory changes, and when the page is loaded again", async (test) => {
  const { site } = await open(test, { a: "1", b: "22", c: "333" });
  await click(1);
  await click(1);
  await namesAre("c", "b", "a");
  await site.write("d/between", "22");
  await namesAre("c", "b", "between", "a");
  await page.run(() => [...document.querySelectorAll("tbody a")].find((link) => link.textContent === "a").focus());
  await site.write("d/a", "4444");
  await namesAre("a", "c", "b", "between");
  // It goes where its entry goes.
  assert.equal(await focused(), "a a");
  assert.equal(await page.text("tbody tr:first-child data"), "4 B");
  await rm(path.join(site.root, "d/c"));
  await namesAre("a", "b", "between");
  assert.ok(await page.isMarked());
  await page.run(() => location.reload());
  await eventually(async () => !(await page.isMarked()));
  await namesAre("a", "b", "between");
  assert.deepEqual(await orders(), [null, "descending", null]);
  // And elsewhere in this tab.
  await page.run(() => document.querySelector("h1 a").click());
  await namesAre("d/", "other");
  assert.deepEqual(await orders(), [null, "descending", null]);
  await click(0);
});

test("a filter shows the names with all of its words", async (test) => {
  const { site } = await open(test, { ...numbered(10), "Notes.md": "x" });
  await type("NOTE");
  await namesAre("Notes.md");
  assert.equal(await page.text("output"), "1 of 11");
  await type("txt 3");
  await namesAre("file3.txt");
  // It holds for what comes, too.
  await site.write("d/file33.txt", "x");
  await site.write("d/other.txt", "x");
  await site.write("d/file34.txt", "x");
  await namesAre("file3.txt", "file33.txt", "file34.txt");
  assert.equal(await page.run(() => document.querySelector("input").value), "txt 3");
  assert.ok(await page.isMarked());
  await page.run(() => location.reload());
  await eventually(async () => !(await page.isMarked()));
  await namesAre("file3.txt", "file33.txt", "file34.txt");
  await press("/");
  assert.equal(await focused(), "input");
  await press("Escape");
  await eventually(names, (names) => names.length === 14);
  assert.equal(await page.text("output"), "");
  await type("nothing is called so");
  await namesAre();
});

test("few entries need no filter, until there are more", async (test) => {
  const { site } = await open(test, numbered(10));
  const isShown = () => page.run(() => document.querySelector("input").checkVisibility());
  assert.equal(await isShown(), false);
  await press("/");
  assert.equal(await focused(), "body");
  await site.write("d/another", "x");
  await eventually(isShown);
  assert.ok(await page.isMarked());
});

test("the keyboard leads through the entries, and out of the directory", async (test) => {
  const { site, server } = await open(test, { ...numbered(11), "sub/a": "x" });
  await press("ArrowDown");
  assert.equal(await focused(), "a sub/");
  await press("ArrowDown");
  await press("ArrowDown");
  assert.equal(await focused(), "a file1.txt");
  await press("ArrowUp");
  assert.equal(await focused(), "a file0.txt");
  // The focus stays where rows come, and goes to the next row where one goes.
  await site.write("d/aaa.txt", "x");
  await eventually(names, (names) => names[1] === "aaa.txt");
  assert.equal(await focused(), "a file0.txt");
  await rm(path.join(site.root, "d/file0.txt"));
  await eventually(names, (names) => !names.includes("file0.txt"));
  assert.equal(await focused(), "a file1.txt");
  await press("ArrowUp");
  await press("ArrowUp");
  await press("ArrowUp");
  assert.equal(await focused(), "input");
  await press("ArrowUp");
  assert.equal(await focused(), "input");
  await press("ArrowDown");
  assert.equal(await focused(), "a sub/");
  // A field keeps its keys.
  await press("/");
  assert.equal(await press("Backspace"), true);
  await press("Escape");
  assert.equal(await focused(), "body");
  await press("Backspace");
  const url = () => page.run(() => location.href);
  await eventually(url, (url) => url === `${server.url}/`);
  await page.open(`${server.url}/d/sub/`);
  await press("ArrowUp", { altKey: true });
  await eventually(url, (url) => url === `${server.url}/d/`);
  // What is typed is looked for, and opened.
  await type("file10");
  await page.run(() => document.querySelector("input").focus());
  await press("Enter");
  await eventually(url, (url) => url === `${server.url}/d/file10.txt`);
});

test("a README is shown, as text, and as it is saved", async (test) => {
  const { site } = await open(test, { "README.md": "\n# One\n<b>&amp;</b>\n", a: "x" });
  const readme = () => page.text("#readme pre");
  assert.equal(await readme(), "\n# One\n<b>&amp;</b>\n");
  assert.equal(await page.text("#readme h2"), "README.md");
  // Of the same size and time, so that the listing has no other version: the README itself is followed.
  const file = path.join(site.root, "d/README.md");
  await utimes(file, 1000, 1000);
  await eventually(() => page.run(() => document.querySelector("tbody tr:last-child time").dateTime), (time) => time === "1970-01-01T00:16:40Z");
  await writeFile(path.join(site.root, "new"), "\n# Two\n<b>&amp;</b>\n");
  await utimes(path.join(site.root, "new"), 1000, 1000);
  await rename(path.join(site.root, "new"), file);
  await eventually(readme, (text) => text === "\n# Two\n<b>&amp;</b>\n");
  for (const text of ["three", "four"]) {
    await site.write("d/README.md", text);
    await eventually(readme, (shown) => shown === text);
  }
  const isGone = (text) => text === null || text === undefined;
  await site.remove("d/README.md");
  await eventually(readme, isGone);
  await site.write("d/README.txt", "five");
  await eventually(readme, (text) => text === "five");
  await site.write("d/README.txt", "six");
  await eventually(readme, (text) => text === "six");
  assert.ok(await page.isMarked());
  // What is no text is not shown.
  await site.write("d/README.txt", Buffer.from([0xff, 0]));
  await eventually(readme, isGone);
});

test("an empty directory shows its first entry, and an index takes the place of the entries", async (test) => {
  const { site } = await open(test, {});
  assert.match(await page.text("main"), /Nothing is here yet/);
  await site.write("d/a", "x");
  await namesAre("a");
  await site.write("d/index.html", "<p>Index");
  await eventually(() => page.text("p"), (text) => text === "Index");
});

test("scroll positions stay where rows come and go", async (test) => {
  const { site } = await open(test, numbered(300));
  const top = () => page.run(() => Math.round([...document.querySelectorAll("tbody a")].find((link) => link.textContent === "file200.txt").getBoundingClientRect().top));
  await page.run(() => scrollTo(0, 6000));
  const before = await top();
  await site.write("d/a-new-one.txt", "x");
  await eventually(names, (names) => names[0] === "a-new-one.txt");
  await eventually(top, (now) => Math.abs(now - before) <= 1);
  assert.ok(await page.isMarked());
});

test("ten thousand entries are no burden", async (test) => {
  const { site } = await open(test, numbered(10_000));
  const timed = (code, ...args) =>
    page.run(`async (...args) => {
      const start = performance.now();
      (${code})(...args);
      document.body.offsetHeight;
      const end = performance.now();
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return [Math.round(end - start), Math.round(performance.now() - start)];
    }`, ...args);
  const sorted = (column) => document.querySelectorAll("th button")[column].click();
  const rows = () => page.run(() => document.querySelectorAll("tbody tr").length);
  // Not all of them are in the page, but those that may be seen.
  assert.ok((await rows()) < 3000);
  const filtered = (text) => {
    const field = document.querySelector("input");
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const show = async (what, ...call) => {
    const [script, frame] = await timed(...call);
    test.diagnostic(`${what}: ${script} ms, ${frame} ms to the next frame`);
    // It takes a tenth of this. The rest is for machines that are busy.
    assert.ok(script < 2000, `${what}: ${script} ms`);
  };
  for (const call of [
    ["sorted by name, descending", sorted, 0], ["by time", sorted, 2], ["by size", sorted, 1], ["by name", sorted, 0],
    ["filtered by 9", filtered, "9"], ["by 99", filtered, "99"], ["by 999", filtered, "999"], ["by nothing", filtered, ""],
  ]) await show(...call);
  const toEnd = () => page.run(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }));
  await eventually(async () => (await toEnd(), rows()), (rows) => rows === 10_000);
  await show("sorted when all of them are in the page", sorted, 0);
  await show("and again by name", sorted, 0);
  const start = performance.now();
  await site.write("d/a-new-one.txt", "x");
  await eventually(() => page.text("tbody a"), (name) => name === "a-new-one.txt");
  test.diagnostic(`a new entry shown after ${Math.round(performance.now() - start)} ms`);
  assert.ok(await page.isMarked());
});
