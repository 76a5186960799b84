// A site with the rules of a host, and a site behind a proxy, are as live as any other.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, test } from "node:test";

import { eventually, openBrowser, serve, siteWith } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

const PAGE = '<!doctype html><link rel="stylesheet" href="/style.css"><h1>hello</h1>';
const colour = () => page.run(() => getComputedStyle(document.querySelector("h1")).color);
const problem = () => page.run(() => document.querySelector("savecast-problems")?.shadowRoot.textContent ?? "");

test("a page without an ending is live, and so is one that is missing", async (test) => {
  const site = await siteWith(test, { "about.html": "<!doctype html><h1>about</h1>", "404.html": "<!doctype html><h1>lost</h1>" });
  const server = await serve(test, site);
  await page.open(`${server.url}/about`);
  await page.isLive(server);
  await page.mark();
  await site.write("about.html", "<!doctype html><h1>about us</h1>");
  await eventually(() => page.text("h1"), (text) => text === "about us");
  assert.equal(await page.isMarked(), true);
  // A file of the very name comes before the page.
  await site.write("about", "plain");
  await eventually(() => page.run(() => document.body.textContent), (text) => text.includes("plain"));

  await page.open(`${server.url}/blog/first`);
  await page.isLive(server);
  assert.equal(await page.text("h1"), "lost");
  await site.write("404.html", "<!doctype html><h1>not here</h1>");
  await eventually(() => page.text("h1"), (text) => text === "not here");
  await page.isLive(server);
  await site.write("blog/404.html", "<!doctype html><h1>not in the blog</h1>");
  await eventually(() => page.text("h1"), (text) => text === "not in the blog");
  await page.isLive(server);
  await site.write("blog/first.html", "<!doctype html><h1>first</h1>");
  await eventually(() => page.text("h1"), (text) => text === "first");
});

test("a page comes to its address, wherever its file goes", async (test) => {
  const site = await siteWith(test, { "contact.html": "<!doctype html><h1>contact</h1>" });
  const server = await serve(test, site);
  // Missing without a slash, and then a directory.
  await page.open(`${server.url}/team`);
  await page.isLive(server);
  await site.write("team/index.html", "<!doctype html><h1>team</h1>");
  await eventually(() => page.text("h1"), (text) => text === "team");
  assert.equal(await page.run(() => location.pathname), "/team/");
  // From a file to a directory.
  await page.open(`${server.url}/contact`);
  await page.isLive(server);
  await site.remove("contact.html");
  await site.write("contact/index.html", "<!doctype html><h1>moved</h1>");
  await eventually(() => page.text("h1"), (text) => text === "moved");
});

test("rules are live: a broken line is shown with its place, and goes away when it is mended", async (test) => {
  const site = await siteWith(test, { "index.html": PAGE, "style.css": "h1 { color: rgb(1, 0, 0) }", "_redirects": "/old /index.html 301\n" });
  const server = await serve(test, site);
  await page.open(`${server.url}/`);
  await page.isLive(server);
  await site.write("_redirects", "# rules\n/old /index.html 418\n");
  await eventually(problem, (text) => text.includes("/_redirects line 2") && text.includes("418"));
  await site.write("_redirects", "# rules\n/old / 302\n");
  await eventually(problem, (text) => text === "");
  // A good edit loads the page again, once, and is no reason for an alarm; nor is a line for another host.
  for (const rules of ["/old / 303\n", "/old / 307\n/api/* https://api.example.com/:splat 200\n/x /y 301 Country=de\n"]) {
    await page.isLive(server);
    await page.mark();
    await site.write("_redirects", rules);
    await eventually(async () => !(await page.isMarked()));
    await page.isLive(server);
    assert.equal(await problem(), "");
  }
  await page.open(`${server.url}/new`);
  await page.isLive(server);
  assert.match(await page.text("h1"), /isn’t there/);
  await site.write("_redirects", "/new / 302\n");
  await eventually(() => page.text("h1"), (text) => text === "hello");
  assert.equal(await page.run(() => location.pathname), "/");
  // Files of rules that are not there yet are waited for, where something is missing.
  await site.remove("_redirects");
  await page.open(`${server.url}/other`);
  await page.isLive(server);
  await site.write("_redirects", "/other / 200\n");
  await eventually(() => page.text("h1"), (text) => text === "hello");
});

test("a page that is isolated is live", async (test) => {
  const site = await siteWith(test, {
    "index.html": PAGE,
    "style.css": "h1 { color: rgb(1, 0, 0) }",
    "worker.js": "postMessage(self.crossOriginIsolated)",
    "_headers": "/*\n  Cross-Origin-Opener-Policy: same-origin\n  Cross-Origin-Embedder-Policy: require-corp\n",
  });
  const server = await serve(test, site);
  await page.open(`${server.url}/`);
  await page.isLive(server);
  assert.equal(await page.run(() => crossOriginIsolated), true);
  const worker = () => new Promise((resolve) => (new Worker("/worker.js").onmessage = ({ data }) => resolve(data)));
  assert.equal(await page.run(worker), true);
  await page.mark();
  await site.write("style.css", "h1 { color: rgb(2, 0, 0) }");
  await eventually(colour, (now) => now === "rgb(2, 0, 0)");
  assert.equal(await page.isMarked(), true);
  await site.write("index.html", PAGE.replace("hello", "again"));
  await eventually(() => page.text("h1"), (text) => text === "again");
});

