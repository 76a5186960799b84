// Pages of other people's servers, through the proxy: what an edit makes of an open page, while the server starts again, and while it
// is broken. Nothing in these servers knows of us.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import test, { after, before } from "node:test";
import { promisify } from "node:util";
import { counts, eventually, openBrowser, repository, said, SAVECAST, siteWith } from "./support.mjs";

const closing = [];
let page;
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

const modules = path.join(repository, "tests/node_modules");
const PLAIN_APP = process.env.PLAIN_APP ?? path.join(repository, "target/debug/examples/plain-app");

/** Python with Flask. It is made once, while other tests run. */
const python = (async () => {
  const root = await mkdtemp(path.join(tmpdir(), "savecast-flask-"));
  after(() => python.catch(() => {}).then(() => rm(root, { recursive: true, force: true })));
  const run = promisify(execFile), program = path.join(root, "bin/python");
  await run("python3", ["-m", "venv", root]);
  await run(program, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "flask==3.1.3"], { timeout: 120_000 });
  return program;
})();
python.catch(() => {});

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a program that is a server, in a group of its own, because some have others that start them again. */
async function startServer(test, command, args, env, port) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: "ignore", detached: true });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const end = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await end;
  };
  test.after(stop);
  await eventually(() => fetch(`http://localhost:${port}/`, { headers: { connection: "close" } }).then(() => true, () => false), Boolean, `a server at port ${port}`);
  return stop;
}

