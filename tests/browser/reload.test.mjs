// A page that is loaded again: what a person has done to it is there in the first frame that anybody sees.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, openBrowser, serve, siteWith } from "./support.mjs";

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let page;
const closing = [];
before(async () => (page = await openBrowser({ after: (close) => closing.push(close) })));
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** Counts how often the page was loaded, and keeps what a person would see in each frame. */
const WITNESS = `<script>
sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1;
window.frames_ = [];
(function look() {
  requestAnimationFrame(() => {
    if (window.see) frames_.push(see());
    look();
  });
})();
</script>`;

async function open(test, files, hasRoom = true) {
  const site = await siteWith(test, files);
  const server = await serve(test, site);
  await page.open(server.url);
  await page.run(() => (sessionStorage.loads = 1));
  await page.isLive(server);
  // The browser's own list of what was loaded ends at 250.
  if (hasRoom) await isKnown();
  return { site, server };
}

const loads = () => page.run(() => Number(sessionStorage.loads));
/** Waits until the page was loaded so many times, and the client has seen how it is now. */
async function loaded(count) {
  await eventually(loads, (loads) => loads === count, "the number of loads");
  await isKnown();
}
/** The client asks how the page was written when it is loaded, and remembers how it is. */
const isKnown = () => eventually(() => page.run(() => performance.getEntriesByType("resource").some(({ name, responseEnd }) => name.includes("savecast-source") && responseEnd > 0)));

const PAGE = (text, fields = "") => `<!doctype html><html><head><title>Again</title><link rel="icon" href="data:,">${WITNESS}
<link rel="stylesheet" href="style.css">
<script>window.see = () => ({
  scroll: Math.round(scrollY), box: document.getElementById("box")?.scrollTop, name: document.getElementById("name")?.value, check: document.getElementById("check")?.checked,
  more: document.getElementById("more")?.open, modal: document.getElementById("modal")?.matches(":modal"), pop: document.getElementById("pop")?.matches(":popover-open"),
  focus: document.activeElement?.id, shadow: document.querySelector("x-host")?.shadowRoot?.querySelector("input")?.value,
})</script></head>
<body>
<h1>${text}</h1>${fields}
<input id="name" value="default"><input type="checkbox" id="check">
<x-host><template shadowrootmode="open"><p>in the shadow</p><input></template></x-host>
<details id="more"><summary>More</summary>text</details>
<dialog id="modal">Hello <button id="ok">OK</button></dialog>
<div id="pop" popover>Pop</div>
<div id="box"><p>long</p></div>
<main>end</main>
</body></html>`;
const STYLE = "#box { height: 50px; overflow: auto } #box p, main { height: 3000px } main { background: linear-gradient(red, blue) }";

test("the first frame after a reload is as the page was left", async (test) => {
  const { site } = await open(test, { "index.html": PAGE("First"), "style.css": STYLE });
  await page.run(() => {
    const get = (id) => document.getElementById(id);
    get("name").value = "typed";
    get("check").checked = true;
    get("more").open = true;
    get("box").scrollTop = 77;
    get("pop").showPopover();
    document.querySelector("x-host").shadowRoot.querySelector("input").value = "in the shadow";
    get("name").focus({ preventScroll: true });
    get("name").setSelectionRange(1, 3);
    scrollTo(0, 600);
  });
  await site.write("index.html", PAGE("Second"));
  await loaded(2);
  await eventually(() => page.run(() => frames_.length > 10));
  const frames = await page.run(() => frames_);
  const expected = { scroll: 600, box: 77, name: "typed", check: true, more: true, modal: false, pop: true, focus: "name", shadow: "in the shadow" };
  assert.deepEqual(frames[0], expected);
  assert.deepEqual(frames.at(-1), expected);
  assert.deepEqual(await page.run(() => [document.getElementById("name").selectionStart, document.getElementById("name").selectionEnd]), [1, 3]);
  assert.equal(await page.text("h1"), "Second");
});

test("a modal dialog and selected text come back", async (test) => {
  const { site } = await open(test, { "index.html": PAGE("First"), "style.css": STYLE });
  await page.run(() => {
    const text = document.querySelector("main").firstChild;
    getSelection().setBaseAndExtent(document.querySelector("h1").firstChild, 1, text, 2);
  });
  await site.write("index.html", PAGE("Second"));
  await loaded(2);
  await eventually(() => page.run(() => getSelection().toString().replace(/\s+/g, " ").trim()), (text) => text.startsWith("econd") && text.endsWith("en"));
  await page.run(() => {
    document.getElementById("modal").showModal();
    document.getElementById("ok").focus();
  });
  await site.write("index.html", PAGE("Third"));
  await loaded(3);
  await eventually(() => page.run(() => frames_.length > 2));
  const [{ modal, focus }] = await page.run(() => frames_);
  assert.deepEqual({ modal, focus }, { modal: true, focus: "ok" });
});

