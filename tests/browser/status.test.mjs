// The page that people look at while they work.
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";

import { eventually, openBrowser, serve, siteWith, streams } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

const rows = (selector) => page.run((selector) => [...document.querySelectorAll(`${selector} li`)].map((row) => [...row.children].map((cell) => cell.textContent).filter(Boolean).join(" ")), selector);

test("what is open, what was saved and what is broken stands there at once", async (test) => {
  const site = await siteWith(test, { "index.html": "<!doctype html><link rel=stylesheet href=style.css><h1>1</h1>", "style.css": "h1 { color: red }", "data.json": "[1]" });
  const server = await serve(test, site);
  const overview = await page.tab();
  await page.open(`${server.url}/_savecast/`);
  await eventually(() => page.text("#state"), (text) => text === "live");
  assert.deepEqual(await rows("#tabs"), []);
  // It is no stream in its own count.
  assert.equal(await streams(server), 0);

  const tab = await page.newTab();
  await page.open(`${server.url}/?a`);
  await page.isLive(server);
  await page.goTo(overview);
  await eventually(() => rows("#tabs"), (rows) => rows.length === 1 && /^\/ \w+ \d+, Linux \d+ s$/.test(rows[0]));
  await eventually(() => rows("#files"), (rows) => rows.some((row) => row.startsWith("/style.css 1 listener")));

  await site.write("style.css", "h1 { color: blue }");
  await eventually(() => rows("#events"), (rows) => rows.length === 1 && /^\/style.css to 1 \d+\.\d\d ms /.test(rows[0]));
  assert.match(await page.text("#latency"), /^median \d/);
  assert.equal(await page.run(() => document.querySelectorAll("#spark rect").length), 1);

  // A second tab of the same browser.
  const other = await page.newTab();
  await page.open(`${server.url}/`);
  await page.goTo(overview);
  await eventually(() => rows("#tabs"), (rows) => rows.length === 2);
  await page.goTo(other);
  await page.close(overview);
  await eventually(() => rows("#tabs"), (rows) => rows.length === 1);

  const stream = await fetch(`${server.url}/data.json`, { headers: { accept: "text/event-stream", "user-agent": "reader/7" } });
  await eventually(() => rows("#connections"), (rows) => rows.length === 1 && rows[0].startsWith("/data.json reader 7"));
  await site.write("data.json", "[1,]");
  await eventually(() => rows("#problems"), (rows) => rows.length === 1 && rows[0].startsWith("/data.json:1:3 "));
  assert.equal(await page.text("#count-problems"), "1");
  await site.write("data.json", "[2]");
  await eventually(() => rows("#problems"), (rows) => rows.length === 0);
  await stream.body.cancel();
  await eventually(() => rows("#connections"), (rows) => rows.length === 0);
  await page.goTo(tab);
  await page.close(overview);
  await eventually(() => rows("#tabs"), (rows) => rows.length === 0);
});

test("all pages are loaded again, and channels are published to, from there", async (test) => {
  const site = await siteWith(test, { "index.html": "<!doctype html><h1>1</h1>" });
  const server = await serve(test, site);
  const overview = await page.tab();
  await page.open(`${server.url}/_savecast/`);
  await eventually(() => page.text("#state"), (text) => text === "live");
  const tab = await page.newTab();
  await page.open(`${server.url}/`);
  await page.isLive(server);
  await page.mark();
  await page.run(() => {
    window.heard = [];
    new EventSource("/_savecast/channels/users/42%3F").addEventListener("push", ({ data }) => window.heard.push(data));
  });
  await page.goTo(overview);
  await eventually(() => rows("#channels"), (rows) => rows.length === 1 && rows[0].startsWith("users/42? 1 listener"));
  await page.run(() => {
    const form = document.querySelector("#channels form");
    [form.elements.channel.value, form.elements.event.value, form.elements.data.value] = ["users/42?", "push", '{"n": 1}'];
    form.requestSubmit();
  });
  await eventually(() => page.text("form output"), (text) => text === "1 listener has it");
  await page.goTo(tab);
  assert.deepEqual(await eventually(() => page.run(() => window.heard), (heard) => heard.length > 0), ['{"n": 1}']);
  await page.goTo(overview);
  await page.run(() => document.querySelector("#reload").click());
  await page.goTo(tab);
  await eventually(() => page.isMarked(), (isMarked) => !isMarked);
  await page.close(overview);
});

test("a server that was away comes back, and one that others reach shows a code for their cameras", async (test) => {
  const site = await siteWith(test, { "index.html": "<!doctype html><h1>1</h1>" });
  const first = await serve(test, site);
  await page.open(`${first.url}/_savecast/`);
  await eventually(() => page.text("#state"), (text) => text === "live");
  assert.equal(await page.run(() => document.querySelector("#network").hidden), true);
  await first.stop();
  await eventually(() => page.text("#state"), (text) => text.includes("stopped"));
  await serve(test, site, first.port, ["--host", "0.0.0.0"]);
  await eventually(() => page.text("#state"), (text) => text === "live");
  const isReached = Object.values(networkInterfaces()).flat().some(({ internal, family }) => !internal && family === "IPv4");
  if (!isReached) return test.diagnostic("this machine has no network");
  const { interfaces, size } = await eventually(
    () => page.run(() => ({ interfaces: document.querySelectorAll("#network li").length, size: document.querySelector("#code").viewBox.baseVal.width })),
    ({ interfaces }) => interfaces > 0,
  );
  // The smallest codes for a URL have 25 or 29 squares in a row.
  assert.ok(interfaces > 0 && [25, 29, 33].includes(size), `${size}`);
});

test("a hundred tabs and a thousand files are drawn without a long task", async (test) => {
  const names = Array.from({ length: 1000 }, (_, at) => `f${at}.txt`);
  const site = await siteWith(test, Object.fromEntries(names.map((name) => [name, "1"])));
  const server = await serve(test, site);
  await page.open(`${server.url}/_savecast/`);
  await eventually(() => page.text("#state"), (text) => text === "live");
  const tabs = Array.from({ length: 100 }, (_, at) => ({ page: `/p${at}.html`, since: Date.now() }));
  const uses = Object.fromEntries(names.map((name) => [`/${name}`, null]));
  const stream = await fetch(`${server.url}/_savecast/events`, { method: "POST", headers: { accept: "text/event-stream" }, body: JSON.stringify({ uses, tabs }) });
  await eventually(() => page.run(() => document.querySelectorAll("#files li").length), (count) => count === 200);
  assert.equal(await page.text("#more"), "and 800 more");
  await eventually(() => page.run(() => document.querySelectorAll("#tabs li").length), (count) => count === 100);
  await page.run(() => {
    window.longest = 0;
    new PerformanceObserver((list) => (window.longest = Math.max(window.longest, ...list.getEntries().map(({ duration }) => duration)))).observe({ type: "longtask" });
  });
  for (const name of names.slice(0, 40)) await site.write(name, "2");
  await eventually(() => rows("#events"), (rows) => rows.length === 40);
  test.diagnostic(`the longest task took ${await page.run(() => window.longest)} ms`);
  await page.run(() => {
    const filter = document.querySelector("#files input");
    filter.value = "f99";
    filter.dispatchEvent(new Event("input"));
  });
  await eventually(() => page.run(() => document.querySelectorAll("#files li").length), (count) => count === 11);
  await stream.body.cancel();
});
