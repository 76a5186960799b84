// HTTPS, as a browser sees it that believes our authority and is told to ignore nothing: no warnings, no limit of six
// streams, and as live as without it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { NAME, SAVECAST, counts, eventually, openBrowser, serve, siteWith, streams } from "./support.mjs";

const run = promisify(execFile);

/** How many streams the browser holds in one connection over HTTP/2. */
const MOST = process.env.BROWSER === "firefox" ? 300 : 256;

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
/** The authority that the browser believes. */
let ours;
const closing = [];
before(async () => {
  const test = { after: (close) => closing.push(close) };
  ours = await newAuthority(test);
  page = await openBrowser(test, (_, database) => believe(database, ours));
});
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** The data of a person, in which the server has made an authority. */
async function newAuthority(test) {
  const data = await mkdtemp(path.join(tmpdir(), "savecast-data-"));
  test.after(() => rm(data, { recursive: true, force: true }));
  const env = { XDG_DATA_HOME: data, CAROOT: "" };
  const site = await siteWith(test, {});
  const server = await serve(test, site, 0, ["--https"], env);
  await server.stop();
  const file = path.join(data, "savecast/authority.pem");
  return { env, file, pem: await readFile(file, "utf8") };
}

/** Has a browser believe an authority, before it starts. */
async function believe(database, { file }) {
  await makeDatabase(database);
  await run("certutil", ["-d", `sql:${database}`, "-A", "-t", "C,,", "-n", "savecast", "-i", file]);
}

async function makeDatabase(database) {
  await mkdir(database, { recursive: true });
  await run("certutil", ["-d", `sql:${database}`, "-N", "--empty-password"]);
}

/** A server with a certificate of our authority. */
async function serveSecurely(test, site, options = [], port = 0) {
  return { ...(await serve(test, site, port, ["--https", ...options], ours.env)), ca: ours.pem };
}

const html = (text, script = "") => `<!doctype html><title>Secure</title><link rel="icon" href="data:,">
  <link rel="stylesheet" href="/style.css">${script}<h1>${text}</h1><b data-live="/data.json#/n"></b>`;
const SITE = {
  "index.html": html("one"),
  "style.css": "h1 { color: rgb(1, 0, 0) }",
  "data.json": '{ "n": 1 }',
};
/** A page that has only the streams that it opens itself. */
const QUIET = '<!doctype html><meta name="savecast" content="off"><link rel="icon" href="data:,"><h1>quiet</h1>';

const colour = () => page.run(() => getComputedStyle(document.querySelector("h1")).color);

/** Opens a page in a tab of its own; the result closes it. A page that one merely leaves may stay alive, to come back to. */
async function openTab(url) {
  const first = await page.tab();
  const tab = await page.newTab();
  await page.open(url);
  return async () => {
    await page.goTo(tab);
    await page.close(first);
  };
}

/** What a browser says instead of showing a page. */
async function warning(page, url) {
  // The driver of Firefox says it, Chromium shows it.
  return page.open(url).then(() => page.run(() => document.body.textContent), (error) => error.message);
}
const REFUSED = /ERR_CERT_AUTHORITY_INVALID|SEC_ERROR_UNKNOWN_ISSUER/;

/** The styles, the page and its data change without a reload. */
async function isLive(site) {
  await page.mark();
  await site.write("style.css", "h1 { color: rgb(2, 0, 0) }");
  await eventually(colour, (now) => now === "rgb(2, 0, 0)");
  await site.write("data.json", '{ "n": 2 }');
  await eventually(() => page.text("b"), (text) => text === "2");
  await site.write("index.html", html("two"));
  await eventually(() => page.text("h1"), (text) => text === "two");
  assert.equal(await page.isMarked(), true);
}