/** savecast in front of a server, and all that it says of requests. */
async function serveBehind(test, site, port, prefix = "") {
  const args = [site.root, "--port", "0", "--verbose", "--proxy", `${prefix}http://localhost:${port}`];
  const child = spawn(SAVECAST, args, { stdio: ["ignore", "pipe", "pipe"] });
  test.after(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  /** @type {string[]} */
  const lines = [];
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  const [address] = await said(child, /https?:\/\/\S+/);
  return { url: address.replace(/\/$/, ""), lines };
}

const loads = () => page.run(() => performance.timeOrigin);
const color = (selector) => page.run((selector) => getComputedStyle(document.querySelector(selector)).color, selector);

/** The page has its stream, and what it has loaded is followed. */
async function isLive(server, followed) {
  await page.isLive(server);
  await eventually(async () => (await counts(server)).followed, (count) => count >= followed, "followed");
}

/** After a save, a page looks so often whether it is another one. */
const LOOKS = 7;

/** How long after a save the last look is, at least, in milliseconds. */
const LAST_LOOK = 5900;

/** Saves what changes nothing, and waits until the page has looked for the last time. */
async function rest(server, site) {
  const asks = () => server.lines.filter((line) => line.includes("savecast-source")).length;
  const before = asks();
  await site.write("nothing.txt", String(before));
  await eventually(asks, (count) => count >= before + LOOKS, "asks of the page");
}

/** Navigations that ended on an error. What the client asks for is answered without one. */
const errorPages = (server) => server.lines.filter((line) => /^5\d\d GET \/\S* /.test(line));

// The servers. `edit` changes a file of the site; what is seen then is in the table below.
const SERVERS = {
  async flask(test) {
    const site = await siteWith(test, {}, "flask"), port = await freePort();
    const stop = await startServer(test, await python, [path.join(site.root, "app.py")], { PORT: port, PYTHONDONTWRITEBYTECODE: "1" }, port);
    return { site, port, stop, template: "templates/home.html", style: "static/style.css", source: "app.py", say: (text, word) => text.replace(/notes = \["[^"]*"/, `notes = ["${word}"`), word: "li", followed: 2 };
  },
  async express(test) {
    const site = await siteWith(test, {}, "express"), port = await freePort();
    await symlink(modules, path.join(site.root, "node_modules"));
    const stop = await startServer(test, "node", ["--watch", path.join(site.root, "server.js")], { PORT: port }, port);
    return { site, port, stop, template: "page.html", style: "public/style.css", script: "public/count.js", source: "server.js", say: (text, word) => text.replace(/items = \["[^"]*"/, `items = ["${word}"`), word: "li", followed: 4 };
  },
  async php(test) {
    const site = await siteWith(test, {
      "index.php": "<!doctype html><html><head><title>PHP</title><link rel=stylesheet href=style.css></head><body><?php include 'word.php'; include 'page.html'; ?></body></html>",
      "word.php": "<b><?= 'one' ?></b>",
      "page.html": "<h1>PHP</h1><p>first</p>",
      "style.css": "h1 { color: rgb(9, 9, 9) }",
    });
    const port = await freePort();
    const stop = await startServer(test, "php", ["-S", `localhost:${port}`, "-t", site.root], {}, port);
    return { site, port, stop, template: "page.html", style: "style.css", source: "word.php", say: (text, word) => text.replace(/'\w+'/, `'${word}'`), word: "b", followed: 2 };
  },
  async actix(test) {
    const site = await siteWith(test, {
      "page.html": "<!doctype html><html><head><title>actix</title><link rel=stylesheet href=/static/style.css></head><body><h1>actix</h1><b>{{ word }}</b><p>first</p></body></html>",
      "source.txt": "one",
      "static/style.css": "h1 { color: rgb(9, 9, 9) }",
    });
    const port = await freePort();
    let stop = await startServer(test, PLAIN_APP, [site.root, String(port)], {}, port);
    // As a program does that builds and starts it again.
    const restart = async () => {
      await stop();
      stop = await startServer(test, PLAIN_APP, [site.root, String(port)], {}, port);
    };
    return { site, port, stop: () => stop(), restart, template: "page.html", style: "static/style.css", source: "source.txt", say: (_, word) => word, word: "b", followed: 2 };
  },
};

for (const [name, start] of Object.entries(SERVERS)) {
  test(`an edit is seen, once, and never an error: ${name}`, async (test) => {
    const it = await start(test);
    const server = await serveBehind(test, it.site, it.port);
    const read = (file) => readFile(path.join(it.site.root, file), "utf8");
    await page.open(server.url);
    await isLive(server, it.followed);
    await eventually(() => page.run(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/page/answer.js"))));
    const first = await loads();

    // A stylesheet is swapped.
    await it.site.write(it.style, "h1 { color: rgb(1, 2, 3) }");
    await eventually(() => color("h1"), (color) => color === "rgb(1, 2, 3)");
    assert.equal(await loads(), first, "a stylesheet is swapped in place");

    // A template: in place where no script runs, loaded again where one does.
    const template = await read(it.template);
    const edited = template.replace("<h1>", "<h1 class=new>").replace(/<p( id="count")?>/, "<p$1 title=edited>");
    await it.site.write(it.template, edited);
    await eventually(() => page.run(() => document.querySelector("h1.new") !== null));
    if (it.script) await eventually(loads, (now) => now !== first);
    else assert.equal(await loads(), first, "a page without scripts is changed in place");
    await isLive(server, it.followed);
    const second = await loads();

    if (it.script) {
      await it.site.write(it.script, "document.querySelector('#count').textContent = 'another script'");
      await eventually(() => page.text("#count"), (text) => text === "another script");
      await isLive(server, it.followed - 1);
      assert.notEqual(await loads(), second, "a script has the page loaded again");
    }

    // What the server is made of: it starts again, and the page waits for it.
    const before = await loads();
    await it.site.write(it.source, it.say(await read(it.source), "restarted"));
    await it.restart?.();
    await eventually(() => page.text(it.word), (text) => text === "restarted");
    await isLive(server, it.followed - (it.script ? 1 : 0));
    const restarted = await loads();
    if (!it.script) assert.equal(restarted, before, "it is changed in place");

    // The template is broken, and then it is not.
    if (name === "flask" || name === "actix") {
      await it.site.write(it.template, "{% if %}");
      await eventually(() => page.run(() => document.querySelector("savecast-problems")?.shadowRoot.textContent ?? ""), (text) => /\(500\).*(TemplateSyntaxError|Bad template)/s.test(text));
      assert.equal(await page.text(it.word), "restarted", "the page stays as it was");
      await it.site.write(it.template, edited.replace("<h1 class=new>", "<h1 class=recovered>"));
      await eventually(() => page.run(() => document.querySelector("h1.recovered") !== null && document.querySelector("savecast-problems") === null));
      assert.equal(await loads(), restarted, "recovering is a change in place");
    }
    await rest(server, it.site);
    assert.equal(await loads(), restarted, "nothing is loaded twice");
    assert.deepEqual(errorPages(server), []);

    // Stopped for long: the page says so, and goes on by itself.
    await it.stop();
    await it.site.write("touched.txt", "1");
    await eventually(() => page.run(() => document.querySelector("savecast-problems")?.shadowRoot.textContent ?? ""), (text) => /refuses connections/.test(text));
    assert.equal(await loads(), restarted);
    if (it.restart) {
      await it.restart();
      await eventually(() => page.run(() => document.querySelector("savecast-problems") === null));
      assert.equal(await loads(), restarted, "it is the same page");
    }
    // An answer that was on its way when the server ended is one.
    const isError = (line) => line.startsWith(`SEVERE ${server.url}`) && !/favicon|savecast-source/.test(line);
    assert.deepEqual((await page.console()).filter(isError), []);
  });
}

/** A server in this program. `answers` has what it says at a path: a text, or a text with headers; `wait` may take its time before that. */
async function answering(test, answers, wait = async () => {}) {
  const port = await freePort();
  const upstream = createServer(async (request, response) => {
    await wait(request);
    const answer = request.url === "/favicon.ico" ? undefined : answers(request);
    if (answer === undefined) return response.writeHead(404).end();
    const [text, headers = {}] = [answer].flat();
    response.setHeaders(new Headers({ "content-type": "text/html; charset=utf-8", ...headers }));
    response.end(text);
  }).listen(port, "127.0.0.1");
  await once(upstream, "listening");
  const stop = () => {
    upstream.close();
    upstream.closeAllConnections();
  };
  test.after(stop);
  return { port, stop, start: () => upstream.listen(port, "127.0.0.1") };
}

test("the data of a server is live beside the files of a directory", async (test) => {
  let price = 1, list = ["one"];
  const json = { "content-type": "application/json" };
  const upstream = await answering(test, ({ url, headers }) => {
    if (url === "/api/price?in=usd") return [JSON.stringify({ price, who: /user=\d+/.exec(headers.cookie)?.[0] }), json];
    if (url === "/api/list") return [JSON.stringify(list), json];
  });
  const site = await siteWith(test, {
    "index.html": `<!doctype html><link rel=stylesheet href=style.css><b data-live="/api/price?in=usd#/price"></b><i></i><u></u><script type=module>
      import { follow } from "/_savecast/live.js";
      document.cookie = "user=42";
      follow("/api/price?in=usd", ({ price, who }) => (document.querySelector("i").textContent = price + " for " + who));
      document.querySelector("u").textContent = await (await fetch("/api/list")).text();
    </script>`,
    "style.css": "b { color: rgb(1, 1, 1) }",
    "server.js": "",
  });
  const server = await serveBehind(test, site, upstream.port, "/api=");
  await page.open(server.url);
  await page.isLive(server);
  await eventually(() => page.text("b"), (text) => text === "1");
  await eventually(() => page.text("i"), (text) => text === "1 for user=42");
  const first = await loads();
  await site.write("style.css", "b { color: rgb(2, 2, 2) }");
  await eventually(() => color("b"), (color) => color === "rgb(2, 2, 2)");
  price = 2;
  await site.write("server.js", "2");
  await eventually(() => page.text("b"), (text) => text === "2");
  await eventually(() => page.text("i"), (text) => text === "2 for user=42");
  assert.equal(await loads(), first, "what is followed is shown in place");
  // What a script has fetched for itself.
  await eventually(() => page.text("u"), (text) => text === '["one"]');
  list = ["two"];
  await site.write("server.js", "3");
  await eventually(() => page.text("u"), (text) => text === '["two"]');
  assert.notEqual(await loads(), first);
});

test("what a browser may keep for long is another one after a save", async (test) => {
  let word = "one";
  const kept = { "cache-control": "max-age=3600" };
  const upstream = await answering(test, ({ url }) => {
    if (url === "/app.js") return [`document.querySelector("p").textContent = "${word}"`, { "content-type": "text/javascript", ...kept }];
    if (url === "/style.css") return [`h1 { color: rgb(1, 1, ${word.length}) }`, { "content-type": "text/css", ...kept }];
    return "<!doctype html><link rel=stylesheet href=/style.css><h1>kept</h1><p></p><script src=/app.js></script>";
  });
  const site = await siteWith(test, { "app.py": "" });
  const server = await serveBehind(test, site, upstream.port);
  await page.open(server.url);
  await isLive(server, 3);
  for (const next of ["three", "thirteen"]) {
    word = next;
    await site.write("app.py", next);
    await eventually(() => page.text("p"), (text) => text === next);
    await eventually(() => color("h1"), (color) => color === `rgb(1, 1, ${next.length})`);
    await isLive(server, 3);
    // The browser keeps the new ones.
    await page.open(`${server.url}/?${next}`);
    assert.equal(await page.text("p"), next);
    // Firefox has a store for stylesheets that nobody can renew, and so it is swapped.
    await eventually(() => color("h1"), (color) => color === `rgb(1, 1, ${next.length})`);
    await isLive(server, 3);
  }
});

test("a page that gets fragments from its server is as new as they are", async (test) => {
  let word = "one", looked = 0;
  const htmx = await readFile(path.join(modules, "htmx.org/dist/htmx.min.js"), "utf8");
  const upstream = await answering(test, ({ url }) => {
    if (url === "/htmx.js") {
      looked = performance.now();
      return [htmx, { "content-type": "text/javascript" }];
    }
    if (url === "/part") return `<em>${word}</em>`;
    const boost = url === "/" ? "<a id=next href=/next>next</a>" : "<u>the next page</u>";
    return `<!doctype html><head><title>${url}</title><script src=/htmx.js></script></head><body hx-boost:inherited="true"><h1>${word}</h1><button hx-get=/part hx-target=#here>get</button><p id=here></p>${boost}</body>`;
  });
  const site = await siteWith(test, { "app.py": "" });
  const server = await serveBehind(test, site, upstream.port);
  await page.open(server.url);
  await isLive(server, 2);
  await page.run(() => document.querySelector("button").click());
  await eventually(() => page.text("#here em"), (text) => text === "one");
  assert.equal(await page.run(() => document.querySelector("#here").innerHTML), "<em>one</em>", "a fragment is left as it is");
  word = "two";
  await site.write("app.py", "2");
  await eventually(() => page.text("h1"), (text) => text === "two");
  await isLive(server, 2);
  // A page that a script gives another address is loaded again by the next look, so there must be none left.
  const saved = performance.now();
  await site.write("nothing.txt", "");
  await eventually(() => looked - saved, (after) => after >= LAST_LOOK, "the last look");
  // Led to another page without a navigation, by htmx, which has to be there.
  await eventually(() => page.run(() => document.readyState === "complete"));
  const before = await loads();
  await page.run(() => document.querySelector("#next").click());
  await eventually(() => page.run(() => location.pathname + document.querySelector("u")?.textContent), (text) => text === "/nextthe next page");
  assert.equal(await loads(), before, "htmx has changed the page");
  word = "three";
  await site.write("app.py", "3");
  await eventually(() => page.text("h1"), (text) => text === "three");
  assert.equal(await page.run(() => location.pathname + document.querySelector("u")?.textContent), "/nextthe next page");
});

test("two tabs that get another answer each time leave each other alone, and both hear of a save", async (test) => {
  let word = "one", times = 0, looked = 0;
  const upstream = await answering(test, ({ url }) => {
    if (url === "/style.css") {
      looked = performance.now();
      return ["h1 { color: red }", { "content-type": "text/css" }];
    }
    if (url === "/api/now") return [JSON.stringify({ word, time: ++times, token: crypto.randomUUID() }), { "content-type": "application/json" }];
    return "<!doctype html><link rel=stylesheet href=/style.css><h1></h1><script>fetch('/api/now').then((response) => response.json()).then(({ word }) => (document.querySelector('h1').textContent = word))</script>";
  });
  const site = await siteWith(test, { "app.py": "" });
  const server = await serveBehind(test, site, upstream.port);
  const pages = () => server.lines.filter((line) => /GET \/ /.test(line)).length;
  const atRest = async () => {
    const saved = performance.now();
    await site.write("nothing.txt", String(saved));
    await eventually(() => looked - saved, (after) => after >= LAST_LOOK, "the last look");
  };
  await page.open(server.url);
  await isLive(server, 3);
  const first = await page.tab();
  await page.newTab();
  test.after(() => page.close(first));
  await page.open(server.url);
  await page.isLive(server);
  await atRest();
  assert.equal(pages(), 2, "each is loaded once");
  word = "two";
  await site.write("app.py", "2");
  const second = await page.tab();
  await eventually(() => page.text("h1"), (text) => text === "two");
  await page.goTo(first);
  await eventually(() => page.text("h1"), (text) => text === "two");
  await page.goTo(second);
  await atRest();
  assert.equal(pages(), 4, "each is loaded again once");
});

test("a form, a token and a session work, and what is typed stays", async (test) => {
  const it = await SERVERS.flask(test);
  const server = await serveBehind(test, it.site, it.port);
  await page.open(server.url);
  await isLive(server, 2);
  await page.run(() => {
    document.querySelector("input[name=note]").value = "half a word";
    document.querySelector("input[name=note]").dispatchEvent(new InputEvent("input", { bubbles: true }));
  });
  // The page says another time and another nonce whenever it is asked for.
  const first = await loads();
  await rest(server, it.site);
  assert.equal(await loads(), first);
  const effects = () => server.lines.filter((line) => /changed|reloaded/.test(line)).length;
  assert.equal(effects(), 0, "what is another one each time is no change");
  assert.equal(await page.run(() => document.querySelector("input[name=note]").value), "half a word");
  // Posted, and led back to the page at our address.
  await page.run(() => document.querySelector("form").submit());
  await eventually(() => page.run(() => [...document.querySelectorAll("li")].at(-1).textContent), (text) => text === "half a word");
  assert.ok((await page.run(() => location.href)).startsWith(server.url));
  // What has no stream is one.
  await page.open(`${server.url}/clock`);
  await eventually(() => page.text("output"), (text) => Number(text) > 1_700_000_000);
});

test("who opens a page while the server starts again waits for it", async (test) => {
  const port = await freePort();
  const site = await siteWith(test, { "app.py": "" });
  const server = await serveBehind(test, site, port);
  const opened = page.open(`${server.url}/page`);
  await eventually(async () => (await fetch(`${server.url}/data`)).status, (status) => status === 502);
  const upstream = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><h1>here"));
  upstream.listen(port, "127.0.0.1");
  test.after(() => {
    upstream.close();
    upstream.closeAllConnections();
  });
  await opened;
  assert.equal(await page.text("h1"), "here");
  await page.isLive(server);
  // It is away for longer than anybody waits.
  upstream.close();
  upstream.closeAllConnections();
  await page.open(`${server.url}/page`);
  assert.match(await page.text("h1"), /does not answer/);
  await page.isLive(server);
  upstream.listen(port, "127.0.0.1");
  await eventually(() => page.text("h1"), (text) => text === "here");
});

test("a page that is slow to load is not loaded again for being opened", async (test) => {
  const site = await siteWith(test, { "app.py": "" });
  const slow = "<!doctype html><h1>slow</h1><img src=/slow.png>";
  const upstream = await answering(test, ({ url }) => (url === "/slow.png" ? undefined : slow), async ({ url }) => url === "/slow.png" && new Promise((resolve) => setTimeout(resolve, 1000)));
  const server = await serveBehind(test, site, upstream.port);
  // Nothing was watched before, so the page asks once whether it is still the same, and may not know yet how it was written.
  await page.open(server.url);
  await isLive(server, 1);
  const first = await loads();
  await rest(server, site);
  assert.equal(await loads(), first);
  assert.equal(server.lines.filter((line) => /GET \/ /.test(line)).length, 1);
});

test("policies stay what they are for the page, and let the client in", async (test) => {
  const site = await siteWith(test, { "app.py": "" });
  let word = "one", style = "h1 { color: rgb(1, 1, 1) }";
  const policies = {
    none: ["default-src 'none'; style-src 'self'"],
    nonce: ["script-src 'nonce-abc'; connect-src 'none'; worker-src 'none'"],
    strict: ["script-src 'nonce-abc' 'strict-dynamic'; default-src 'self'"],
    hash: ["script-src 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' 'strict-dynamic'"],
    two: ["script-src 'self'", "script-src 'nonce-abc'; connect-src https://api.example"],
    trusted: ["require-trusted-types-for 'script'; trusted-types dompurify; script-src 'self'"],
  };
  const upstream = await answering(test, ({ url }) => {
    if (url.endsWith(".css")) return [style, { "content-type": "text/css" }];
    const headers = new Headers();
    policies[url.slice(1)]?.forEach((policy) => headers.append("content-security-policy", policy));
    return [`<!doctype html><head><link rel=stylesheet href=/style.css></head><h1>${word}</h1><img src=x onerror="window.hacked = true">`, Object.fromEntries(headers)];
  });
  const server = await serveBehind(test, site, upstream.port);
  for (const [number, name] of Object.keys(policies).entries()) {
    await page.open(`${server.url}/${name}`);
    await isLive(server, 2);
    const first = await loads();
    style = `h1 { color: rgb(2, 2, ${number}) }`;
    await site.write("style.txt", String(number));
    await eventually(() => color("h1"), (color) => color === `rgb(2, 2, ${number})`, name);
    assert.equal(await loads(), first, name);
    // It has a handler that the policies forbid, and so the page is loaded again.
    word = name;
    await site.write("word.txt", name);
    await eventually(() => page.text("h1"), (text) => text === name, name);
    assert.equal(await page.run(() => window.hacked === undefined), true, name);
    await page.console();
  }
});

test("Vite's own client does what it does, and is left alone", async (test) => {
  const site = await siteWith(test, {
    "index.html": "<!doctype html><head><title>Vite</title></head><h1>Vite</h1><p></p><script type=module src=/main.js></script>",
    "main.js": "import './style.css'; import { word } from './word.js'; const show = (word) => (document.querySelector('p').textContent = word); show(word); import.meta.hot.accept('./word.js', (module) => show(module.word));",
    "word.js": "export const word = 'one';",
    "style.css": "h1 { color: rgb(1, 1, 1) }",
  });
  const port = await freePort();
  await symlink(modules, path.join(site.root, "node_modules"));
  const args = [path.join(modules, "vite/bin/vite.js"), site.root, "--port", String(port), "--strictPort", "--host", "127.0.0.1"];
  await startServer(test, "node", args, { XDG_CACHE_HOME: site.root }, port);
  const server = await serveBehind(test, site, port);
  await page.leave();
  await page.open(server.url);
  await eventually(() => page.text("p"), (text) => text === "one");
  await page.isLive(server);
  // What is saved before it has its WebSocket is lost to it.
  await eventually(async () => (await page.console()).join("\n"), (lines) => lines.includes("[vite] connected"), "Vite's client");
  const first = await loads();
  await site.write("word.js", "export const word = 'two';");
  await eventually(() => page.text("p"), (text) => text === "two");
  await site.write("style.css", "h1 { color: rgb(2, 2, 2) }");
  await eventually(() => color("h1"), (color) => color === "rgb(2, 2, 2)");
  assert.equal(await loads(), first, "both are changed by Vite, in place");
  assert.equal((await counts(server)).followed, 1, "only that the server is there is followed");
});
