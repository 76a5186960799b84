// From a save to the frame in which a browser shows it: savecast and others, on the same page, in turns.
//
//     npm ci --prefix benches/painted && node benches/painted/painted.mjs
//
// Prints JSON: for each page and each kind of file, the times of each program in milliseconds. `cargo bench --bench live -- painted`
// makes tables of it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as listen } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";

const here = path.dirname(fileURLToPath(import.meta.url));
const savecast = process.env.SAVECAST ?? path.join(here, "../../target/release/savecast");

/** How often each kind of file is saved, and how long it is quiet before each save, in milliseconds. */
const ROUNDS = Number(process.env.ROUNDS ?? 20);
const PAUSE = Number(process.env.PAUSE ?? 400);

/** How long a frame takes, in milliseconds. */
const FRAME = 1000 / 60;

/** How long a program may take, in milliseconds, until it counts as one that does not tell of this kind of file. */
const DEADLINE = 4000;

/** How often a program may not tell of it until it is asked no more. */
const MISSED = 2;

/** Some of the programs, and some kinds of files. */
const only = process.env.ONLY?.split(","), kinds = process.env.KINDS?.split(",");

// --- The page: the same one for all. Each kind of file has a number that the page shows.

const FILES = {
  stylesheet: ["style.css", (n) => `h1 { outline-offset: ${n}px }\n${"p { margin: 1em 0 }\n".repeat(20)}`],
  "page with scripts": ["index.html", (n, size) => html(n, size, true)],
  "page without scripts": ["plain.html", (n, size) => html(n, size, false), "plain.html"],
  script: ["script.js", (n) => `document.querySelector("#script").textContent = "${n}";\n${"// a line of the script\n".repeat(20)}`],
  data: ["data.json", (n) => JSON.stringify({ n, rows: Array.from({ length: 20 }, (_, id) => ({ id, name: "row" })) })],
  picture: ["picture.svg", (n) => `<svg xmlns="http://www.w3.org/2000/svg" width="${n}" height="20"><rect width="100%" height="20" fill="teal"/></svg>`],
};

const SHOW_DATA = `<script>
const show = (data) => (document.querySelector("#data").textContent = data.n);
if (window.live) new EventSource("/data.json").onmessage = ({ data }) => show(JSON.parse(data));
else fetch("/data.json").then((response) => response.json()).then(show);
</script>`;

const SIZES = {
  small: { paragraphs: 20, sheets: 0 },
  large: { paragraphs: 2000, sheets: 49 },
};