for (const host of ["localhost", "127.0.0.1", NAME]) {
  test(`a page of https://${host} is secure, has a service worker, and is live`, async (test) => {
    const site = await siteWith(test, { ...SITE, "app.js": "window.answer = 1", "sw.js": `
      addEventListener("install", () => skipWaiting());
      addEventListener("activate", (event) => event.waitUntil(clients.claim()));
      addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));` });
    const server = await serveSecurely(test, site, ["--allow-host", NAME]);
    await page.leave();
    await page.open(`https://${host}:${server.port}/`);
    await page.isLive(server);
    assert.equal(await page.run(() => isSecureContext), true);
    const protocols = () => performance.getEntries().filter(({ nextHopProtocol, name }) => nextHopProtocol !== undefined && name.startsWith("https:")).map(({ nextHopProtocol }) => nextHopProtocol);
    const spoken = await page.run(protocols);
    assert.ok(spoken.length >= 3, `${spoken}`);
    assert.deepEqual([...new Set(spoken)], ["h2"]);
    test.after(() => page.run(async () => void (await (await navigator.serviceWorker.getRegistration())?.unregister())));
    const controller = await page.run(async () => {
      const { serviceWorker } = navigator;
      const controlled = new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
      await serviceWorker.register("/sw.js");
      await controlled;
      return serviceWorker.controller.scriptURL;
    });
    assert.equal(controller, `https://${host}:${server.port}/sw.js`);
    await isLive(site);
    // A script is run by a load.
    await site.write("index.html", html("two", '<script src="/app.js"></script>'));
    await eventually(() => page.run(() => window.answer), (answer) => answer === 1);
    await page.isLive(server);
    await page.mark();
    await site.write("app.js", "window.answer = 2");
    await eventually(() => page.run(() => window.answer), (answer) => answer === 2);
    assert.equal(await page.isMarked(), false);
    assert.equal(await page.run(() => Boolean(navigator.serviceWorker.controller)), true);
    assert.doesNotMatch((await page.console()).join("\n"), /certificate|insecure|not secure|mixed/i);
  });
}

test("a browser that believes another authority refuses the page", async (test) => {
  const server = await serveSecurely(test, await siteWith(test, SITE));
  const other = await newAuthority(test);
  const stranger = await openBrowser(test, (_, database) => believe(database, other));
  for (const host of ["127.0.0.1", "localhost"]) assert.match(await warning(stranger, `https://${host}:${server.port}/`), REFUSED);
  // It is the same server that ours believes.
  await page.open(server.url);
  assert.equal(await page.text("h1"), "one");
});

test("a browser believes what savecast trust has told it, until that is undone", async (test) => {
  const server = await serveSecurely(test, await siteWith(test, SITE));
  const stubs = await siteWith(test, {});
  // What would change the store of this system. They only say that they were asked.
  for (const name of ["sudo", "install", "rm", "update-ca-certificates", "update-ca-trust", "trust"]) {
    await stubs.write(name, `#!/bin/sh\necho "$(basename "$0") $*" >> '${stubs.root}/asked'\n`);
    await chmod(path.join(stubs.root, name), 0o755);
  }
  const trust = (home, ...options) => {
    const env = { ...process.env, ...ours.env, HOME: home, PATH: `${stubs.root}:${process.env.PATH}` };
    return run(SAVECAST, ["trust", ...options], { env });
  };
  const told = await openBrowser(test, async (home, database) => {
    // Browsers that were started before have one.
    await makeDatabase(database);
    await trust(home);
  });
  assert.match(await readFile(path.join(stubs.root, "asked"), "utf8"), /install .*authority\.pem/);
  await told.open(server.url);
  assert.equal(await told.text("h1"), "one");
  const untold = await openBrowser(test, async (home, database) => {
    await makeDatabase(database);
    await trust(home);
    await trust(home, "--remove");
  });
  assert.match(await warning(untold, server.url), REFUSED);
});

/** Opens streams in the page. */
const openStreams = (count) => page.run((count) => {
  window.sources = Array.from({ length: count }, () => {
    const source = new EventSource("/data.json");
    source.onmessage = ({ data }) => (source.told = data);
    return source;
  });
}, count);
/** The number of those that have been told this last. */
const told = (data) => page.run((data) => window.sources.filter((source) => source.told === data).length, data);

