// A site in a folder of its own, the built server that serves it, and a real browser that looks at it. All deadlines are
// here.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** How long anything may take on the slowest machine, in milliseconds. Only a test that fails waits for it. */
export const DEADLINE = 20_000;

/** The built server. The test command says which build. */
export const SAVECAST = process.env.SAVECAST ?? path.join(repository, "target/debug/savecast");

/** What browsers take for a name of this machine, and for one of a network: unlike `localhost`, it is not secure by itself. */
export const NAME = "savecast.test";

/** A folder of files that goes away with the test. */
export async function siteWith(test, files, example) {
  const root = await mkdtemp(path.join(tmpdir(), "savecast-"));
  test.after(() => rm(root, { recursive: true, force: true }));
  if (example) await cp(path.join(repository, "examples", example), root, { recursive: true });
  const site = {
    root,
    async write(name, content) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), content);
    },
    remove: (name) => rm(path.join(root, name)),
    /** Saves as scripts do: under another name, then renamed. */
    async replace(name, content) {
      await writeFile(path.join(root, ".new"), content);
      await rename(path.join(root, ".new"), path.join(root, name));
    },
  };
  for (const [name, content] of Object.entries(files)) await site.write(name, content);
  return site;
}

/** Starts the server and waits until it says where it is. `env` are variables for it besides ours. */
export async function serve(test, site, port = 0, options = [], env = {}) {
  const args = [site.root, "--port", String(port), ...options];
  const child = spawn(SAVECAST, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const end = once(child, "exit");
  const stop = async (signal = "SIGTERM") => (child.kill(signal), end);
  test.after(() => stop("SIGKILL"));
  const [address] = await said(child, /https?:\/\/\S+/);
  const url = address.replace(/\/$/, "");
  return { url, port: Number(new URL(url).port), stop };
}

/** Waits for a line of this form, and goes on reading, so that the pipe never fills. */
export function said(child, form, output = child.stdout) {
  return new Promise((resolve, reject) => {
    createInterface({ input: output }).on("line", (line) => {
      const match = form.exec(line);
      if (match) resolve(match);
    });
    child.once("exit", () => reject(new Error(`${child.spawnfile} ended instead of starting`)));
    child.once("error", reject);
  });
}

/** Asks again until the answer is as wished. */
export async function eventually(ask, wish = Boolean, what = ask.toString()) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const answer = await ask();
    if (wish(answer)) return answer;
    if (Date.now() > end) throw new Error(`${what} stays ${JSON.stringify(answer)}`);
    await pause(10);
  }
}

/**
 * A browser with a page: Chromium, or Firefox if `BROWSER` says so. It has a home of its own. `prepare` is called before it
 * starts, with that home, and with the directory in which it looks for the certificates that it believes.
 */
export async function openBrowser(test, prepare = () => {}) {
  if (process.env.BROWSER !== "firefox") return withMarks(await openChromium(test, prepare));
  const { openFirefox } = await import("./firefox.mjs");
  return withMarks(await openFirefox(test, prepare));
}

/** The driver wants the same port for IPv4 and IPv6, and ends if the one that it was given for one is taken for the other. */
async function startDriver(env, tries = 5) {
  const driver = spawn("chromedriver", ["--port=0"], { env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [, port] = await said(driver, / successfully on port (\d+)/);
    return { driver, port };
  } catch (error) {
    if (tries > 1) return startDriver(env, tries - 1);
    throw error;
  }
}

/** Headless Chromium, by WebDriver (W3C), which is JSON over HTTP. */
async function openChromium(test, prepare) {
  const home = await mkdtemp(path.join(tmpdir(), "savecast-browser-"));
  await prepare(home, path.join(home, ".pki/nssdb"));
  const { driver, port } = await startDriver(envWith(home));
  let leave = () => {};
  // The browser goes first, or else it stays without its driver.
  test.after(async () => {
    await leave();
    driver.kill();
  });
  const call = async (method, url, body) => {
    const response = await fetch(`http://127.0.0.1:${port}/session${url}`, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${url}: ${value.message}`);
    return value;
  };
  const args = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", `--user-data-dir=${path.join(home, "profile")}`,
    `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
  ];
  const capabilities = {
    alwaysMatch: { "goog:chromeOptions": { args }, "goog:loggingPrefs": { browser: "ALL" }, timeouts: { script: DEADLINE } },
  };
  const { sessionId } = await call("POST", "", { capabilities });
  leave = async () => {
    await call("DELETE", `/${sessionId}`).catch(() => {});
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  const session = (method, url, body) => call(method, `/${sessionId}${url}`, body);
  const page = {
    open: (url) => session("POST", "/url", { url }),
    /** Runs a function in the page, with arguments that survive JSON. A promise is waited for. */
    run: (code, ...args) => session("POST", "/execute/sync", { script: `return (${code})(...arguments)`, args }),
    /** What the page and the browser have written to the console since the last call. */
    console: async () => (await session("POST", "/se/log", { type: "browser" })).map(({ level, message }) => `${level} ${message}`),
    screenshot: () => session("GET", "/screenshot"),
    /** Makes the page as large as the screen of a phone. */
    resize: (width, height) => session("POST", "/goog/cdp/execute", {
      cmd: "Emulation.setDeviceMetricsOverride", params: { width, height, deviceScaleFactor: 0, mobile: true },
    }),
    back: () => session("POST", "/back", {}),
    /** Opens another tab, goes there, and says which one it is. */
    async newTab() {
      const { handle } = await session("POST", "/window/new", { type: "tab" });
      await session("POST", "/window", { handle });
      return handle;
    },
    tab: () => session("GET", "/window"),
    goTo: (handle) => session("POST", "/window", { handle }),
    /** Closes this tab and goes to another one. */
    async close(handle) {
      await session("DELETE", "/window");
      await session("POST", "/window", { handle });
    },
  };
  return page;
}

/** Variables of a person with this home, and nothing elsewhere. */
export function envWith(home) {
  const { XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_CACHE_HOME, CAROOT, ...env } = process.env;
  return { ...env, HOME: home };
}

/** What one can ask of any page. */
function withMarks(page) {
  return Object.assign(page, {
    /** Leaves a mark that a reload would take away. */
    mark: () => page.run(() => void (window.mark = true)),
    isMarked: () => page.run(() => window.mark === true),
    /** Leaves the page, which would go on to write to the console, and forgets what it has written. */
    async leave() {
      await page.open("about:blank");
      await page.console();
    },
    text: (selector) => page.run((selector) => document.querySelector(selector)?.textContent, selector),
    /** Waits until the page has a stream. */
    isLive: (server) => eventually(() => streams(server), (streams) => streams === 1, "the number of streams"),
  });
}

/** What the server counts. If it speaks HTTPS, the authority of its certificate is in `ca`. */
export async function counts({ url, ca }) {
  const status = `${url}/_savecast/status`;
  if (!ca) return (await fetch(status)).json();
  const [answer] = await once(get(status, { ca, agent: false }), "response");
  return json(answer);
}

/** The number of open streams. */
export async function streams(server) {
  return (await counts(server)).streams;
}
