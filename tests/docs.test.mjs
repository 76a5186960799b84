// The documentation: it is built without a warning, leads nowhere that isn't there, and all that it shows works.
//
// Each fenced block of the pages and of README.md is run, by its language:
//
// * `console`: lines that begin with `$ ` are commands. What follows them is their output, in which `…` stands for anything: in a line,
//   or for any number of lines if it is alone in one. A command that goes on, such as a server or `curl -N`, goes on until the
//   block ends. `sh`: the same with commands alone, which must succeed, or go on.
//   They are run in an empty directory with `savecast` in the PATH. The ports 3000, 3001, 3002, 5000 and 6379 are free ones
//   then. If no command of the block starts a server that others ask, one is started before, and a Redis for 6379.
// * `html`, `js` and `css`: in a page of Chromium, which may log no error. What `data-live` shows must be there.
// * `toml`: options that the command accepts; of Cargo, only parsed. `json`, `yaml`, `python`: parsed. `nginx`, `ini`: by nginx and systemd.
// * `text` is shown, not run, unless it is a `_redirects` or `_headers`. `rust` is for rustdoc.
//
// A comment before a block says what is needed to run it:
//
// * `<!-- file: NAME -->`: the block is a file, for the blocks after it in its section (up to the next `##`); before the first section,
//   for the whole page. `<!-- file: NAME` with lines below: the same with a file that nobody sees.
// * `<!-- server: OPTIONS -->`: those of the server that is started for it.
// * `<!-- ask: PATH -->`: what is followed of a server that it starts itself.
// * `<!-- before: CODE -->`: a script of the page before it. `<!-- replace: THIS THAT -->`: once, to run it.
// * `<!-- not-run: REASON -->`: it isn't.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { after, before, describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { eventually, openBrowser, repository, SAVECAST, serve, siteWith } from "./browser/support.mjs";
import { blocksOf } from "./docs/blocks.mjs";
import { anchorsOf, linksOf, optionsOfHelp, optionsOfTables } from "./docs/markdown.mjs";
import { runShell, workshop } from "./docs/shell.mjs";

const execute = promisify(execFile);
const target = path.join(repository, "target");
const environment = path.join(target, "docs-venv");
const python = path.join(environment, "bin/python");
const SITE = path.join(target, "docs");

/** Sections of README.md whose blocks are passed over. */
const SKIPPED = [];

const names = (await readdir(path.join(repository, "docs/src"))).filter((name) => name.endsWith(".md")).sort();
const pages = names.map((name) => `docs/src/${name}`);
const blocks = (await Promise.all([...pages.map((page) => blocksOf(page)), blocksOf("README.md", SKIPPED)])).flat();

const closing = [];
let page;
before(async () => {
  [page] = await Promise.all([openBrowser({ after: (close) => closing.push(close) }), installMkDocs()]);
});
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** Installs what builds the site, unless the same is there already. */
async function installMkDocs() {
  const requirements = path.join(repository, "docs/requirements.txt");
  const mark = path.join(environment, "installed");
  const hash = createHash("sha256").update(await readFile(requirements)).digest("hex");
  if ((await readFile(mark, "utf8").catch(() => "")) === hash) return;
  await rm(environment, { recursive: true, force: true });
  await execute("python3", ["-m", "venv", environment]);
  await execute(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements]);
  await writeFile(mark, hash);
}

/** A program of Python's, with the packages that build the site. */
function runPython(program, ...args) {
  return execute(python, ["-c", program, ...args]);
}

