// Pages of an edge: a real Redis between it and the origin, and a real browser.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { after, before } from "node:test";
import { promisify } from "node:util";
import { eventually, openBrowser, said, SAVECAST, serve, siteWith } from "./support.mjs";

const closing = [];
let page;
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** A Redis server on a socket, and the option that connects to it. */
async function startRedis(test) {
  const folder = await mkdtemp(path.join(tmpdir(), "savecast-redis-"));
  const socket = path.join(folder, "redis.sock");
  const child = spawn("redis-server", ["--port", "0", "--save", "", "--dir", folder, "--unixsocket", socket], { stdio: "ignore" });
  const end = once(child, "exit");
  test.after(async () => {
    child.kill("SIGKILL");
    await end;
    await rm(folder, { recursive: true, force: true });
  });
  const ping = () => promisify(execFile)("redis-cli", ["-s", socket, "PING"]).then(({ stdout }) => stdout.trim(), () => "");
  await eventually(ping, (answer) => answer === "PONG", "the answer of Redis");
  return { folder, options: ["--relay", `redis+unix://${socket}`] };
}

/** An edge that hears an origin. */
async function startEdge(test, { folder, options }) {
  const child = spawn(SAVECAST, ["--edge", "--port", "0", ...options], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  const end = once(child, "exit");
  test.after(async () => (child.kill("SIGKILL"), end));
  const [address] = await said(child, /http:\/\/\S+/);
  const url = address.replace(/\/$/, "");
  const status = () => fetch(`${url}/_savecast/status`).then((answer) => answer.json());
  await eventually(status, ({ relay }) => relay.origin === true, "the status of the edge");
  return { url, status };
}

test("pages of an edge are live", async (test) => {
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>x</title><link rel="stylesheet" href="a.css"><h1>one</h1><input id="typed"><pre id="data"></pre>
      <script>new EventSource("data.json").onmessage = ({ data: text }) => (document.getElementById("data").textContent = text)</script>`,
    "a.css": "h1 { color: rgb(1, 2, 3) }",
    "data.json": "1",
  });
  const redis = await startRedis(test);
  let origin = await serve(test, site, 0, redis.options);
  const edge = await startEdge(test, redis);
  await page.open(`${edge.url}/`);
  const colour = () => page.run(() => getComputedStyle(document.querySelector("h1")).color);
  await eventually(() => page.text("#data"), (data) => data === "1", "the data");
  await page.run(() => {
    document.getElementById("typed").value = "typed";
    window.same = true;
  });
  const isSame = () => page.run(() => window.same === true && document.getElementById("typed").value === "typed");
  await site.write("data.json", "2");
  await eventually(() => page.text("#data"), (data) => data === "2", "the data");
  await site.write("a.css", "h1 { color: rgb(4, 5, 6) }");
  await eventually(colour, (colour) => colour === "rgb(4, 5, 6)", "the colour");
  assert.ok(await isSame());
  // The origin is away: the page stays, and what it has missed comes with the next one.
  await origin.stop("SIGKILL");
  await eventually(edge.status, ({ relay }) => relay.origin === false, "the status of the edge");
  await site.write("a.css", "h1 { color: rgb(7, 8, 9) }");
  await site.write("data.json", "3");
  assert.equal(await colour(), "rgb(4, 5, 6)");
  origin = await serve(test, site, 0, redis.options);
  await eventually(colour, (colour) => colour === "rgb(7, 8, 9)", "the colour");
  await eventually(() => page.text("#data"), (data) => data === "3", "the data");
  assert.ok(await isSame());
});

test("a page that an edge could not have comes by itself", async (test) => {
  const site = await siteWith(test, { "late.html": "<!doctype html><title>x</title><h1>late</h1>", "index.html": "x" });
  const redis = await startRedis(test);
  const origin = await serve(test, site, 0, redis.options);
  const edge = await startEdge(test, redis);
  await origin.stop("SIGKILL");
  await eventually(edge.status, ({ relay }) => relay.origin === false, "the status of the edge");
  await page.open(`${edge.url}/late.html`);
  const heading = () => page.text("h1");
  assert.match(await heading(), /can’t be served now/);
  await serve(test, site, 0, redis.options);
  await eventually(heading, (heading) => heading === "late", "the heading");
});
