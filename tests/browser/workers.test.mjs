// Pages that come through a service worker: live as others are, and loaded again once at most for each change.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, openBrowser, serve, siteWith } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** What most workers are made of. */
const COMMON = `
const NAME = "cache";
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
const isOurs = ({ url, method }) => method === "GET" && !url.includes("/_savecast/");
const keep = async (request, response) => {
  if (response.ok) await (await caches.open(NAME)).put(request, response.clone());
  return response;
};
`;

/** The ways in which workers answer: `shows` says whether a change can be seen without doing anything about the worker. */
const WORKERS = {
  "that passes everything on": { shows: true, code: `addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));` },
  "that asks the network first": {
    shows: true,
    code: `addEventListener("fetch", (event) => isOurs(event.request) && event.respondWith(fetch(event.request).then((response) => keep(event.request, response), () => caches.match(event.request))));`,
  },
  "that preloads navigations": {
    shows: true,
    code: `addEventListener("activate", (event) => event.waitUntil(registration.navigationPreload?.enable()));
      addEventListener("fetch", (event) => isOurs(event.request) && event.respondWith((async () => (await event.preloadResponse) ?? fetch(event.request))()));`,
  },
  "that answers with what it has and renews it": {
    shows: true,
    code: `addEventListener("fetch", (event) => isOurs(event.request) && event.respondWith((async () => {
      const fresh = fetch(event.request).then((response) => keep(event.request, response));
      event.waitUntil(fresh.catch(() => {}));
      return (await caches.match(event.request)) ?? fresh;
    })()));`,
  },
  "that asks its cache first": {
    shows: false,
    code: `addEventListener("fetch", (event) => isOurs(event.request) && event.respondWith((async () =>
      (await caches.match(event.request)) ?? keep(event.request, await fetch(event.request)))()));`,
  },
  "that keeps a list of files": {
    shows: false,
    code: `addEventListener("install", (event) => event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(["/", "/app.js", "/data.json"]))));
      addEventListener("fetch", (event) => isOurs(event.request) && event.respondWith(caches.match(event.request).then((known) => known ?? fetch(event.request))));`,
  },
};

const html = (text) => `<!doctype html><html><head><title>Worker</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><script src="app.js"></script></head><h1>${text}</h1><p></p>
<script type="module">
  sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1;
  document.querySelector("p").textContent = (await (await fetch("data.json")).json()).a;
  navigator.serviceWorker.register("sw.js");
  window.ready = true;
</script></html>`;

for (const [name, { shows, code }] of Object.entries(WORKERS)) {
  test(`a page behind a worker ${name} is live`, async (test) => {
    const site = await siteWith(test, { "index.html": html("First"), "app.js": "window.app = 1", "data.json": '{ "a": 1 }', "style.css": "h1 { color: rgb(1, 1, 1) }", "sw.js": COMMON + code });
    const server = await serve(test, site);
    await page.open(server.url);
    await page.run(async () => {
      await navigator.serviceWorker.ready;
      while (!navigator.serviceWorker.controller) await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
    });
    // Through the worker, twice, so that it has all that it keeps.
    for (let time = 0; time < 2; time++) {
      await page.open(server.url);
      await eventually(() => page.run(() => window.ready));
    }
    test.after(() => page.run(async () => void (await (await navigator.serviceWorker.ready).unregister())));
    const overlay = () => page.run(() => document.querySelector("savecast-problems")?.shadowRoot.querySelector("section").innerText);
    for (const [file, content, look] of [
      ["data.json", '{ "a": 2 }', async () => (await page.text("p")) === "2"],
      ["app.js", "window.app = 2", () => page.run(() => window.app === 2)],
      ["index.html", html("Second"), async () => (await page.text("h1")) === "Second"],
    ]) {
      await page.isLive(server);
      await page.run(() => (sessionStorage.loads = 0));
      await site.write(file, content);
      if (shows) await eventually(look, Boolean, file);
      else {
        // It is said why the change is not shown, unless the worker could be made to renew what it keeps.
        const told = await eventually(async () => ((await look()) ? "shown" : await overlay()), (text) => text === "shown" || text?.includes(file), `the overlay for ${file}`);
        assert.match(told, /^shown$|still has an old version[^]*service worker \/sw\.js/);
      }
      // Another change is heard and done, so what the first one leads to has come.
      await page.isLive(server);
      assert.equal(await page.run(() => Number(sessionStorage.loads)), 1, `${file}: the number of loads`);
    }
    // What is still old loads it no more: another change comes, and is done in place.
    await page.isLive(server);
    await site.write("style.css", "h1 { color: rgb(2, 2, 2) }");
    await eventually(() => page.run(() => getComputedStyle(document.querySelector("h1")).color), (color) => color === "rgb(2, 2, 2)");
    assert.equal(await page.run(() => Number(sessionStorage.loads)), 1, "the number of loads in the end");
  });
}

test("a download is as its author has written it", async (test) => {
  const site = await siteWith(test, { "index.html": "<!doctype html><p>text" });
  const server = await serve(test, site);
  const headers = { "sec-fetch-dest": "empty", "sec-fetch-mode": "navigate", accept: "*/*" };
  assert.equal(await (await fetch(server.url, { headers })).text(), "<!doctype html><p>text");
});