for (const policy of [
  "default-src 'self'",
  "default-src 'none'; style-src 'self'",
  "script-src 'nonce-abc' 'strict-dynamic'; object-src 'none'; base-uri 'none'; worker-src 'none'",
  "script-src 'none'; connect-src 'none'",
  "default-src 'self'; require-trusted-types-for 'script'",
]) {
  test(`a page is live with the header ${policy}`, async (test) => {
    const site = await siteWith(test, {
      "index.html": PAGE + '<script src="/own.js"></script>',
      "own.js": "window.own = true",
      "style.css": "h1 { color: rgb(1, 0, 0) }",
      "_headers": `/*\n  Content-Security-Policy: ${policy}\n`,
    });
    const server = await serve(test, site);
    await page.open(`${server.url}/`);
    await page.isLive(server);
    // What the policy forbids to the page stays forbidden.
    assert.equal(await page.run(() => window.own === true), policy.includes("default-src 'self'"));
    await site.write("style.css", "h1 { color: rgb(2, 0, 0) }");
    await eventually(colour, (now) => now === "rgb(2, 0, 0)");
    await page.mark();
    await site.write("own.js", "window.own = 2");
    await site.write("index.html", PAGE.replace("hello", "again"));
    await eventually(() => page.text("h1"), (text) => text === "again");
  });
}

for (const where of ["header", "page"]) {
  test(`a page that wants trusted types by its ${where} changes in place`, async (test) => {
    const policy = "require-trusted-types-for 'script'";
    const head = where === "page" ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : "";
    const plain = `<!doctype html><head>${head}</head><h1>hello</h1>`;
    const rules = where === "header" ? { _headers: `/*\n  Content-Security-Policy: ${policy}\n` } : {};
    const site = await siteWith(test, { "index.html": plain, ...rules });
    const server = await serve(test, site);
    await page.open(`${server.url}/`);
    await page.isLive(server);
    await page.mark();
    await site.write("index.html", plain.replace("hello", "again"));
    await eventually(() => page.text("h1"), (text) => text === "again");
    assert.ok(await page.isMarked());
  });
}

/** A proxy that puts the server at `/app/`, and cuts that off or passes it on. */
async function proxy(test, server, cutsOff) {
  const front = http.createServer((request, response) => {
    if (!request.url.startsWith("/app/")) return response.writeHead(404).end("the proxy has nothing here");
    const path = cutsOff ? request.url.slice("/app".length) : request.url;
    const options = { port: server.port, method: request.method, path, headers: request.headers };
    const back = http.request(options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    back.on("error", () => response.destroy());
    response.on("close", () => back.destroy());
    request.pipe(back);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  test.after(() => (front.closeAllConnections(), front.close()));
  return `http://127.0.0.1:${front.address().port}`;
}

for (const cutsOff of [true, false]) {
  test(`behind a proxy at a path that it ${cutsOff ? "cuts off" : "passes on"}, all is live`, async (test) => {
    const site = await siteWith(test, {
      "index.html": '<!doctype html><link rel="stylesheet" href="style.css"><h1>hello</h1><b data-live="data.json#/n"></b>',
      "style.css": "h1 { color: rgb(1, 0, 0) }",
      "data.json": '{ "n": 1 }',
      "photos/one two.txt": "1",
      "page.html": "<h1>page</h1>",
    });
    const server = await serve(test, site, 0, ["--base", "/app/"]);
    const front = await proxy(test, server, cutsOff);
    await page.open(`${front}/app/`);
    await page.isLive(server);
    await eventually(() => page.text("b"), (text) => text === "1");
    await page.mark();
    await site.write("style.css", "h1 { color: rgb(2, 0, 0) }");
    await eventually(colour, (now) => now === "rgb(2, 0, 0)");
    await site.write("data.json", '{ "n": 2 }');
    await eventually(() => page.text("b"), (text) => text === "2");
    await site.write("data.json", "{");
    await eventually(problem, (text) => text.includes("/data.json line 1"));
    assert.equal(await page.isMarked(), true);
    // Redirects stay there.
    await page.open(`${front}/app/photos`);
    assert.equal(await page.run(() => location.pathname), "/app/photos/");
    await page.isLive(server);
    await site.write("photos/another.txt", "1");
    await eventually(() => page.run(() => document.body.textContent), (text) => text.includes("another.txt"));
    assert.equal(await page.run(() => new URL(document.querySelector("td a").href).pathname.startsWith("/app/photos/")), true);
    await page.open(`${front}/app/data.json`);
    await page.isLive(server);
    await site.write("data.json", '{ "n": 3 }');
    await eventually(() => page.run(() => document.body.textContent), (text) => text.includes('"n": 3'));
    await page.open(`${front}/app/page`);
    await page.isLive(server);
    await site.write("page.html", "<h1>another page</h1>");
    await eventually(() => page.text("h1"), (text) => text === "another page");
  });
}
