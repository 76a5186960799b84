// A page that changes while somebody uses it: what its author has changed changes, and nothing else.
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

const PAGE = `<!doctype html>
<html lang="en">
<head>
<title>One</title>
<link rel="icon" href="data:,">
<style>#box { height: 50px; overflow: auto } #box p, main { height: 3000px }</style>
</head>
<body>
<h1 class="old">First</h1>
<input id="name" value="default"><input type="checkbox" id="check">
<textarea id="text">draft</textarea>
<select id="choice"><option>a</option><option>b</option></select>
<details id="more"><summary>More</summary>text</details>
<dialog id="dialog">Hello</dialog>
<div id="box"><p>long</p></div>
<canvas id="canvas" width="10" height="10"></canvas>
<div id="mine" data-savecast="keep">mine</div>
<ul id="list"><li>1</li><li>2</li><li>3</li></ul>
<pre id="pre">a  <b>b</b> <b>c</b></pre>
<main>end</main>
</body>
</html>
`;
const SCRIPTED = PAGE.replace("</body>", `<div id="root"></div><p class="clock">--:--</p>
<script>
window.loads = (window.loads ?? 0) + 1;
document.getElementById("root").append(Object.assign(document.createElement("i"), { textContent: "built" }));
document.querySelector(".clock").textContent = "12:00";
document.querySelector(".clock").classList.add("ticking");
document.body.append(Object.assign(document.createElement("aside"), { textContent: "added" }));
</script></body>`);
/** Its author says that changes in place are right although it has scripts. */
const VOUCHED = SCRIPTED.replace("<html ", '<html data-savecast="morph" ');

/** Opens the page, waits until the client knows how it was written, and marks it. */
async function open(test, html = PAGE, files = {}) {
  const site = await siteWith(test, { "index.html": html, ...files });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await eventually(() => page.run(() => performance.getEntriesByType("resource").some((entry) => entry.name.includes("savecast-source") && entry.responseEnd > 0)));
  await page.mark();
  return site;
}

/** The same page, changed. */
function edited(html, ...pairs) {
  return pairs.reduce((html, [from, to]) => {
    assert.ok(html.includes(from), from);
    return html.replace(from, to);
  }, html);
}

test("what a person has done to a page survives what its author does", async (test) => {
  const site = await open(test, VOUCHED);
  await page.run(() => {
    const get = (id) => document.getElementById(id);
    get("name").value = "typed";
    get("check").checked = true;
    get("text").value = "written";
    get("choice").value = "b";
    get("more").open = true;
    get("dialog").show();
    get("box").scrollTop = 77;
    scrollTo(0, 600);
    get("canvas").getContext("2d").fillRect(0, 0, 5, 5);
    get("mine").textContent = "changed by a script";
    get("name").focus({ preventScroll: true });
    get("name").setSelectionRange(1, 3);
    window.place = document.querySelector("main").getBoundingClientRect().top;
    window.nodes = [...document.querySelectorAll("input, canvas, #root i, li, aside")];
  });
  await site.write("index.html", edited(VOUCHED, ["One", "Two"], ['class="old">First', 'class="new">Second'],
    ["<li>2</li>", "<li>2</li><li>2½</li>"], ["<p>long", "<p>longer"], ['keep">mine', 'keep">yours']));
  await eventually(() => page.text("h1"), (text) => text === "Second");
  const state = await page.run(() => {
    const get = (id) => document.getElementById(id);
    return {
      title: document.title, heading: get("name").previousElementSibling.className, name: get("name").value, check: get("check").checked,
      text: get("text").value, choice: get("choice").value, more: get("more").open, dialog: get("dialog").open, box: get("box").scrollTop,
      scroll: document.querySelector("main").getBoundingClientRect().top - window.place, drawn: get("canvas").getContext("2d").getImageData(1, 1, 1, 1).data[3], root: get("root").textContent,
      mine: get("mine").textContent, list: get("list").textContent, focus: document.activeElement.id,
      selection: [get("name").selectionStart, get("name").selectionEnd], long: get("box").textContent, loads: window.loads,
      nodes: window.nodes.every((node) => node.isConnected), clock: document.querySelector(".clock").outerHTML,
    };
  });
  assert.deepEqual(state, {
    title: "Two", heading: "new", name: "typed", check: true, text: "written", choice: "b", more: true, dialog: true, box: 77, scroll: 0,
    drawn: 255, root: "built", mine: "changed by a script", list: "122½3", focus: "name", selection: [1, 3], long: "longer", loads: 1,
    nodes: true, clock: '<p class="clock ticking">12:00</p>',
  });
  assert.ok(await page.isMarked());
});