test("what was typed stays with its field, when fields come, go and change", async (test) => {
  const rows = (...rows) => `<!doctype html><title>Rows</title><link rel="icon" href="data:,">${WITNESS}<ul>${rows.map((row) => `<li>${row} <input></li>`).join("")}</ul>
    <p>${rows.length}</p><select><option>a<option>b<option>c</select>`;
  const { site } = await open(test, { "index.html": rows("milk", "bread", "tea") });
  await page.run(() => {
    const [milk, , tea] = document.querySelectorAll("input");
    [milk.value, tea.value] = ["2 l", "green"];
    document.querySelector("select").value = "b";
  });
  const found = () => page.run(() => Object.fromEntries([...document.querySelectorAll("li")].map((row) => [row.textContent.trim(), row.querySelector("input").value])));
  await site.write("index.html", rows("eggs", "milk", "bread", "tea").replace("<option>a", "<option>new<option>a"));
  await loaded(2);
  assert.deepEqual(await eventually(found, ({ milk }) => milk), { eggs: "", milk: "2 l", bread: "", tea: "green" });
  assert.equal(await page.run(() => document.querySelector("select").value), "b");
  // What was chosen is gone, so nothing is.
  await site.write("index.html", rows("tea", "milk").replace("<option>b", ""));
  await loaded(3);
  assert.deepEqual(await eventually(found, ({ milk }) => milk), { tea: "green", milk: "2 l" });
  assert.equal(await page.run(() => document.querySelector("select").value), "a");
  // Half of what the author is writing.
  await site.write("index.html", rows("tea"));
  await loaded(4);
  await site.write("index.html", rows("tea", "milk"));
  await loaded(5);
  assert.deepEqual(await eventually(found, ({ milk }) => milk), { tea: "green", milk: "2 l" });
});

test("fields that scripts build, fill and watch get what was typed", async (test) => {
  const html = (text) => `<!doctype html><title>Built</title><link rel="icon" href="data:,">${WITNESS}<p>${text}</p><input id="filled"><div id="app"></div><output></output>
    <script type="module">
      const filled = document.getElementById("filled");
      filled.value = "by the script";
      setTimeout(() => {
        document.getElementById("app").innerHTML = '<label>Late <input id="late"></label><x-late></x-late>';
        document.querySelector("x-late").attachShadow({ mode: "open" }).innerHTML = '<textarea name="deep"></textarea>';
        document.getElementById("late").oninput = ({ target }) => (document.querySelector("output").textContent = target.value);
      }, 300);
    </script>`;
  const { site } = await open(test, { "index.html": html("First") });
  await eventually(() => page.run(() => document.querySelector("x-late")?.shadowRoot !== null && document.querySelector("x-late") !== null));
  await page.run(() => {
    const type = (field, text) => {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    };
    type(document.getElementById("filled"), "typed");
    type(document.getElementById("late"), "late");
    type(document.querySelector("x-late").shadowRoot.querySelector("textarea"), "deep");
  });
  await site.write("index.html", html("Second"));
  await loaded(2);
  const found = () => page.run(() => [
    document.getElementById("filled").value, document.getElementById("late")?.value, document.querySelector("x-late")?.shadowRoot.querySelector("textarea").value, document.querySelector("output").textContent,
  ]);
  await eventually(found, (all) => all.join() === "typed,late,deep,late", "what was typed");
});

test("what scripts compute is computed again", async (test) => {
  const html = (factor) => `<!doctype html><title>Computed</title><link rel="icon" href="data:,">${WITNESS}<input id="net" value="10"><input id="gross"><output></output>
    <script>
      const [net, gross] = document.querySelectorAll("input");
      const compute = () => (gross.value = net.value * ${factor});
      net.oninput = compute;
      compute();
    </script>`;
  const { site } = await open(test, { "index.html": html(2) });
  await site.write("index.html", html(3));
  await loaded(2);
  const values = () => page.run(() => [...document.querySelectorAll("input")].map((field) => field.value).join());
  await eventually(() => page.run(() => document.readyState), (state) => state === "complete");
  assert.equal(await values(), "10,30");
  await page.run(() => {
    const net = document.getElementById("net");
    net.value = "20";
    net.dispatchEvent(new Event("input", { bubbles: true }));
  });
  assert.equal(await values(), "20,60");
  await site.write("index.html", html(4));
  await loaded(3);
  await eventually(values, (values) => values === "20,80", "the fields");
});

