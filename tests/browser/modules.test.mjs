// Which modules of the browser's part use which, as their imports say, and that the server has all of them.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { repository, serve, siteWith } from "./support.mjs";

const folder = path.join(repository, "static");
const entries = await readdir(folder, { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)));

/** For each module, what it imports when it is loaded, and what it imports or starts later. */
const modules = new Map();
for (const file of files.filter((name) => name.endsWith(".js"))) {
  // Types are imported in comments.
  const code = (await readFile(path.join(folder, file), "utf8")).replace(/\/\*\*[^]*?\*\//g, "");
  const found = (pattern) => Array.from(code.matchAll(pattern), ([, url]) => new URL(url, `http://localhost/_savecast/${file}`).pathname.slice("/_savecast/".length));
  modules.set(file, {
    imports: found(/^(?:import|export)\s+(?:[\w*{},\s]+\sfrom\s+)?"([^"]+)"/gm),
    later: found(/\b(?:import\(|new URL\()"([^"]+\.js)"/g),
  });
}

/** The modules that come with these, and how many rounds of requests it takes to have each of them. */
function roundsOf(start, isLater = false) {
  const rounds = new Map([[start, 1]]);
  for (const [name, round] of rounds) {
    const { imports, later } = modules.get(name);
    for (const other of isLater ? [...imports, ...later] : imports) if (!rounds.has(other)) rounds.set(other, round + 1);
  }
  return rounds;
}

const room = (name) => path.dirname(name).split("/")[0];

test("every import leads to a module", () => {
  assert.deepEqual(modules.get("client.js").later.sort(), ["page/console.js", "page/start.js"]);
  assert.ok(modules.get("stream/connection.js").later.includes("stream/worker.js"));
  for (const [name, { imports, later }] of modules) {
    for (const other of [...imports, ...later]) assert.ok(modules.has(other), `${name} imports ${other}`);
  }
});

test("no modules import each other in a circle", () => {
  for (const [name, { imports }] of modules) {
    for (const other of imports) assert.ok(!roundsOf(other).has(name), `${name} imports ${other}, which imports ${name}`);
  }
});

test("what is decided for the page is decided without the page", () => {
  assert.deepEqual(modules.get("page/effects.js"), { imports: [], later: [] });
});

test("the stream needs nothing of a page, neither in the worker nor in a tab", () => {
  for (const start of ["stream/worker.js", "stream/connection.js"]) {
    for (const name of roundsOf(start, true).keys()) assert.ok(name === "paths.js" || room(name) === "stream", name);
  }
});

test("what changes a page does not know who wants that", () => {
  for (const [name, { imports, later }] of modules) {
    if (room(name) !== "apply") continue;
    for (const other of [...imports, ...later]) assert.ok(!["page", "data"].includes(room(other)), `${name} imports ${other}`);
  }
});

test("a page has the client after two rounds of requests, and so has the worker what it needs", () => {
  for (const start of ["page/start.js", "stream/worker.js"]) assert.equal(Math.max(...roundsOf(start).values()), 2, start);
});

test("every file is served as it is, with the version of all of them", async (test) => {
  const server = await serve(test, await siteWith(test, {}));
  const get = async (url) => (await fetch(`${server.url}/_savecast/${url}`)).text();
  const [place, version] = /const MODULES = "(.+)\/"/.exec(await get("client.js"));
  for (const file of files) {
    const text = (await get(`${version}/${file}`)).replace(place, 'const MODULES = ""');
    assert.equal(text, await readFile(path.join(folder, file), "utf8"), file);
  }
});
