// What a person sees: a real browser, real files, the built server.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer, request } from "node:http";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { counts, eventually, openBrowser, serve, siteWith, streams } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
// One browser for all tests; each of them opens a page of its own server.
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

const sample = (cores, load) => JSON.stringify({
  time: Date.now(), host: "test", cores, uptime: 60,
  load: { "1 min": load, "5 min": load, "15 min": load },
  memory: { used: 1e9, total: 2e9 }, disk: { used: 1e9, total: 4e9, read: 0, written: 0 },
  network: { received: 0, sent: 0 },
  history: { load: [load, load], memory: [1e9, 1e9], received: [0, 0], sent: [0, 0], read: [0, 0], written: [0, 0] },
});

/** Stylesheet and script of a small page whose look and behaviour can be asked for. */
const SMALL = {
  "index.html": `<!doctype html><title>Small</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><script src="app.js"></script><p>text`,
  "style.css": "p { color: rgb(1, 1, 1) }",
  "app.js": "window.answer = 1",
};
const color = () => page.run(() => getComputedStyle(document.querySelector("p")).color);

test("the dashboard shows new figures without a reload", async (test) => {
  const site = await siteWith(test, { "data.json": sample(2, 0.5) }, "dashboard");
  const server = await serve(test, site);
  await page.open(server.url);
  const value = () => page.text(".load .value");
  await eventually(value, (text) => text === "0.5");
  await page.mark();

  await site.replace("data.json", sample(2, 1.25));
  await eventually(value, (text) => text === "1.25");
  await eventually(() => page.text("#memory"), (text) => text === "50 %");
  assert.equal(await page.run(() => document.querySelectorAll(".load polyline").length), 1);
  assert.ok(await page.isMarked());

  await site.write("style.css", "h1 { color: rgb(9, 8, 7) }");
  await eventually(() => page.run(() => getComputedStyle(document.querySelector("h1")).color), (color) => color === "rgb(9, 8, 7)");
  assert.ok(await page.isMarked());
  assert.equal(await streams(server), 1);
});

test("a stylesheet is swapped without a reload and without a flash", async (test) => {
  const site = await siteWith(test, SMALL);
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await page.mark();
  await page.run(() => {
    window.colors = new Set();
    const look = () => (window.colors.add(getComputedStyle(document.querySelector("p")).color), requestAnimationFrame(look));
    look();
  });
  const shade = (number) => `rgb(${number}, ${number}, ${number})`;
  for (const number of [2, 3, 4]) {
    await site.write("style.css", `p { color: ${shade(number)} }`);
    await eventually(color, (color) => color === shade(number));
  }
  // Faster than they load.
  for (let number = 5; number <= 40; number++) await site.replace("style.css", `p { color: ${shade(number)} }`);
  await eventually(color, (color) => color === shade(40));
  await eventually(() => page.run(() => document.querySelectorAll("link[rel=stylesheet]").length), (links) => links === 1);
  assert.ok(await page.isMarked());
  const shades = Array.from({ length: 40 }, (_, index) => shade(index + 1));
  assert.deepEqual((await page.run(() => [...window.colors])).filter((color) => !shades.includes(color)), []);
});

test("a script that changed reloads the page, and so does the page itself", async (test) => {
  const site = await siteWith(test, SMALL);
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await site.write("app.js", "window.answer = 2");
  await eventually(() => page.run(() => window.answer), (answer) => answer === 2);
  await page.isLive(server);
  await site.write("index.html", `${SMALL["index.html"]} and more`);
  await eventually(() => page.text("p"), (text) => text === "text and more");
});

test("a file that goes and comes back as it was does not reload the page", async (test) => {
  const site = await siteWith(test, SMALL);
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await page.mark();
  const updates = (count) => eventually(() => counts(server), ({ updates }) => updates >= count, "the status");
  // The page, its stylesheet and its script were looked at.
  await updates(3);
  await site.remove("app.js");
  await updates(4);
  await site.write("app.js", SMALL["app.js"]);
  await updates(5);
  await site.write("style.css", "p { color: rgb(2, 2, 2) }");
  await eventually(color, (color) => color === "rgb(2, 2, 2)");
  assert.ok(await page.isMarked());
});

