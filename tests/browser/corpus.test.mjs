// An edit is made in place only where the page is then what a fresh load would show. Each page of the corpus is opened, edited
// while it is open, and compared with the edited page opened anew.
import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { HARMLESS } from "./corpus/frame.mjs";
import { PAGES, VENDOR } from "./corpus/pages.mjs";
import { click, ready, snapshot } from "./corpus/snapshot.mjs";
import { DEADLINE, eventually, openBrowser, repository, serve, siteWith } from "./support.mjs";

/** How long a page that is wrong may take to become right, in milliseconds: some scripts do their work a little later. */
const PATIENCE = 1500;

/** How long a client that learns how its page was written may take, in milliseconds. Only waited for once for each page. */
const LEARNING = 300;

/** How many of the harmless edits each page gets. */
const HARMLESS_EACH = 2;

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
let site, server;
const rows = [], wrongs = [];
const closing = [];
before(async () => {
  const until = { after: (close) => closing.push(close) };
  site = await siteWith(until, {});
  await mkdir(path.join(site.root, "vendor"));
  for (const [name, file] of Object.entries(VENDOR)) {
    await copyFile(path.join(repository, "tests/node_modules", file), path.join(site.root, "vendor", name));
  }
  server = await serve(until, site);
  page = await openBrowser(until);
});
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** All edits of a page, each with the files that it changes. */
function editsOf({ html, edits }, number) {
  const harmless = Object.entries(HARMLESS);
  const some = Array.from({ length: HARMLESS_EACH }, (_, index) => harmless[(number + index * 3) % harmless.length]);
  return [...Object.entries(edits), ...some].map(([what, change], index) => {
    if (!Array.isArray(change)) return { what, files: change, isDocument: false };
    let edited = html;
    for (let pair = 0; pair < change.length; pair += 2) {
      assert.ok(edited.includes(change[pair]), `${what}: ${change[pair]}`);
      edited = edited.replace(change[pair], () => change[pair + 1]);
    }
    return { what, files: { "index.html": numbered(edited, index + 1) }, isDocument: true, number: index + 1 };
  });
}

/** A comment says which edit it is, where no script looks. */
function numbered(html, number) {
  return html.replace("<head>", `<head><!--edit ${number}-->`);
}

/** Whether a line of a snapshot is more than the number of an edit. */
function isContent(line) {
  return !/<!--edit \d+-->/.test(line);
}

/** Opens a page and waits until it has done its work. */
async function open(url, { ready: isReady = () => true }) {
  await page.open(server.url + url);
  await page.run(ready, isReady.toString());
}

/** What is seen of a page, without what is another thing at every load. */
async function look(definition, isDocument) {
  const lines = await page.run(snapshot, !isDocument);
  return (definition.random ?? []).reduce((lines, random) => lines.map((line) => line.replace(random, "…")), lines);
}

/** What comes of using the page. */
async function use(definition) {
  const { clicks, probe } = definition;
  if (clicks) await page.run(click, clicks);
  const found = probe ? [JSON.stringify(await page.run(probe))] : [];
  return [...found, ...(clicks ? await look(definition, true) : [])];
}

/** What a page is when it is opened anew, at rest and in use. */
async function fresh(definition, files, isDocument) {
  for (const [file, content] of Object.entries(files)) await site.write(`fresh/${definition.name}/${file}`, content);
  await open(`/fresh/${definition.name}/`, definition);
  let last = [];
  const atRest = await eventually(
    async () => {
      const before = last;
      last = await look(definition, isDocument);
      return !difference(before, last) && last;
    },
    Boolean,
    `${definition.name} never comes to rest, and`,
  );
  return { atRest, inUse: await use(definition) };
}

/** The first difference between two lists of lines; undefined if there is none. */
function difference(found, expected) {
  const index = expected.findIndex((line, index) => line !== found[index]);
  if (index < 0 && found.length === expected.length) return undefined;
  const at = index < 0 ? expected.length : index;
  return `${found[at]?.trim().slice(0, 200) ?? "the end"} ≠ ${expected[at]?.trim().slice(0, 200) ?? "the end"}`;
}

/** Asks a page that may be on its way to the next one. */
function ask(code, ...args) {
  return page.run(code, ...args).catch((error) => ({ error }));
}

