// What goes wrong in a page is told at the terminal.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { eventually, openBrowser, SAVECAST, siteWith } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** A server, and all that it says on standard error. */
async function serve(test, site, options = []) {
  const child = spawn(SAVECAST, [site.root, "--port", "0", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const end = once(child, "exit");
  test.after(() => (child.kill("SIGKILL"), end));
  const said = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { url: /https?:\/\/\S+(?=\/)/.exec(line)[0], said, has: (part) => eventually(() => said.find((line) => line.includes(part)), Boolean, part) };
}

const with_ = (script) => `<!doctype html><body><script>${script}</script>`;

test("errors, rejections, failed loads and what a policy forbids are told with their place", async (test) => {
  const site = await siteWith(test, {
    "index.html": '<!doctype html><body><script src="app.js"></script><script type="module">await 0;\nthrow new TypeError("in a module")</script><img src="gone.png"><img src="http://127.0.0.1:1/other.png">',
    "app.js": "\n  missing();\n",
    "rejected.html": with_("Promise.reject(new Error('no'));\nPromise.reject('plain')"),
    "policy.html": '<!doctype html><meta http-equiv="content-security-policy" content="img-src \'none\'"><body><img src="a.png">',
    "console.html": with_("console.log('log'); console.error('%s is %d', 'it', 5.5, { a: [1, 'x'], e: new Error('inner') });\nconsole.error(document.body)"),
  });
  const server = await serve(test, site);
  await page.open(`${server.url}/`);
  assert.match(await server.has("missing is not defined"), /^savecast: \/app\.js:2:3: .*missing is not defined \(on \/\)$/);
  assert.match(await server.has("in a module"), /^savecast: \/:2:\d+: .*TypeError: in a module$/);
  assert.match(await server.has("other.png"), /^savecast: http:\/\/127\.0\.0\.1:1\/other\.png: can't be loaded \(on \/\)$/);
  // Who has looked for it said so.
  assert.deepEqual(server.said.filter((line) => line.includes("gone.png")), ["savecast: / requests /gone.png, which does not exist"]);
  await page.open(`${server.url}/rejected.html`);
  assert.match(await server.has("Error: no"), /^savecast: \/rejected\.html:1:\d+: unhandled rejection: Error: no$/);
  assert.match(await server.has("plain"), /^savecast: \/rejected\.html: unhandled rejection: plain$/);
  await page.open(`${server.url}/policy.html`);
  assert.match(await server.has("blocked by"), /img-src does not allow http/);
  await page.open(`${server.url}/console.html`);
  assert.match(await server.has("console.error: it"), /^savecast: \/console\.html:1:\d+: console\.error: it is 5 {a: \[1, "x"\], e: Error: inner}$/);
  await server.has("console.error: <body>");
  assert.deepEqual(server.said.filter((line) => line.includes("console.log")), []);
});

test("all of the console is told if that is wanted, and nothing if not", async (test) => {
  const site = await siteWith(test, { "index.html": with_("console.log('a log'); console.warn('a warning'); missing()") });
  const all = await serve(test, site, ["--console"]);
  await page.open(`${all.url}/`);
  for (const part of ["console.log: a log", "console.warn: a warning", "missing is not defined"]) await all.has(part);
  const none = await serve(test, site, ["--no-console"]);
  await page.open(`${none.url}/`);
  // A page that was loaded before, and asks for nothing more.
  await page.run(() => navigator.sendBeacon("/_savecast/console", JSON.stringify({ page: "/", messages: [{ kind: "log", message: "by hand" }] })));
  await none.has("by hand");
  assert.deepEqual(none.said.filter((line) => line.includes("missing")), []);
});

test("the place is that in the source of which a script was made", async (test) => {
  // `throw` stands at line 5, column 3 of the source, and at line 2, column 10 of the script.
  const map = { version: 3, sources: ["../src/app.ts"], mappings: ";SAIE" };
  const inline = Buffer.from(JSON.stringify({ ...map, sources: ["inline.ts"] })).toString("base64");
  const site = await siteWith(test, {
    "index.html": '<!doctype html><body><script src="dist/app.js"></script><script src="inline.js"></script>',
    "dist/app.js": 'const a = 1;\nif (a) { ; throw new Error("mapped") }\n//# sourceMappingURL=app.js.map\n',
    "dist/app.js.map": JSON.stringify(map),
    "inline.js": `const b = 1;\nif (b) { ; throw new Error("within") }\n//# sourceMappingURL=data:application/json;base64,${inline}\n`,
  });
  const server = await serve(test, site);
  await page.open(`${server.url}/`);
  assert.match(await server.has("mapped"), /^savecast: \/src\/app\.ts:5:3: .*Error: mapped \(on \/\)$/);
  assert.match(await server.has("within"), /^savecast: \/inline\.ts:5:3: .*Error: within \(on \/\)$/);
});

test("a page that says too much, or what a terminal would take for a command, does no harm", async (test) => {
  const site = await siteWith(test, {
    "index.html": with_(`
      for (let at = 0; at < 3000; at++) console.error("again");
      for (let at = 0; at < 3000; at++) console.error("number " + at);`),
    "escape.html": with_("console.error('\\x1b[2J\\nsavecast: forged', window)"),
    "long.html": with_("console.error('x'.repeat(10_000_000)); console.error({ toString() { throw 1 } }, Symbol('s'), 5n)"),
  });
  const server = await serve(test, site);
  await page.open(`${server.url}/`);
  await server.has("again · 3000 times");
  await server.has("number 0");
  await page.run(() => {
    const circle = { get bad() { throw 1 } };
    circle.self = circle;
    console.error("circle", circle);
    for (let at = 0; at < 3000; at++) console.error("later " + at);
  });
  await server.has("circle {bad: (…), self: {");
  await server.has("there are too many messages");
  assert.ok(server.said.length < 600, `${server.said.length} lines`);
  await page.run(() => console.error("after that"));
  await page.open(`${server.url}/escape.html`);
  assert.match(await server.has("forged"), /console\.error: \\u\{1b\}\[2J\\nsavecast: forged \[object Window\]$/);
  await page.open(`${server.url}/long.html`);
  assert.ok((await server.has("xxxx")).length < 1200);
  await server.has("Symbol(s) 5n");
  assert.deepEqual(server.said.filter((line) => line.includes("after that")), []);
});

test("what is odd in a page neither hides what else is told nor brings harm to the page", async (test) => {
  const site = await siteWith(test, {
    // What goes to us is forbidden by the policy, which must not be told, because that would be forbidden, too.
    "policy.html": `<!doctype html><meta http-equiv="content-security-policy" content="default-src 'self' 'unsafe-inline'; connect-src 'none'"><body>
      <script>window.violations = 0; addEventListener("securitypolicyviolation", () => window.violations++); console.error("one")</script>`,
    "odd.html": with_(`
      window.uncaught = 0;
      addEventListener("error", () => window.uncaught++);
      Error.prepareStackTrace = () => { throw 1 };
      console.error("no stack");
      Error.prepareStackTrace = (error, frames) => frames;
      console.error("frames");
      delete Error.prepareStackTrace;
      console.error("cut" + "😀".repeat(600));
      console.error("\\ud800 half");
      const again = { get self() { console.error(again); return 1 } };
      console.error("getter", again);
      console.error(new Uint8Array(3_000_000), new Map([[1, 2]]), new Date(0), -0, /x/);
      for (const stack of [42, { toString() { throw 1 } }]) Promise.reject({ stack });
      Promise.reject({ get stack() { throw 1 } });
      new Image().src = "http://127.0.0.1:1/" + "q".repeat(70_000);
      document.body.append(Object.assign(document.createElement("img"), { src: "http://127.0.0.1:1/" + "r".repeat(70_000) }));
      console.error("the last");`),
    "handled.html": with_("addEventListener('error', (event) => event.preventDefault()); setTimeout(() => console.error('after it'), 50); missing()"),
  });
  const server = await serve(test, site);
  await page.open(`${server.url}/odd.html`);
  for (const part of ["no stack", "frames", "cut😀", " half", "getter {self: (…)}", "Map(1) 1970-01-01T00:00:00.000Z -0 /x/", "unhandled rejection", "rrrr", "the last"]) await server.has(part);
  assert.match(await server.has("Uint8Array"), /Uint8Array \[0, 0, .*, …\] Map/);
  assert.ok((await server.has("rrrr")).length < 500);
  assert.equal(await page.run(() => window.uncaught), 0);
  await page.open(`${server.url}/handled.html`);
  await server.has("after it");
  assert.deepEqual(server.said.filter((line) => line.includes("missing is not")), []);
  await page.open(`${server.url}/policy.html`);
  await eventually(() => page.run(() => window.violations), (count) => count > 0);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const before = await page.run(() => window.violations);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.ok((await page.run(() => window.violations)) <= before + 1, `${before} and ${await page.run(() => window.violations)}`);
});