/** Ten seconds of silence. */
function sound() {
  const rate = 8000, bytes = Buffer.alloc(44 + 10 * rate);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  for (const [at, value] of [[16, 16], [24, rate], [28, rate]]) bytes.writeUInt32LE(value, at);
  for (const [at, value] of [[20, 1], [22, 1], [32, 1], [34, 8]]) bytes.writeUInt16LE(value, at);
  bytes.write("data", 36);
  bytes.writeUInt32LE(10 * rate, 40);
  return bytes.fill(128, 44);
}

test("what was played goes on", async (test) => {
  const html = (text) => `<!doctype html><title>Sound</title><link rel="icon" href="data:,">${WITNESS}<p>${text}</p><video src="sound.wav" muted></video>`;
  const { site } = await open(test, { "index.html": html("First"), "sound.wav": sound() });
  await page.run(async () => {
    const video = document.querySelector("video");
    video.currentTime = 3;
    await video.play();
  });
  await site.write("index.html", html("Second"));
  await loaded(2);
  await eventually(() => page.run(() => document.querySelector("video").currentTime > 3 && !document.querySelector("video").paused));
});

test("a page whose own file is gone stays until it is back", async (test) => {
  const html = (text) => `<!doctype html><title>Build</title><link rel="icon" href="data:,">${WITNESS}<h1>${text}</h1><script src="app.js"></script>`;
  const { site, server } = await open(test, { "index.html": html("First"), "app.js": "1", "other.txt": "a listing would show it" });
  const seen = new Set();
  const watch = (async () => {
    while (!seen.has("Second")) seen.add(await page.text("h1"));
  })();
  await site.remove("index.html");
  await site.write("app.js", "2");
  // Long enough for the news that it is gone, which is believed when it has been so for a while.
  await eventually(() => fetch(server.url).then((response) => response.text()), (text) => text.includes("other.txt"));
  for (let look = 0; look < 50; look++) await page.run(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  assert.equal(await page.text("h1"), "First");
  await site.write("index.html", html("Second"));
  await watch;
  assert.deepEqual([...seen].filter(Boolean), ["First", "Second"]);
  assert.equal(await loads(), 2);
  // As it was before, so that there is no news of itself.
  await page.isLive(server);
  await site.remove("index.html");
  await site.write("app.js", "3");
  for (let look = 0; look < 10; look++) await page.run(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await site.write("index.html", html("Second"));
  await loaded(3);
});

test("a page with an address at which nothing is comes back from where it was loaded", async (test) => {
  const html = (text) => `<!doctype html><title>Route</title><link rel="icon" href="data:,">${WITNESS}<h1>${text}</h1>`;
  const { site } = await open(test, { "index.html": html("First") });
  await page.run(() => history.pushState({}, "", "/virtual/route"));
  await site.write("index.html", html("Second"));
  await eventually(() => page.text("h1"), (text) => text === "Second");
  assert.equal(await page.run(() => location.pathname), "/");
});

test("the client is no script of the page, and sees all that it loads", async (test) => {
  const modules = Object.fromEntries(Array.from({ length: 400 }, (_, number) => [`m/${number}.js`, `export const n = ${number};`]));
  const html = `<!doctype html><html><head><title>Many</title><link rel="icon" href="data:,"><script id="first" data-setting="mine">
      window.found = [document.scripts[0].id, document.querySelector("script").dataset.setting, document.currentScript.id];</script></head>
    <iframe srcdoc="<link rel=stylesheet href=frame.css><p>in the frame</p>"></iframe>
    <script type="module">${Object.keys(modules).map((name) => `import "./${name}";`).join("")} window.ready = true;</script></html>`;
  const { site, server } = await open(test, { "index.html": html, "frame.css": "p { color: rgb(1, 1, 1) }", ...modules }, false);
  assert.deepEqual(await page.run(() => window.found), ["first", "mine", "first"]);
  await eventually(() => page.run(() => window.ready));
  // The page, its modules, and the stylesheet of its frame.
  const followed = async () => (await (await fetch(`${server.url}/_savecast/status`)).json()).followed;
  await eventually(followed, (count) => count === 402, "the number of followed files");
  await page.mark();
  await site.write("frame.css", "p { color: rgb(2, 2, 2) }");
  await eventually(() => page.run(() => {
    const inside = document.querySelector("iframe").contentDocument;
    return getComputedStyle(inside.querySelector("p")).color;
  }), (color) => color === "rgb(2, 2, 2)");
  assert.ok(await page.isMarked());
  await site.write("m/399.js", "export const n = 0;");
  await eventually(async () => !(await page.isMarked()));
});
