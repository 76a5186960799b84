// An actix-web app that uses the library: the example, whose pages come from templates.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { eventually, openBrowser, repository, said, siteWith } from "./support.mjs";

const APP = process.env.ACTIX_APP ?? join(repository, "target/debug/examples/actix-app");

const closing = [];
let page;
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

async function start(test, site, port = 0) {
  const child = spawn(APP, [site.root], { env: { ...process.env, PORT: String(port) }, stdio: ["ignore", "pipe", "inherit"] });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  test.after(stop);
  const [, url] = await said(child, /(http:\/\/\S+)\//);
  return { url, port: Number(new URL(url).port), stop };
}

async function siteOfExample(test) {
  const site = await siteWith(test, {});
  await cp(join(repository, "examples/actix-app"), site.root, { recursive: true });
  return site;
}

/** Counts the loads of a page in its tab. */
const loads = () => page.run(() => performance.timeOrigin);

test("pages of handlers are live, and so is what they use", async (test) => {
  const site = await siteOfExample(test);
  let app = await start(test, site);
  await page.open(app.url);
  await page.isLive(app);

  const first = await loads();
  await site.write("assets/style.css", "h1 { color: rgb(1, 2, 3) }");
  await eventually(() => page.run(() => getComputedStyle(document.querySelector("h1")).color), (color) => color === "rgb(1, 2, 3)");
  assert.equal(await loads(), first, "a stylesheet is swapped in place");

  await page.run(() => {
    const field = document.querySelector("input");
    field.value = "half a word";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  });
  const template = await readFile(join(site.root, "templates/home.html"), "utf8");
  await site.write("templates/home.html", template.replace("<h1>Orders", "<h1>Changed"));
  await eventually(() => page.run(() => document.querySelector("h1")?.textContent), (text) => text === "Changed");
  assert.notEqual(await loads(), first);
  await eventually(() => page.run(() => document.querySelector("input")?.value), (value) => value === "half a word");
  await page.isLive(app);

  // What the app says has changed is changed in place, as if it were a file.
  await site.write("templates/home.html", "<!doctype html><title>Orders</title><ol>{% for order in orders %}<li>{{ order }}</li>{% endfor %}</ol>");
  await eventually(() => page.run(() => document.querySelector("ol") !== null && document.querySelector("h1") === null));
  await page.isLive(app);
  // The client has learned how the page was written.
  await eventually(() => page.run(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("savecast-source"))));
  const before = await loads();
  const order = (what) => fetch(`${app.url}/orders`, { method: "POST", body: new URLSearchParams({ what }), redirect: "manual" });
  assert.equal((await order("tea")).status, 303);
  await eventually(() => page.run(() => document.querySelector("li")?.textContent), (text) => text === "tea");
  await order("cake");
  await eventually(() => page.run(() => document.querySelectorAll("li").length), (length) => length === 2);
  assert.equal(await loads(), before, "a page without scripts is changed in place");

  // A page that is shown for what is missing is live, too.
  await page.open(`${app.url}/nowhere`);
  await page.isLive(app);
  const missing = await loads();
  await site.write("templates/home.html", template);
  await eventually(loads, (now) => now !== missing, "the load of a page for what is missing");
  await page.open(app.url);
  await eventually(() => page.run(() => document.querySelectorAll("li").length), (length) => length === 2);
  await page.isLive(app);

  // The app starts again: its pages come back by themselves.
  await app.stop();
  app = await start(test, site, app.port);
  await eventually(() => page.run(() => document.querySelector(".none") !== null));
});