/** A page with a number in it. Where scripts run, the page is only right when it is loaded again. */
function html(n, { paragraphs, sheets }, runs) {
  const links = Array.from({ length: sheets }, (_, sheet) => `<link rel="stylesheet" href="/more${sheet}.css">\n`).join("");
  const text = Array.from({ length: paragraphs }, (_, number) => `<p id="p${number}">Paragraph ${number} of the page.</p>\n`).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>A page</title>
<link rel="stylesheet" href="/style.css">
${links}${runs ? '<script type="module" src="/script.js"></script>' : ""}
</head>
<body>
<h1>A page</h1>
<p id="html">${n}</p><p id="script"></p><p id="data"></p>
<img id="picture" src="/picture.svg" alt="">
${text}${runs ? SHOW_DATA : ""}
</body>
</html>
`;
}

/** Runs in the page, in every document: tells in which frame a number is shown. */
function watch() {
  const seen = {
    stylesheet: () => Number.parseInt(getComputedStyle(document.querySelector("h1")).outlineOffset),
    "page with scripts": () => Number(document.querySelector("#html").textContent),
    "page without scripts": () => Number(document.querySelector("#html").textContent),
    script: () => Number(document.querySelector("#script").textContent),
    data: () => Number(document.querySelector("#data").textContent),
    picture: () => document.querySelector("#picture").naturalWidth,
  };
  const { port1, port2 } = new MessageChannel();
  const look = () => {
    const [kind, n] = JSON.parse(sessionStorage.getItem("wanted") ?? "[]");
    if (!kind) return;
    let shown;
    try {
      shown = seen[kind]();
    } catch {
      // It is not parsed so far.
    }
    if (shown !== n) return void requestAnimationFrame(look);
    sessionStorage.removeItem("wanted");
    // The first message after the frame.
    port2.onmessage = () => painted(JSON.stringify([n, performance.timeOrigin + performance.now()]));
    port1.postMessage("");
  };
  window.want = (kind, n) => {
    sessionStorage.setItem("wanted", JSON.stringify([kind, n]));
    look();
  };
  look();
}

// --- The programs.

const PROGRAMS = {
  "a bare reload": { start: bare, reloads: true },
  savecast: { start: (root) => command(savecast, [root, "--port", "0"], /http:\/\/\S+:(\d+)/), live: true },
  vite: { start: node("vite/bin/vite.js", (root, port) => [root, "--port", port, "--strictPort", "--host", "127.0.0.1"]) },
  "live-server": { start: node("live-server/live-server.js", (root, port) => [root, `--port=${port}`, "--host=127.0.0.1", "--no-browser", "--quiet"]) },
  "live-server --wait=0": { start: node("live-server/live-server.js", (root, port) => [root, `--port=${port}`, "--host=127.0.0.1", "--no-browser", "--wait=0", "--quiet"]) },
  "browser-sync": { start: node("browser-sync/dist/bin.js", (root, port) => ["start", "--server", root, "--files", `${root}/**`, "--port", port, "--host", "127.0.0.1", "--no-open", "--no-ui", "--no-notify"]) },
  "five-server": { start: node("five-server/lib/bin.js", (root, port) => [`--root=${root}`, `--port=${port}`, "--host=127.0.0.1", "--open=false"]) },
};

function node(file, args) {
  return async (root) => {
    const port = await freePort();
    const child = spawn(process.execPath, [path.join(here, "node_modules", file), ...args(root, String(port))], { stdio: "ignore", cwd: root });
    for (;;) {
      try {
        await fetch(`http://127.0.0.1:${port}/`);
        return { port, stop: () => child.kill() };
      } catch {
        if (child.exitCode !== null) throw new Error(`${file} has ended`);
        await pause(50);
      }
    }
  };
}

async function command(program, args, form) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const part of child.stdout) {
    said += part;
    const port = form.exec(said)?.[1];
    if (port) {
      child.stdout.on("data", () => {}).resume?.();
      return { port: Number(port), stop: () => child.kill() };
    }
  }
  throw new Error(`${program} has ended`);
}

/** Files as they are. Whoever saves has the page loaded again: the floor of all that reloads. */
async function bare(root) {
  const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml" };
  const server = createServer(async ({ url }, response) => {
    const name = url === "/" ? "index.html" : url.slice(1);
    try {
      const body = await readFile(path.join(root, name));
      response.writeHead(200, { "content-type": TYPES[path.extname(name)] ?? "text/plain", "cache-control": "no-cache" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: server.address().port, stop: () => server.close() };
}

async function freePort() {
  const server = listen().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// --- The browser, by the Chrome DevTools Protocol.

async function openBrowser() {
  const home = await mkdtemp(path.join(tmpdir(), "savecast-painted-"));
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", `--user-data-dir=${home}`, "about:blank"];
  const child = spawn("chromium", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  const url = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.stderr.on("data", (part) => {
      said += part;
      const match = /ws:\/\/\S+/.exec(said);
      if (match) resolve(match[0]);
    });
  });
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  let last = 0;
  const waiting = new Map(), listeners = new Map();
  socket.on("message", (text) => {
    const { id, result, error, method, params, sessionId } = JSON.parse(text);
    if (id) return error ? waiting.get(id)[1](new Error(error.message)) : waiting.get(id)[0](result);
    if (method === "Runtime.bindingCalled") listeners.get(sessionId)?.(JSON.parse(params.payload));
  });
  const call = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, [resolve, reject]);
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });
  return {
    /** A window of its own, so that it is painted like any other. */
    async open(url, live) {
      const { targetId } = await call("Target.createTarget", { url: "about:blank", newWindow: true });
      const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
      const run = (expression) => call("Runtime.evaluate", { expression, awaitPromise: true }, sessionId);
      await call("Page.enable", {}, sessionId);
      await call("Runtime.enable", {}, sessionId);
      await call("Runtime.addBinding", { name: "painted" }, sessionId);
      await call("Page.addScriptToEvaluateOnNewDocument", { source: `${live ? "window.live = true;" : ""}(${watch})()` }, sessionId);
      await call("Page.navigate", { url }, sessionId);
      const shown = () => new Promise((resolve) => listeners.set(sessionId, resolve));
      return { run, shown };
    },
    async close() {
      await call("Browser.close").catch(() => {});
      await once(child, "exit");
      await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

// --- The measurement.

const clock = () => performance.timeOrigin + performance.now();
const results = {};
const browser = await openBrowser();
for (const [name, size] of Object.entries(SIZES)) {
  if (process.env.SIZE && process.env.SIZE !== name) continue;
  const template = await mkdtemp(path.join(tmpdir(), "savecast-page-"));
  for (const [file, write] of Object.values(FILES)) await writeFile(path.join(template, file), write(1, size));
  for (let sheet = 0; sheet < size.sheets; sheet++) await writeFile(path.join(template, `more${sheet}.css`), `.c${sheet} { color: teal }\n`.repeat(20));
  const sides = [];
  for (const [program, { start, live, reloads }] of Object.entries(PROGRAMS)) {
    if (only && !only.includes(program)) continue;
    const root = await mkdtemp(path.join(tmpdir(), "savecast-site-"));
    await cp(template, root, { recursive: true });
    const server = await start(root);
    const pages = {};
    for (const name of new Set(Object.values(FILES).map(([, , page = ""]) => page))) {
      pages[name] = await browser.open(`http://127.0.0.1:${server.port}/${name}`, live);
    }
    sides.push({ program, root, server, pages, reloads, missed: {} });
  }
  await pause(3000);
  let number = 1;
  const times = (results[name] = {});
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, [file, write, name = ""]] of Object.entries(FILES)) {
      number++;
      if (kinds && !kinds.includes(kind)) continue;
      // In turns, so that what happens to the machine happens to all.
      for (const side of sides) {
        if (side.missed[kind] >= MISSED) continue;
        await pause(PAUSE);
        const page = side.pages[name];
        const shown = page.shown();
        await page.run(`want(${JSON.stringify(kind)}, ${number})`);
        // Frames begin at fixed times. A save comes at any.
        await pause(Math.random() * 2 * FRAME);
        await writeFile(path.join(side.root, file), write(number, size));
        const saved = clock();
        if (side.reloads) void page.run("location.reload()");
        const answer = await Promise.race([shown, pause(DEADLINE)]);
        if (answer) ((times[kind] ??= {})[side.program] ??= []).push(answer[1] - saved);
        else {
          side.missed[kind] = (side.missed[kind] ?? 0) + 1;
          await page.run("location.reload()");
          await pause(1000);
        }
      }
    }
  }
  for (const { server, root } of sides) {
    server.stop();
    await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  await rm(template, { recursive: true, force: true });
}
await browser.close();
if (process.env.SHOW) {
  const at = (times, percent) => times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor((times.length * percent) / 100))].toFixed(0);
  for (const [name, kinds] of Object.entries(results)) {
    for (const [kind, programs] of Object.entries(kinds)) {
      console.log(name, kind, Object.entries(programs).map(([program, times]) => `${program}: ${at(times, 50)} / ${at(times, 95)}`).join(", "));
    }
  }
} else console.log(JSON.stringify(results));
process.exit(0);