test("a page without scripts takes every edit in place", async (test) => {
  const site = await open(test);
  const list = "<li>1</li><li>2</li><li>3</li>";
  const edits = [
    [[list, "<li>3</li><li>1</li>"]],
    [[list, ""]],
    [[list, "<li>a</li><li>b</li><li>c</li><li>d</li>"]],
    [[list, "<li>2</li><li>0</li><li id=x>1</li><li>3</li><li>3</li>"]],
    [['<h1 class="old">First</h1>', "<h2>Other</h2><p>and <b>more</b></p>"]],
    [["<main>end</main>", '<main><svg viewBox="0 0 1 1"><use href="#a"/></svg><!-- comment --></main>']],
    [['<html lang="en">', '<html lang="de" class="dark">']],
    [["<title>One</title>", '<title>One</title><meta name="color-scheme" content="dark">']],
    [["<body>", '<body style="margin: 0">text at the start']],
    [["a  <b>b</b> <b>c</b>", "a<b>c</b>  <b>b</b>  "]],
    [["<b>b</b>", "<i>b</i>"], ["<textarea", '<button type="button">do</button><textarea'], ["<main>end", "<main><button>end"]],
    [['id="check"', 'id="check" checked @click="x"']],
    [],
  ];
  const source = () => page.run(() => {
    const copy = document.documentElement.cloneNode(true);
    for (const ours of copy.querySelectorAll("script[src*=_savecast]")) ours.remove();
    return copy.outerHTML;
  });
  const parsed = (html) => page.run((html) => new DOMParser().parseFromString(html, "text/html").documentElement.outerHTML, html);
  // Where blanks have no width, nobody sees how many there are.
  const plain = (html) => html.replace(/\s+(?=<(?:li|h1|h2|p|meta|title|link|style|body|head|\/))/g, "");
  for (const [number, pairs] of edits.entries()) {
    const html = edited(PAGE, ...pairs);
    await site.write("index.html", html);
    const expected = plain(await parsed(html));
    await eventually(async () => plain(await source()), (html) => html === expected, `edit ${number}`);
    // Only a parser can make an attribute of that name.
    if (!html.includes("@click")) assert.ok(await page.isMarked(), `edit ${number}`);
    else {
      await page.mark();
      break;
    }
  }
});

test("nodes move with what was done to them", async (test) => {
  const rows = (...names) => `<!doctype html><title>Rows</title><link rel="icon" href="data:,">
    <form>${names.map((name) => `<p><label>${name}</label> <input name="${name}"></p>`).join("\n")}</form>`;
  const site = await open(test, rows("a", "b", "c", "d"));
  await page.run(() => {
    for (const input of document.querySelectorAll("input")) input.value = `typed in ${input.name}`;
    document.querySelector("[name=d]").focus();
  });
  await site.write("index.html", rows("d", "new", "c", "b"));
  await eventually(() => page.run(() => document.querySelectorAll("[name=new]").length === 1));
  assert.deepEqual(await page.run(() => [...document.querySelectorAll("input")].map((input) => input.value)), ["typed in d", "", "typed in c", "typed in b"]);
  assert.equal(await page.run(() => document.activeElement.name), "d");
  assert.ok(await page.isMarked());
});