test("a page has hundreds of streams, and each of them is told of a save", async (test) => {
  const site = await siteWith(test, { "index.html": QUIET, "data.json": "1" });
  const server = await serveSecurely(test, site);
  const close = await openTab(server.url);
  await openStreams(300);
  await eventually(() => told("1"), (count) => count === MOST, "the number of streams that were told");
  assert.equal(await streams(server), MOST);
  const saved = performance.now();
  await site.replace("data.json", "2");
  await eventually(() => told("2"), (count) => count === MOST, "the number of streams that were told");
  test.diagnostic(`${MOST} streams told after ${Math.round(performance.now() - saved)} ms`);
  // Those that the browser has held back have their turn.
  await page.run(() => window.sources.filter(({ told }) => told).slice(0, 100).forEach((source) => source.close()));
  await eventually(() => page.run(() => window.sources.filter(({ readyState }) => readyState === EventSource.OPEN).length), (count) => count === 200);
  await eventually(() => told("2"), (count) => count === 300, "the number of streams that were told");
  assert.equal(await streams(server), 200);
  await close();
  const closed = performance.now();
  await eventually(() => streams(server), (count) => count === 0, "the number of streams");
  test.diagnostic(`no stream is left after ${Math.round(performance.now() - closed)} ms`);
});

test("whatever a page asks for beside its streams is answered at once", async (test) => {
  const site = await siteWith(test, { ...SITE, "more.txt": "more" });
  const server = await serveSecurely(test, site);
  const close = await openTab(server.url);
  await page.isLive(server);
  await openStreams(200);
  await eventually(() => streams(server), (count) => count === 201, "the number of streams");
  // Where each stream has a connection of its own, this one would wait for ever.
  const [text, milliseconds] = await page.run(async () => {
    const start = performance.now();
    return [await (await fetch("/more.txt", { cache: "no-store" })).text(), performance.now() - start];
  });
  assert.equal(text, "more");
  test.diagnostic(`answered after ${Math.round(milliseconds)} ms`);
  assert.equal(await streams(server), 201);
  await isLive(site);
  await close();
  await eventually(() => streams(server), (count) => count === 0, "the number of streams");
});

test("a WebSocket is told of a save", async (test) => {
  const site = await siteWith(test, { "index.html": QUIET, "data.json": '{ "n": 1 }' });
  const server = await serveSecurely(test, site);
  const close = await openTab(server.url);
  await page.run(() => {
    window.told = [];
    // It has a connection of its own, over HTTP/1.1.
    window.socket = new WebSocket(`wss://${location.host}/data.json`);
    socket.onmessage = ({ data }) => told.push(JSON.parse(JSON.parse(data).data).n);
  });
  await eventually(() => page.run(() => told), (told) => told.join() === "1");
  await site.replace("data.json", '{ "n": 2 }');
  await eventually(() => page.run(() => told), (told) => told.join() === "1,2");
  assert.equal(await streams(server), 1);
  await close();
  await eventually(() => streams(server), (count) => count === 0);
});

test("a long poll is answered when the file is saved, or when its time is over", async (test) => {
  const site = await siteWith(test, { "index.html": QUIET, "data.json": "1" });
  const server = await serveSecurely(test, site);
  const close = await openTab(server.url);
  const poll = (wait) => page.run((wait) => {
    window.polled = undefined;
    const headers = { "If-None-Match": window.etag, Prefer: `wait=${wait}` };
    fetch("/data.json", { headers }).then(async (response) => (window.polled = [response.status, await response.text()]));
  }, wait);
  const polled = () => page.run(() => window.polled);
  await page.run(async () => void (window.etag = (await fetch("/data.json")).headers.get("etag")));
  await poll(1);
  await eventually(polled);
  assert.deepEqual(await polled(), [304, ""]);
  await poll(100);
  await eventually(() => counts(server), ({ followed }) => followed === 1);
  assert.equal(await polled(), null);
  await site.replace("data.json", "2");
  await eventually(polled);
  assert.deepEqual(await polled(), [200, "2"]);
  // Who no longer waits is forgotten.
  await page.run(async () => void (window.etag = (await fetch("/data.json")).headers.get("etag")));
  await poll(100);
  await eventually(() => counts(server), ({ followed }) => followed === 1);
  await close();
  await eventually(() => counts(server), ({ followed }) => followed === 0);
});