test("files that the page does not use are none of its business", async (test) => {
  const site = await siteWith(test, { ...SMALL, "other.js": "1", "other.css": "p {}" });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await page.mark();
  await site.write("other.js", "2");
  await site.write("other.css", "p { color: red }");
  await site.write("style.css", "p { color: rgb(2, 2, 2) }");
  await eventually(color, (color) => color === "rgb(2, 2, 2)");
  assert.ok(await page.isMarked());
});

test("a page recovers from a restart, and reloads only for what has changed", async (test) => {
  const site = await siteWith(test, { ...SMALL, "data.json": "1" });
  await site.write("index.html", `${SMALL["index.html"]}<b data-live="data.json"></b>`);
  let server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.text("b"), (text) => text === "1");
  await page.mark();

  await server.stop();
  server = await serve(test, site, server.port);
  await page.isLive(server);
  await site.write("data.json", "2");
  await eventually(() => page.text("b"), (text) => text === "2");
  assert.ok(await page.isMarked(), "nothing that it uses has changed");

  await server.stop("SIGKILL");
  await site.write("app.js", "window.answer = 3");
  server = await serve(test, site, server.port);
  await eventually(() => page.run(() => window.answer), (answer) => answer === 3);
});

test("what changes between loading the page and opening the stream is not lost", async (test) => {
  const site = await siteWith(test, SMALL);
  // The page asks this server in the midst of loading, after its stylesheet and before the client has started.
  const middle = createServer(async (request, response) => {
    await site.write("style.css", "p { color: rgb(5, 5, 5) }");
    response.writeHead(200, { "access-control-allow-origin": "*" }).end();
  }).listen(0, "127.0.0.1");
  await once(middle, "listening");
  test.after(() => middle.close());
  const url = `http://127.0.0.1:${middle.address().port}/`;
  await site.write("app.js", `
    const request = new XMLHttpRequest();
    request.open("GET", ${JSON.stringify(url)}, false);
    request.send();`);
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(color, (color) => color === "rgb(5, 5, 5)");
});

test("an EventSource is all that a page needs", async (test) => {
  const site = await siteWith(test, {}, "next-demo");
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.text("#data"), (text) => text?.includes("Change me"));
  await page.mark();
  await site.replace("data.json", '{"message": "changed"}');
  await eventually(() => page.text("#data"), (text) => text === '{\n  "message": "changed"\n}');
  await site.write("data.json", '{"message": ');
  await eventually(() => page.run(() => document.querySelector("#data").title), (title) => title.includes("is not closed"));
  assert.match(await page.text("#data"), /changed/);
  assert.ok(await page.isMarked());
});