test("what a person writes into a page is not overwritten", async (test) => {
  const html = PAGE.replace("<main>end", "<main contenteditable>end");
  const site = await open(test, html);
  await page.run(() => (document.querySelector("main").textContent = "written"));
  await site.write("index.html", edited(html, ["First", "Second"]));
  await eventually(() => page.text("h1"), (text) => text === "Second");
  assert.equal(await page.text("main"), "written");
  assert.ok(await page.isMarked());
  await site.write("index.html", edited(html, ["First", "Second"], [">end", ">the end"]));
  await eventually(() => page.text("main"), (text) => text === "the end");
  assert.ok(!(await page.isMarked()));
});

test("a list of choices may change, and what was chosen stays", async (test) => {
  const html = PAGE.replace("</select>", '</select><select id="other"><option>a</option><option>b</option></select>');
  const site = await open(test, html);
  await page.run(() => (document.querySelector("#choice").value = "b"));
  const chosen = () => page.run(() => ["choice", "other"].map((id) => document.getElementById(id).value).join(""));
  for (const [options, expected] of [["<option>new</option><option>a</option><option>b</option>", "bnew"], ["<option>c</option><option>a</option>", "cc"], ["<optgroup><option>b</option></optgroup>", "bb"]]) {
    await site.write("index.html", html.replaceAll("<option>a</option><option>b</option>", options));
    await eventually(chosen, (now) => now === expected, options);
  }
  assert.ok(await page.isMarked());
});

test("a deep page is no burden", async (test) => {
  const deep = (text) => `<!doctype html><title>Deep</title><link rel="icon" href="data:,">${"<div>".repeat(400)}<p>${text}</p>${"<i>text</i>".repeat(5000)}${"</div>".repeat(400)}`;
  const site = await open(test, deep("one"));
  const start = performance.now();
  await site.write("index.html", deep("two"));
  await eventually(() => page.text("p"), (text) => text === "two");
  assert.ok(await page.isMarked());
  test.diagnostic(`400 levels in ${Math.round(performance.now() - start)} ms`);
});

test("long lists are no burden", async (test) => {
  const list = (numbers) => `<!doctype html><title>List</title><link rel="icon" href="data:,"><ol>${numbers.map((number) => `<li>entry ${number}</li>`).join("\n")}</ol>`;
  const numbers = [...Array(20_000).keys()];
  const site = await open(test, list(numbers));
  const start = performance.now();
  await site.write("index.html", list(numbers.toReversed().map((number) => (number % 3 ? number : -number))));
  await eventually(() => page.text("li"), (text) => text === "entry 19999");
  assert.ok(await page.isMarked());
  test.diagnostic(`20,000 entries turned around in ${Math.round(performance.now() - start)} ms`);
  assert.equal(await page.run(() => document.querySelectorAll("li").length), 20_000);
});

test("a page that can't be changed in place is loaded again", async (test) => {
  for (const [html, what, ...pairs] of [
    [SCRIPTED, "text, where a script has run", ["First", "Second"]],
    [SCRIPTED, "an attribute, where a script has run", ['class="old"', 'class="new"']],
    [PAGE.replace("<main>", '<main onclick="this.title = 1">'), "text, where a handler may have run", ["First", "Second"]],
    [PAGE.replace("<main>", '<iframe srcdoc="<script>parent.document.title</script>"></iframe><main>'), "text, where a frame can look at it", ["First", "Second"]],
    [PAGE, "the first script", ["<main>", "<script>window.loads = 1</script><main>"]],
    [VOUCHED, "another script", ["loads ?? 0", "loads ?? 10"]],
    [PAGE, "another base", ["<head>", '<head><base href="/">']],
    [PAGE, "a page that wants it", ["<html ", '<html data-savecast="reload" ']],
    [PAGE, "quirks", ["<!doctype html>", ""]],
    [PAGE, "another canvas", ['width="10"', 'width="20"']],
    [VOUCHED, "text that a script has set", ["--:--", "never"]],
    [VOUCHED, "text where a script has built something", ['<div id="root"></div>', '<div id="root">Loading</div>']],
    [VOUCHED, "a script that stands elsewhere", ["<script>", "<div><script>"], ["</script>", "</script></div>"]],
    [PAGE, "a field that comes back in another place", ['<input id="name" value="default">', '<b><input id="name" value="default"></b>']],
    [PAGE.replace("<h1", '<b data-live="/a.json">-</b><h1'), "data no more", [' data-live="/a.json"', ""]],
  ]) {
    const site = await open(test, html, { "a.json": "1" });
    await page.run(() => (document.querySelector("#name").value = "typed"));
    await site.write("index.html", edited(html, ...pairs));
    await eventually(async () => !(await page.isMarked()), Boolean, what);
    await eventually(() => page.run(() => document.querySelector("#name")?.value), (value) => value === "typed", what);
  }
});