/** Waits until the client knows how the page was written, if it wants to. */
async function hasLearnt(wish) {
  const learnt = () => page.run(() => performance.getEntriesByType("resource").some(({ name, responseEnd }) => name.includes("savecast-source") && responseEnd > 0));
  if (wish.learns === false) return;
  if (wish.learns) return void (await eventually(learnt));
  const end = Date.now() + LEARNING;
  while (!(wish.learns = await learnt()) && Date.now() < end);
}

/** Makes an edit while the page is open, and says what came of it. */
async function tryEdit(definition, { what, files, isDocument, number }, wish) {
  const { name } = definition;
  const original = { "index.html": numbered(definition.html, 0), ...definition.files };
  wish.original ??= {};
  const before = (wish.original[isDocument] ??= await fresh(definition, original, isDocument));
  const expected = await fresh(definition, { ...original, ...files }, isDocument);
  const isSeen = difference(before.atRest.filter(isContent), expected.atRest.filter(isContent)) ?? difference(before.inUse.filter(isContent), expected.inUse.filter(isContent));
  assert.ok(isSeen, `${name}, ${what}: shows nothing, so it tests nothing`);

  for (const [file, content] of Object.entries(original)) await site.write(`${name}/${file}`, content);
  await open(`/${name}/`, definition);
  await hasLearnt(wish);
  await page.mark();
  for (const [file, content] of Object.entries(files)) await site.write(`${name}/${file}`, content);

  const comment = `edit ${number ?? 0}`;
  const arrived = await eventually(
    () => ask((comment) => [...document.head.childNodes].some((node) => node.nodeType === 8 && node.data === comment), comment),
    (answer) => answer === true,
    `${name}, ${what}: whether it has arrived`,
  ).catch((error) => error);
  if (arrived !== true) return { outcome: "wrong", because: arrived.message };
  let found, isInPlace;
  const end = Date.now() + PATIENCE;
  do {
    const isReady = await ask(ready, (definition.ready ?? (() => true)).toString());
    isInPlace = await ask(() => window.mark === true);
    found = isReady?.error ? [String(isReady.error)] : await look(definition, isDocument).catch((error) => [String(error)]);
  } while (difference(found, expected.atRest) && Date.now() < end);
  let because = difference(found, expected.atRest);
  if (!because) {
    const used = await use(definition).catch((error) => [String(error)]);
    because = difference(used, expected.inUse);
    if (because) because = `in use: ${because}`;
  }
  if (because) return { outcome: "wrong", isInPlace, because };
  if (isInPlace !== (await page.isMarked())) return { outcome: "wrong", because: "it was loaded again after it was right" };
  return { outcome: isInPlace ? "in place" : "reload" };
}

for (const [number, definition] of PAGES.entries()) {
  test(definition.name, { timeout: 20 * DEADLINE }, async (test) => {
    const wish = {};
    const row = { page: definition.name, edits: 0, "in place": 0, reload: 0, wrong: 0 };
    const complaints = [];
    for (const edit of editsOf(definition, number)) {
      const { outcome, isInPlace, because } = await tryEdit(definition, edit, wish);
      row.edits++;
      row[outcome]++;
      const title = `${definition.name}, ${edit.what}`;
      if (outcome === "wrong") complaints.push(`${title} (${isInPlace ? "in place" : "loaded again"}): ${because}`);
      // What scripts don't make, they can't miss; and what is only shown, or vouched for, needs none.
      else if (outcome === "reload" && !(definition.hasScripts && edit.isDocument && !definition.isVouched)) complaints.push(`${title}: loaded again without need`);
    }
    rows.push(row);
    wrongs.push(...complaints);
    test.diagnostic(line(row));
    assert.deepEqual(complaints, []);
  });
}

test("the whole corpus", (test) => {
  const all = { page: `${rows.length} pages`, edits: 0, "in place": 0, reload: 0, wrong: 0 };
  for (const row of rows) for (const name of ["edits", "in place", "reload", "wrong"]) all[name] += row[name];
  test.diagnostic(line({ page: "page", edits: "edits", "in place": "in place", reload: "reload", wrong: "wrong" }));
  for (const row of [...rows, all]) test.diagnostic(line(row));
  for (const wrong of wrongs) test.diagnostic(wrong);
  assert.equal(all.wrong, 0);
});

function line(row) {
  return Object.values(row).map((value, index) => (index === 0 ? String(value).padEnd(24) : String(value).padStart(9))).join("");
}