test("the site is built without a warning", async () => {
  const args = ["-m", "mkdocs", "build", "--strict", "--config-file", path.join(repository, "docs/mkdocs.yml"), "--site-dir", SITE];
  const { stderr } = await execute(python, args);
  assert.doesNotMatch(stderr, /WARNING|ERROR/);
  for (const name of names) {
    const html = await readFile(path.join(SITE, name.replace(/\.md$/, ".html")), "utf8");
    assert.doesNotMatch(html, /```/, `a block of ${name} is none for MkDocs`);
  }
});

test("the site needs nothing of the network", async () => {
  const files = (await readdir(SITE, { recursive: true })).filter((name) => /\.(html|css)$/.test(name));
  assert.ok(files.length > pages.length);
  for (const file of files) {
    const text = await readFile(path.join(SITE, file), "utf8");
    assert.doesNotMatch(text, /<(script|link|img|iframe|source)\b[^>]*(src|href)="?(https?:)?\/\//, file);
    assert.doesNotMatch(text, /@import|url\(["']?(https?:)?\/\//, file);
  }
});

test("the site can be read and searched", async (test) => {
  const server = await serve(test, { root: SITE }, 0, ["--no-console"]);
  await page.resize(390, 800);
  for (const name of names) {
    await page.open(`${server.url}/${name.replace(/\.md$/, ".html")}`);
    const [heading, overflow] = await page.run(() => [document.querySelector("h1").textContent, document.documentElement.scrollWidth - 390]);
    assert.ok(heading, name);
    assert.ok(overflow <= 0, `${name} is ${overflow} px too wide`);
  }
  await page.open(`${server.url}/search.html?q=rotation`);
  const found = () => page.run(() => [...document.querySelectorAll("#mkdocs-search-results a")].map((link) => link.getAttribute("href")));
  await eventually(found, (links) => links.some((link) => link.includes("streams.html")), "what is found");
  assert.deepEqual(await problemsOf(page), []);
  await page.leave();
});

test("links lead to what is there", async () => {
  const dead = [];
  const anchors = new Map();
  for (const name of ["README.md", ...pages]) {
    for (const link of linksOf(await readFile(path.join(repository, name), "utf8"))) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file, anchor] = link.split("#");
      const place = file ? path.join(path.dirname(name), file) : name;
      const isThere = await access(path.join(repository, place)).then(() => true, () => false);
      if (!isThere) dead.push(`${name}: ${link}`);
      else if (anchor && place.endsWith(".md")) {
        if (!anchors.has(place)) anchors.set(place, anchorsOf(await readFile(path.join(repository, place), "utf8")));
        if (!anchors.get(place).has(anchor)) dead.push(`${name}: ${link}`);
      }
    }
  }
  assert.deepEqual(dead, []);
});

test("each option is documented, and each documented one exists", async () => {
  const help = async (...command) => optionsOfHelp((await execute(SAVECAST, [...command, "--help"])).stdout);
  const { serving, others } = optionsOfTables(await readFile(path.join(repository, "docs/src/command-line.md"), "utf8"));
  assert.deepEqual(serving, await help());
  const { stdout } = await execute(SAVECAST, ["--help"]);
  const commands = [...stdout.match(/^Commands:\n((?: +.*\n)+)/m)[1].matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
  for (const command of commands) {
    const options = (await help(command)).filter((option) => !["-h", "--help"].includes(option));
    assert.deepEqual(others[command] ?? [], options, command);
  }
  assert.deepEqual(Object.keys(others).sort(), commands.sort());
});

/** What runs the blocks of each language. */
const RUN = {
  console: runShell,
  sh: runShell,
  json: ({ text }) => JSON.parse(text),
  toml: runOptions,
  html: runPage,
  js: runModule,
  css: runStyles,
  text: showText,
  yaml: ({ text }) => runPython("import sys, yaml; yaml.safe_load(sys.argv[1])", text),
  python: ({ text }) => runPython("import ast, sys; ast.parse(sys.argv[1])", text),
  nginx: checkNginx,
  ini: checkUnit,
};

/** What is somebody else's to run. */
const LEFT = ["rust"];

/** Those that share the one page. */
const IN_PAGE = ["html", "js", "css"];

function testBlocks(blocks) {
  for (const block of blocks) {
    test(block.name, { skip: block.notRun }, async (test) => {
      const run = RUN[block.language];
      assert.ok(run, `nothing runs "${block.language}": give the block another language, or say why it is not run`);
      await run(block, test);
    });
  }
}

const ours = blocks.filter(({ language }) => !LEFT.includes(language));
describe("blocks of pages", () => testBlocks(ours.filter(({ language }) => IN_PAGE.includes(language))));
describe("other blocks", { concurrency: 3 }, () => testBlocks(ours.filter(({ language }) => !IN_PAGE.includes(language))));

test("few blocks are not run", () => {
  const notRun = blocks.filter(({ notRun }) => notRun !== undefined);
  for (const { name, notRun: reason } of notRun) assert.ok(reason.length > 5, `${name}: why?`);
  assert.ok(notRun.length <= blocks.length / 5, notRun.map(({ name }) => name).join(", "));
});

/** Options of the command, or of Cargo. */
async function runOptions({ text, files }) {
  await runPython("import sys, tomllib; tomllib.loads(sys.argv[1])", text);
  if (/^\[(dependencies|package|dev-dependencies)/m.test(text)) return;
  const shop = await workshop({ ...files, "savecast.toml": text });
  try {
    const server = shop.start("exec savecast --config savecast.toml --port 0");
    await eventually(() => server.status !== undefined || /https?:\/\//.test(server.output));
    assert.match(server.output, /https?:\/\//);
    assert.doesNotMatch(server.output, /^hint/m);
  } finally {
    await shop.clear();
  }
}

/** A page, or a part of one. */
async function runPage({ text, files, file = "index.html", before }, test) {
  const server = await serve(test, await siteWith(test, { ...files, [file]: text }), 0, ["--no-console"]);
  await page.leave();
  await page.open(`${server.url}/${file}`);
  await addScript(before);
  const unfilled = () => page.run(() => {
    const isEmpty = (element) => !element.closest("template") && !element.textContent.trim() && !element.matches("input");
    const texts = [...document.querySelectorAll("[data-live]")].filter(isEmpty);
    const lists = [...document.querySelectorAll("[data-live-list]")].filter((list) => list.children.length < 2);
    return [...texts, ...lists, ...document.querySelectorAll("[data-live-problem]")].map((element) => element.outerHTML);
  });
  await eventually(unfilled, (elements) => elements.length === 0, "what shows nothing");
  await pause(100);
  assert.deepEqual(await problemsOf(page), []);
  await page.leave();
}

/** A module, in a page. */
async function runModule({ text, files, before }, test) {
  const site = await siteWith(test, { "index.html": "<!doctype html><title>x</title>", ...files, "block.js": text });
  const server = await serve(test, site, 0, ["--no-console"]);
  await page.leave();
  await page.open(server.url);
  await addScript(before);
  const error = await page.run(() => import("/block.js").then(() => null, (error) => String(error)));
  assert.equal(error, null);
  await pause(100);
  assert.deepEqual(await problemsOf(page), []);
  await page.leave();
}

/** A script of its own, whose names are known to those that come later. */
function addScript(code) {
  return page.run((code) => document.head.append(Object.assign(document.createElement("script"), { textContent: code })), code);
}

async function runStyles({ text }) {
  const rules = await page.run((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet.cssRules.length;
  }, text);
  assert.equal(rules, text.match(/\{/g)?.length);
}

/** What went wrong in a page, but for the icon that every browser asks for. */
async function problemsOf(page) {
  return (await page.console()).filter((line) => line.startsWith("SEVERE"));
}

/** Text is for people, but the rules of a site are read. */
async function showText({ text, file, files }) {
  if (!["_redirects", "_headers"].includes(file)) return;
  const shop = await workshop({ "index.html": "<!doctype html><title>x</title>", ...files, [file]: text });
  try {
    const server = shop.start("exec savecast --port 0 --log json");
    await eventually(() => /http:\/\//.test(server.output));
    const [url] = server.output.match(/http:\/\/[^\s"]+/);
    await fetch(url);
    await pause(300);
    assert.doesNotMatch(server.output, /"event":"problem"/);
  } finally {
    await shop.clear();
  }
}

/** A whole configuration, or what stands in the block of a server. */
async function checkNginx({ text, replace }) {
  const directory = await mkdtemp(path.join(tmpdir(), "savecast-nginx-"));
  try {
    const ready = replace ? text.replace(...replace) : text;
    const whole = /^\s*http \{/m.test(ready) ? ready : `events {}\nhttp { server {\n${ready}\n} }`;
    const file = path.join(directory, "nginx.conf");
    await writeFile(file, `pid ${directory}/pid;\nerror_log stderr;\n${whole.replace(/listen (80|443)\b/g, "listen 8080")}`);
    await execute("nginx", ["-t", "-q", "-e", "stderr", "-c", file, "-p", directory]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A unit of systemd. A comment behind a value would be a part of it. */
async function checkUnit({ text }, test) {
  for (const line of text.split("\n")) assert.match(line, /^(|#.*|\[\w+\]|\w+=[^#]*)$/);
  const directory = await mkdtemp(path.join(tmpdir(), "savecast-unit-"));
  try {
    const unit = path.join(directory, "savecast@1.service");
    await writeFile(unit, text.replace("/usr/bin/savecast", path.resolve(SAVECAST)));
    const asked = await execute("systemd-analyze", ["verify", unit]).catch((error) => error);
    if (asked.code === "ENOENT") test.diagnostic("there is no systemd-analyze here");
    else assert.deepEqual([asked.code ?? 0, asked.stderr.trim()], [0, ""]);
  } finally {
    await rm(directory, { recursive: true });
  }
}