test("a page that is isolated is live", async (test) => {
  const site = await siteWith(test, { ...SITE, "_headers": "/*\n  Cross-Origin-Opener-Policy: same-origin\n  Cross-Origin-Embedder-Policy: require-corp\n" });
  const server = await serveSecurely(test, site, ["--allow-host", NAME]);
  // By this name, it would not be isolated without HTTPS.
  await page.open(`https://${NAME}:${server.port}/`);
  await page.isLive(server);
  assert.equal(await page.run(() => crossOriginIsolated), true);
  assert.equal(await page.run(() => new SharedArrayBuffer(8).byteLength), 8);
  await isLive(site);
});

for (const policy of [
  "default-src 'none'; style-src 'self'; upgrade-insecure-requests",
  "default-src 'self'; block-all-mixed-content",
]) {
  test(`a page is live with the header ${policy}`, async (test) => {
    const site = await siteWith(test, { ...SITE, "_headers": `/*\n  Content-Security-Policy: ${policy}\n` });
    const server = await serveSecurely(test, site);
    await page.open(server.url);
    await page.isLive(server);
    await eventually(() => page.text("b"), (text) => text === "1");
    await isLive(site);
  });
}

test("who comes by http is led to https, on the same port", async (test) => {
  const site = await siteWith(test, { ...SITE, "about.html": html("about") });
  const server = await serveSecurely(test, site);
  for (const host of ["localhost", "127.0.0.1"]) {
    await page.open(`http://${host}:${server.port}/about?a=1#b`);
    assert.equal(await page.run(() => location.href), `https://${host}:${server.port}/about?a=1#b`);
    assert.equal(await page.text("h1"), "about");
    await page.isLive(server);
  }
});

test("a phone gets the certificate without https, and is told what to do with it", async (test) => {
  const server = await serveSecurely(test, await siteWith(test, SITE), ["--allow-host", NAME]);
  const close = await openTab("about:blank");
  await page.resize(400, 800);
  await page.open(`http://${NAME}:${server.port}/_savecast/ca.pem`);
  const seen = await page.run(async () => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const links = [...document.querySelectorAll("a")].map(({ href }) => href);
    const answer = await fetch(links[0]);
    return { url: location.href, clientWidth, scrollWidth, links, type: answer.headers.get("content-type"), pem: await answer.text() };
  });
  assert.deepEqual(seen, {
    url: `http://${NAME}:${server.port}/_savecast/ca.pem`,
    clientWidth: 400,
    scrollWidth: 400,
    links: [`http://${NAME}:${server.port}/_savecast/ca.pem?file`, `https://${NAME}:${server.port}/`],
    type: "application/x-x509-ca-cert",
    pem: ours.pem,
  });
  await page.open(seen.links[1]);
  assert.equal(await page.text("h1"), "one");
  await close();
});

test("tabs share one stream, and are right again when the server is back", async (test) => {
  const site = await siteWith(test, SITE);
  const server = await serveSecurely(test, site);
  const first = await page.tab();
  const tabs = [];
  for (let number = 0; number < 5; number++) {
    tabs.push(await page.newTab());
    await page.open(`${server.url}/?${number}`);
  }
  const all = async (ask, expected) => {
    for (const tab of tabs) {
      await page.goTo(tab);
      await eventually(() => page.run(ask), (answer) => answer === expected);
    }
  };
  await all(() => document.querySelector("b").textContent, "1");
  assert.equal(await streams(server), 1);
  await server.stop();
  await site.write("style.css", "h1 { color: rgb(3, 0, 0) }");
  const again = await serveSecurely(test, site, [], server.port);
  await all(() => getComputedStyle(document.querySelector("h1")).color, "rgb(3, 0, 0)");
  await site.write("data.json", '{ "n": 3 }');
  await all(() => document.querySelector("b").textContent, "3");
  assert.equal(await streams(again), 1);
  for (const tab of tabs) {
    await page.goTo(tab);
    await page.close(first);
  }
  await eventually(() => streams(again), (count) => count === 0, "the number of streams");
});