test("for await brings the newest value, and leaving the loop ends it", async (test) => {
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Loop</title><link rel="icon" href="data:,"><script type="module">
      import { follow } from "/_savecast/live.js";
      window.values = [];
      for await (const value of follow("data.json#/a")) {
        values.push(value);
        if (value === "end") break;
      }
      window.isOver = true;
    </script>`,
    "data.json": '{"a":1}',
  });
  const server = await serve(test, site);
  await page.open(server.url);
  const values = (expected) => eventually(() => page.run(() => window.values.join()), (values) => values === expected);
  await values("1");
  await site.write("data.json", '{"a":2}');
  await values("1,2");
  await site.write("data.json", '{"a":"end"}');
  await values("1,2,end");
  assert.ok(await page.run(() => window.isOver));
  // The page itself stays followed.
  await eventually(() => counts(server), ({ followed }) => followed === 1, "the count");
});

test("pages that are missing, blank or listed are live too", async (test) => {
  const site = await siteWith(test, { "blank.html": "", "folder/a.txt": "a" });
  const server = await serve(test, site);
  await page.open(`${server.url}/later.html`);
  assert.match(await page.text("h1"), /later\.html isn’t there/);
  await site.write("later.html", "<h1>Here</h1>");
  await eventually(() => page.text("h1"), (text) => text === "Here");

  await page.open(`${server.url}/blank.html`);
  await page.isLive(server);
  await site.write("blank.html", "<h1>No more</h1>");
  await eventually(() => page.text("h1"), (text) => text === "No more");

  await page.open(`${server.url}/folder/`);
  await page.isLive(server);
  await site.write("folder/b.txt", "b");
  await eventually(() => page.text("table"), (text) => text.includes("b.txt"));
  await site.write("folder/index.html", "<h1>Index</h1>");
  await eventually(() => page.text("h1"), (text) => text === "Index");
});

test("data that is merely fetched reloads the page, unless the page says that it handles it", async (test) => {
  const site = await siteWith(test, {
    "index.html": `<!doctype html><p></p><script type="module">
      document.querySelector("p").textContent = await (await fetch("data.json")).text();
      window.ready = true;
    </script>`,
    "data.json": "1",
  });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.run(() => window.ready));
  await page.isLive(server);
  await site.write("data.json", "2");
  await eventually(() => page.text("p"), (text) => text === "2");

  await eventually(() => page.run(() => window.ready));
  await page.isLive(server);
  await page.mark();
  await page.run(() => addEventListener("savecast:change", (event) => {
    event.preventDefault();
    document.querySelector("p").textContent = event.detail.path;
  }));
  await site.write("data.json", "3");
  await eventually(() => page.text("p"), (text) => text === "/data.json");
  assert.ok(await page.isMarked());
});

test("a page with an import map and a base works, and its console is quiet", async (test) => {
  const site = await siteWith(test, {
    "index.html": `<!doctype html><head><base href="/sub/"><script type="importmap">{"imports": {"a": "/sub/a.js"}}</script>
      <link rel="icon" href="data:,"></head><p></p><script type="module">import "a"</script>`,
    "sub/a.js": "document.querySelector('p').textContent = 'one'",
  });
  const server = await serve(test, site);
  await page.leave();
  await page.open(server.url);
  await eventually(() => page.text("p"), (text) => text === "one");
  await page.isLive(server);
  await site.write("sub/a.js", "document.querySelector('p').textContent = 'two'");
  await eventually(() => page.text("p"), (text) => text === "two");
  assert.deepEqual(await page.console(), []);
});

test("the status page shows what the server is doing", async (test) => {
  const site = await siteWith(test, { "a.txt": "a" });
  const server = await serve(test, site);
  await page.open(`${server.url}/_savecast/`);
  await eventually(() => page.text("#streams"), (text) => text === "0");
  const stream = new AbortController();
  test.after(() => stream.abort());
  // Kept, because what nobody holds is closed.
  const response = await fetch(`${server.url}/a.txt`, { headers: { accept: "text/event-stream" }, signal: stream.signal });
  await eventually(() => page.text("#streams"), (text) => text === "1");
  assert.equal(await page.text("#followed"), "1");
  await response.body.cancel();
});

test("a base elsewhere does not lead the client away", async (test) => {
  const site = await siteWith(test, { "index.html": `<!doctype html><base href="http://127.0.0.1:9/"><p>one` });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await site.write("index.html", "<!doctype html><p>two");
  await eventually(() => page.text("p"), (text) => text === "two");
});

/** Passes everything on, under the host of the server, and tells of each request before. */
async function proxyTo(test, server, hear) {
  const proxy = createServer((incoming, outgoing) => {
    hear(incoming);
    const headers = { ...incoming.headers, host: new URL(server.url).host };
    const passed = request(`${server.url}${incoming.url}`, { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
    outgoing.on("close", () => passed.destroy());
    passed.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  test.after(() => (proxy.close(), proxy.closeAllConnections()));
  return `http://127.0.0.1:${proxy.address().port}`;
}

test("a page that is loaded again asks for the client once, and not for its modules or its worker", async (test) => {
  const site = await siteWith(test, { ...SMALL, "follow.js": 'import { follow } from "/_savecast/live.js"; follow("/data.json", (data) => (window.data = data));', "data.json": "1" });
  await site.write("index.html", SMALL["index.html"].replace("<p>", '<script type="module" src="follow.js"></script><p>'));
  const server = await serve(test, site);
  let asked = [];
  const proxy = await proxyTo(test, server, ({ url }) => void (url.startsWith("/_savecast/") && asked.push(url.split("?")[0])));
  await page.open(proxy);
  await eventually(() => page.run(() => window.data), (data) => data === 1);
  await page.isLive(server);
  assert.ok(asked.some((url) => /^\/_savecast\/[0-9a-f]{16}\/stream\/worker.js$/.test(url)), `${asked}`);

  asked = [];
  await site.write("app.js", "window.answer = 2");
  await eventually(() => page.run(() => window.answer), (answer) => answer === 2);
  await eventually(() => page.run(() => window.data), (data) => data === 1);
  await page.isLive(server);
  await eventually(() => asked.includes("/_savecast/events"));
  // What the page imports itself has no version.
  const ours = asked.filter((url) => !["/_savecast/events", "/_savecast/effects"].includes(url));
  assert.deepEqual(ours, ["/_savecast/client.js", "/_savecast/live.js"]);
});

test("a page behind a proxy that sends another host is live, or says why it is not", async (test) => {
  const site = await siteWith(test, SMALL);
  const server = await serve(test, site);
  for (const drops of [[], ["sec-fetch-site"]]) {
    const proxy = await proxyTo(test, server, ({ headers }) => drops.forEach((name) => delete headers[name]));
    await page.leave();
    await page.open(proxy);
    if (drops.length === 0) {
      await page.isLive(server);
      await site.write("style.css", "p { color: rgb(2, 2, 2) }");
      await eventually(color, (color) => color === "rgb(2, 2, 2)");
      continue;
    }
    const lines = [];
    await eventually(async () => (lines.push(...(await page.console())), lines), (lines) => lines.some((line) => line.includes("is not live") && line.includes("--cors ORIGIN")), "the console");
  }
});

test("a page that goes away closes its stream", async (test) => {
  const site = await siteWith(test, SMALL);
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  // Two entries in the history, because the next navigation may take the place of one.
  await page.run(() => history.pushState(null, ""));
  await page.open("about:blank");
  await eventually(() => streams(server), (streams) => streams === 0);
  await page.run(() => history.back());
  await page.isLive(server);
});

test("a checkout of 5,000 files reloads once, after it", async (test) => {
  const script = (name, version) => `(window.${name} ??= []).push(${version})\n`;
  const files = (version) => {
    const files = {};
    for (let number = 0; number < 5000; number++) files[`${"abcdefghijklmnopqrstuvwxy"[number % 25]}/${number}.js`] = script("loaded", `"${version}"`);
    return files;
  };
  // Three of them are used: of the first, the middle and the last directory that git comes to.
  const used = ["a/0.js", "m/12.js", "y/24.js"];
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Many</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><script>
      sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1</script>${used.map((name) => `<script src="${name}"></script>`).join("")}`,
    "style.css": "",
    ...files("one"),
  });
  const git = (...words) => promisify(execFile)("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...words], { cwd: site.root });
  await git("init", "-q");
  await git("add", ".");
  await git("commit", "-qm", "one");
  for (const [name, content] of Object.entries(files("two"))) await site.write(name, content);
  await git("commit", "-qam", "two");
  const branch = (await git("branch", "--show-current")).stdout.trim();
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  const shown = (version) => eventually(() => page.run(() => window.loaded?.join()), (loaded) => loaded === [version, version, version].join());
  await shown("two");
  for (const [number, version] of ["one", "two", "one"].entries()) {
    await git("checkout", "-q", version === "one" ? "HEAD~1" : branch);
    await shown(version);
    // What comes too late shows before this does, which needs no reload.
    await site.write("style.css", `html { color: rgb(1, 1, ${number}) }`);
    await eventually(() => page.run(() => getComputedStyle(document.documentElement).color), (color) => color === `rgb(1, 1, ${number})`);
    assert.equal(await page.run(() => Number(sessionStorage.loads)), 1 + (number + 1), "loads");
  }
});