test("what scripts have sorted, hidden or filled is not changed in the wrong place", async (test) => {
  const table = (...rows) => `<!doctype html><title>Table</title><link rel="icon" href="data:,">
    <table><tbody>${rows.map((row) => `<tr><td>${row}</td></tr>`).join("")}</tbody></table>
    <script>document.querySelector("tbody").append(...[...document.querySelectorAll("tr")].reverse())</script>`;
  for (const rows of [["a", "b", "x"], ["a", "b"], ["z", "a", "b", "c"]]) {
    const site = await open(test, table("a", "b", "c"));
    await site.write("index.html", table(...rows));
    await eventually(() => page.text("tbody"), (text) => text === rows.toReversed().join(""), rows.join());
  }
});

test("what scripts, extensions and people do beside an edit does not stand in its way", async (test) => {
  const html = `<!doctype html><html data-savecast="morph"><title>Beside</title><link rel="icon" href="data:,"><head><noscript><img src="pixel.png"></noscript></head>
    <div class="m"><p>text</p> <img src="a.png"> <details><summary>one</summary>x</details></div><ul><li>1</li></ul>
    <script>document.body.append(document.createElement("div")); document.body.prepend(document.createElement("nav"))</script>`;
  const picture = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';
  const site = await open(test, html, { "a.png": picture, "pixel.png": picture });
  await page.run(() => (document.querySelector("details").open = true));
  await site.write("a.png", `${picture} `);
  await eventually(() => page.run(() => document.images[0].getAttribute("src").includes("savecast=")));
  let now = html;
  for (const [from, to, selector] of [["text", "other text", ".m p"], [">one", ">two", "summary"], ["<li>1</li>", "<li>1</li><li>2</li>", "ul"]]) {
    now = edited(now, [from, to]);
    await site.write("index.html", now);
    const expected = to.replaceAll(/<[^>]*>|>/g, "");
    await eventually(() => page.text(selector), (text) => text === expected, selector);
    assert.ok(await page.isMarked(), selector);
  }
  assert.ok(await page.run(() => document.querySelector("details").open));
});

test("a stylesheet that the page names anew is there before the old one goes", async (test) => {
  const html = PAGE.replace("</head>", '<link rel="stylesheet" href="a.css"></head>');
  const site = await open(test, html, { "a.css": "h1 { color: rgb(1, 0, 0) }", "b.css": "h1 { color: rgb(2, 0, 0) }" });
  await page.run(() => {
    window.colors = new Set();
    const look = () => (window.colors.add(getComputedStyle(document.querySelector("h1")).color), requestAnimationFrame(look));
    look();
  });
  await site.write("index.html", html.replace("a.css", "b.css"));
  await eventually(() => page.run(() => window.colors.has("rgb(2, 0, 0)")));
  assert.deepEqual(await page.run(() => [...window.colors]), ["rgb(1, 0, 0)", "rgb(2, 0, 0)"]);
  assert.ok(await page.isMarked());
});
