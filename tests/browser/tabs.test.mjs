// Many tabs of one browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, openBrowser, serve, siteWith, streams } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

const html = (script = "") => `<!doctype html><title>Tab</title><link rel="icon" href="data:,">${script}
  <link rel="stylesheet" href="a.css"><h1>one</h1><b data-live="/a.json"></b>`;

/** Opens the page in tabs, and goes back to the first one. */
async function openTabs(server, count) {
  const first = await page.tab();
  const tabs = [first];
  for (let number = 0; number < count; number++) {
    if (number > 0) tabs.push(await page.newTab());
    await page.open(`${server.url}/?${number}`);
  }
  await page.goTo(first);
  return tabs;
}

async function closeTabs([first, ...others]) {
  for (const tab of others) {
    await page.goTo(tab);
    await page.close(first);
  }
}

test("twenty tabs have one stream, and all of them load, are told and come back", async (test) => {
  const site = await siteWith(test, { "index.html": html(), "a.css": "h1 { color: rgb(1, 0, 0) }", "a.json": "1" });
  const server = await serve(test, site);
  const tabs = await openTabs(server, 20);
  const all = async (ask, expected) => {
    for (const tab of tabs) {
      await page.goTo(tab);
      await eventually(() => page.run(ask), (answer) => answer === expected);
    }
  };
  await all(() => document.querySelector("b").textContent, "1");
  assert.equal(await streams(server), 1);
  await site.write("a.json", "2");
  await all(() => document.querySelector("b").textContent, "2");
  await site.write("a.css", "h1 { color: rgb(2, 0, 0) }");
  await all(() => getComputedStyle(document.querySelector("h1")).color, "rgb(2, 0, 0)");
  await site.write("index.html", html().replace("one", "two"));
  await all(() => document.querySelector("h1").textContent, "two");
  await server.stop();
  const again = await serve(test, site, server.port);
  await site.write("a.json", "3");
  await all(() => document.querySelector("b").textContent, "3");
  assert.equal(await streams(again), 1);
  await closeTabs(tabs);
  await page.open("about:blank");
  await eventually(() => streams(again), (streams) => streams === 0);
});

test("without shared workers, each tab has a stream of its own while it is seen", async (test) => {
  const site = await siteWith(test, { "index.html": html("<script>delete window.SharedWorker</script>"), "a.css": "", "a.json": "1" });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.text("b"), (text) => text === "1");
  assert.equal(await streams(server), 1);
  const see = (state) => page.run((state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
  await see("hidden");
  await eventually(() => streams(server), (streams) => streams === 0);
  await site.write("a.json", "2");
  await see("visible");
  await eventually(() => page.text("b"), (text) => text === "2");
});

test("a policy that forbids workers is respected", async (test) => {
  const policy = `<meta http-equiv="content-security-policy" content="worker-src 'none'">`;
  const site = await siteWith(test, { "index.html": html(policy), "a.css": "", "a.json": "1" });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.text("b"), (text) => text === "1");
  await site.write("a.json", "2");
  await eventually(() => page.text("b"), (text) => text === "2");
});

test("a page whose scripts need a nonce, and whose policy wants trusted types, is live", async (test) => {
  const policy = `<meta http-equiv="content-security-policy" content="script-src 'nonce-r4nd0m'; require-trusted-types-for 'script'">`;
  const site = await siteWith(test, { "index.html": html(policy), "a.css": "", "a.json": "1" });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.text("b"), (text) => text === "1");
  await site.write("a.json", "2");
  await eventually(() => page.text("b"), (text) => text === "2");
  await site.write("index.html", html(policy).replace("one", "two"));
  await eventually(() => page.text("h1"), (text) => text === "two");
});

test("a page that wants trusted types hears nothing that it has not made", async (test) => {
  const trusting = (text) => `<!doctype html><meta http-equiv="content-security-policy" content="require-trusted-types-for 'script'"><link rel="icon" href="data:,"><h1>${text}</h1>`;
  const site = await siteWith(test, { "index.html": trusting("one") });
  const server = await serve(test, site);
  await page.leave();
  await page.open(server.url);
  await page.isLive(server);
  await page.mark();
  await site.write("index.html", trusting("two"));
  await eventually(() => page.text("h1"), (text) => text === "two");
  assert.ok(await page.isMarked());
  assert.deepEqual(await page.console(), []);
});

test("a page that one comes back to is right", async (test) => {
  const site = await siteWith(test, { "index.html": html(), "other.html": "<!doctype html><title>Other</title>", "a.css": "", "a.json": "1" });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.text("b"), (text) => text === "1");
  await page.mark();
  await page.open(`${server.url}/other.html`);
  await site.write("a.json", "2");
  await page.back();
  await eventually(() => page.text("b"), (text) => text === "2");
  test.diagnostic(`from the back/forward cache: ${await page.isMarked()}`);
  await site.write("a.json", "3");
  await eventually(() => page.text("b"), (text) => text === "3");
});
