// Headless Firefox, as a second opinion: the same page as that of `openBrowser`, by WebDriver BiDi (W3C), which is JSON
// over a WebSocket. Not that of Node 20, which sends a mask of zeros after 4,096 messages, and Firefox hangs up on it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import WebSocket from "ws";

import { DEADLINE, NAME, envWith, said } from "./support.mjs";

/** Debian's name for it. Elsewhere it may be another one. */
const FIREFOX = process.env.FIREFOX ?? "firefox-esr";

/** The levels of console messages, in the words of Chromium's driver. */
const LEVELS = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "SEVERE" };

/** The page of a new Firefox. See `openBrowser`. */
export async function openFirefox(test, prepare) {
  // Not all that it writes is in its profile.
  const home = await mkdtemp(path.join(tmpdir(), "savecast-firefox-"));
  const profile = path.join(home, ".mozilla/firefox/test");
  await mkdir(profile, { recursive: true });
  await writeFile(path.join(profile, "user.js"), `user_pref("network.dns.localDomains", "${NAME}");\n`);
  await prepare(home, profile);
  const args = ["--headless", "--remote-debugging-port=0", "--profile", profile];
  const browser = spawn(FIREFOX, args, { env: envWith(home), stdio: ["ignore", "ignore", "pipe"] });
  const end = new Promise((resolve) => browser.once("close", resolve));
  let bidi;
  test.after(async () => {
    if (!(await bidi?.call("browser.close").catch(() => {}))) browser.kill("SIGKILL");
    // Not only its own end but that of all its processes, which write into the home until then.
    await end;
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  const [, address] = await said(browser, /BiDi listening on (ws:\S+)/, browser.stderr);
  bidi = await connect(`${address}/session`);
  await bidi.call("session.new", { capabilities: {} });
  await bidi.call("session.subscribe", { events: ["log.entryAdded"] });
  // Not the tab that it starts with, which has rights of its own.
  const create = async () => (await bidi.call("browsingContext.create", { type: "tab" })).context;
  let context = await create();

  const page = {
    open: (url) => bidi.call("browsingContext.navigate", { context, url, wait: "complete" }),
    /** Runs a function in the page, with arguments that survive JSON. A promise is waited for. */
    async run(code, ...args) {
      // As Chromium's driver does it: when the page is loaded, and with null for undefined.
      const functionDeclaration = `async (args) => {
        if (document.readyState !== "complete") await new Promise((resolve) => addEventListener("load", resolve));
        return JSON.stringify((await (${code})(...JSON.parse(args))) ?? null);
      }`;
      const call = { functionDeclaration, arguments: [{ type: "string", value: JSON.stringify(args) }] };
      for (const end = Date.now() + DEADLINE; ; ) {
        try {
          const answer = await bidi.call("script.callFunction", { ...call, target: { context }, awaitPromise: true });
          if (answer.type === "exception") throw new Error(answer.exceptionDetails.text);
          return JSON.parse(answer.result.value);
        } catch (error) {
          // The page was left meanwhile, so the next one is asked.
          if (error.code !== "no such frame" || Date.now() > end) throw error;
        }
      }
    },
    /** What all tabs have written to the console since the last call. */
    async console() {
      // Whatever was written before comes before this answer.
      await page.run(() => {});
      return bidi.entries.splice(0).map(({ level, text }) => `${LEVELS[level]} ${text}`);
    },
    screenshot: async () => (await bidi.call("browsingContext.captureScreenshot", { context })).data,
    /** Makes the page as large as the screen of a phone. */
    resize: (width, height) => bidi.call("browsingContext.setViewport", { context, viewport: { width, height } }),
    back: () => bidi.call("browsingContext.traverseHistory", { context, delta: -1 }),
    /** Opens another tab, goes there, and says which one it is. */
    newTab: async () => (context = await create()),
    tab: async () => context,
    /** Also shows it: the others are hidden. */
    goTo: (handle) => bidi.call("browsingContext.activate", { context: (context = handle) }),
    /** Closes this tab and goes to another one. */
    async close(handle) {
      await bidi.call("browsingContext.close", { context });
      await page.goTo(handle);
    },
  };
  return page;
}

/** A connection that brings commands to the browser, and gathers what is written to consoles. */
async function connect(url) {
  const socket = new WebSocket(url);
  await once(socket, "open");
  /** Commands that wait for an answer, by their number. */
  const waiting = new Map();
  const entries = [];
  let last = 0;
  socket.on("message", (data) => {
    const { id, type, method, result, params, error, message } = JSON.parse(data);
    if (method === "log.entryAdded") entries.push(params);
    const command = waiting.get(id);
    waiting.delete(id);
    if (type === "success") command.resolve(result);
    if (type === "error") command.reject(Object.assign(new Error(`${command.method}: ${message}`), { code: error }));
  });
  // What has failed is also closed.
  socket.on("error", () => {});
  socket.on("close", () => {
    for (const { method, reject } of waiting.values()) reject(new Error(`${method}: ${FIREFOX} has gone`));
  });
  const call = (method, params = {}) => new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, { method, resolve, reject });
    socket.send(JSON.stringify({ id, method, params }), (error) => error && reject(error));
    setTimeout(() => reject(new Error(`${method} has no answer`)), DEADLINE).unref();
  });
  return { call, entries };
}
