// An edit is made in place only where the page is then what a fresh load would show. Each page of the corpus is opened, edited
// while it is open, and compared with the edited page opened anew.
import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { HARMLESS } from "./corpus/frame.mjs";
import looks from "./corpus/looks.mjs";
import { PAGES, VENDOR } from "./corpus/pages.mjs";
import { mark, see, use } from "./corpus/snapshot.mjs";
import { DEADLINE, openBrowser, repository, serve, siteWith } from "./support.mjs";

/** How long a page that is wrong may take to become right, in milliseconds: some scripts do their work a little later. The
 * second one is for pages that are known to be wrong. */
const PATIENCE = 1500, LITTLE_PATIENCE = 300;

/** How long a client that learns how its page was written may take, in milliseconds. Only waited for once for each page. */
const LEARNING = 300;

/** How many edits each page gets at least: what is missing, and always one, comes from the harmless ones. */
const EDITS = 5;

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
let site, server;
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
  const length = Math.max(1, EDITS - Object.keys(edits).length);
  const some = Array.from({ length }, (_, index) => harmless[(number + index) % harmless.length]);
  return [...Object.entries(edits), ...some].map(([what, change], index) => {
    if (!Array.isArray(change)) return { what, files: change, isDocument: false, number: 0 };
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

/** Writes files of a page. */
async function write(folder, files) {
  for (const [file, content] of Object.entries(files)) await site.write(`${folder}/${file}`, content);
}

/** Asks the page what is seen, and leaves out what is another thing at every load. */
async function look({ random = [] }, code, ...args) {
  const found = await page.run(code, ...args);
  return { ...found, lines: random.reduce((lines, random) => lines?.map((line) => line.replace(random, "")), found.lines) };
}

const atRest = (definition, wish) => look(definition, see(definition), wish);
const inUse = (definition, { hasLooks }) => look(definition, use(definition), definition.clicks ?? null, hasLooks);

/** What a page is when it is opened anew, at rest and in use. */
async function fresh(definition, files, wish) {
  // The page that is open there is live: it would be loaded again, and bring what was typed to the next one.
  await page.open("about:blank");
  await write(`fresh/${definition.name}`, files);
  await page.open(`${server.url}/fresh/${definition.name}/`);
  const { lines } = await atRest(definition, { ...wish, isStill: true });
  assert.ok(lines, `${definition.name} is never ready`);
  return { atRest: lines, inUse: (await inUse(definition, wish)).lines };
}

/** What differs first between two lists of lines; undefined if there is none. */
function difference(found, expected) {
  const index = expected.findIndex((line, index) => line !== found[index]);
  if (index < 0 && found.length === expected.length) return undefined;
  const at = index < 0 ? expected.length : index;
  return `${found[at]?.trim().slice(0, 200) ?? "the end"} ≠ ${expected[at]?.trim().slice(0, 200) ?? "the end"}`;
}

/** Makes an edit while the page is open, and says what came of it. */
async function tryEdit(definition, { what, files, isDocument, number }, known) {
  const { name } = definition;
  const original = { "index.html": numbered(definition.html, 0), ...definition.files };
  const wish = { hasLooks: !isDocument, patience: DEADLINE / 2 };
  const before = (known[isDocument] ??= await fresh(definition, original, { ...wish, number: 0 }));
  const expected = await fresh(definition, { ...original, ...files }, { ...wish, number });
  const shown = ({ atRest, inUse }) => [...atRest, ...inUse].filter((line) => !/<!--edit \d+-->/.test(line));
  assert.ok(difference(shown(before), shown(expected)), `${name}, ${what}: shows nothing, so it tests nothing`);

  await write(name, original);
  await page.open(`${server.url}/${name}/`);
  // Only the first one of each page waits for a client that does not want to know.
  known.learns = await page.run(mark(definition), known.learns === false ? 0 : known.learns ? DEADLINE : LEARNING);
  await write(name, files);

  let found, because;
  for (let end = Date.now() + DEADLINE; ; ) {
    // It may be on its way to the next page.
    found = await atRest(definition, { ...wish, number }).catch((error) => ({ lines: [String(error)], isLate: true }));
    because = found.isLate ? `it does not arrive: ${found.lines ?? ""}` : difference(found.lines, expected.atRest);
    if (!because || Date.now() > end) break;
    if (!found.isLate) end = Math.min(end, Date.now() + (definition.isKnown ? LITTLE_PATIENCE : PATIENCE));
  }
  if (because) return { outcome: "wrong", isInPlace: found.isMarked, because };
  const later = await inUse(definition, wish).catch((error) => ({ lines: [String(error)] }));
  because = difference(later.lines, expected.inUse);
  if (because) return { outcome: "wrong", isInPlace: found.isMarked, because: `later: ${because}` };
  if (found.isMarked !== later.isMarked) return { outcome: "wrong", isInPlace: false, because: "it was right before it was loaded again" };
  return { outcome: found.isMarked ? "in place" : "reload" };
}

/** Makes all edits of a page, and says what is wrong. */
async function tryAll(test, definition, edits, rows) {
  const known = {};
  const row = { page: definition.name, edits: 0, "in place": 0, reload: 0, wrong: 0 };
  const complaints = [];
  for (const edit of edits) {
    const { outcome, isInPlace, because } = await tryEdit(definition, edit, known);
    row.edits++;
    row[outcome]++;
    const title = `${definition.name}, ${edit.what}`;
    if (outcome === "wrong") complaints.push(`${title} (${isInPlace ? "in place" : "loaded again"}): ${because}`);
    // What no script has made, none has to make again; and what is only shown, or vouched for, needs none.
    const mayReload = definition.hasScripts && edit.isDocument && !definition.isVouched;
    if (outcome === "reload" && !mayReload) complaints.push(`${title}: loaded again without need`);
  }
  rows.push(row);
  test.diagnostic(line(row));
  return complaints;
}

const rows = [], wrongs = [];
for (const [number, definition] of PAGES.entries()) {
  test(definition.name, { timeout: 20 * DEADLINE }, async (test) => {
    const complaints = await tryAll(test, definition, editsOf(definition, number), rows);
    wrongs.push(...complaints);
    assert.deepEqual(complaints, []);
  });
}

test("the whole corpus", (test) => {
  table(test, rows, wrongs);
  assert.deepEqual(wrongs, []);
});

// Stylesheets and pictures are shown in place whatever scripts have made of them. What comes of it is listed, and is no error.
test("scripts that look at stylesheets and pictures", { timeout: 20 * DEADLINE }, async (test) => {
  const rows = [], known = [];
  for (const definition of looks) {
    const edits = editsOf(definition, 0).filter(({ isDocument }) => !isDocument);
    known.push(...(await tryAll(test, { ...definition, hasScripts: true, isKnown: true }, edits, rows)));
  }
  table(test, rows, known);
});

function table(test, rows, wrongs) {
  const all = { page: `${rows.length} pages`, edits: 0, "in place": 0, reload: 0, wrong: 0 };
  for (const row of rows) for (const name of ["edits", "in place", "reload", "wrong"]) all[name] += row[name];
  test.diagnostic(line({ page: "page", edits: "edits", "in place": "in place", reload: "reload", wrong: "wrong" }));
  for (const row of [...rows, all]) test.diagnostic(line(row));
  for (const wrong of wrongs) test.diagnostic(wrong);
}

function line(row) {
  return Object.values(row).map((value, index) => (index === 0 ? String(value).padEnd(30) : String(value).padStart(9))).join("");
}
