// A page whose files change while somebody uses it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { counts, eventually, openBrowser, serve, siteWith } from "./support.mjs";

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
<h1>First</h1>
<input id="name" value="default"><input type="checkbox" id="check">
<textarea id="text">draft</textarea>
<select id="choice"><option>a</option><option>b</option></select>
<div id="box"><p>long</p></div>
<main>end</main>
</body>
</html>
`;

/** Opens the page and marks it. */
async function open(test, html = PAGE) {
  const site = await siteWith(test, { "index.html": html });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await page.mark();
  return site;
}

test("a page may switch the client off", async (test) => {
  for (const [content, asks] of [["off", false], ["on", true]]) {
    const site = await siteWith(test, {
      "index.html": `<!doctype html><title>Switch</title><meta name="savecast" content="${content}"><link rel="icon" href="data:,">
        <script>window.asked = 0; window.SharedWorker = class extends SharedWorker { constructor(...all) { super(...all); asked++; } }</script>`,
    });
    const server = await serve(test, site);
    await page.open(server.url);
    const asked = () => page.run(() => window.asked > 0);
    if (asks) await eventually(asked);
    // What the client would do on starting, it would do at the next turn.
    await page.run(async () => {
      (await import(new URL("/_savecast/page/start.js", location.href).href)).start();
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve));
    });
    assert.equal(await asked(), asks, content);
  }
});

test("a page that is loaded again is as it was left", async (test) => {
  const site = await open(test, PAGE.replace("</body>", '<input type="password" id="secret"><script src="app.js"></script></body>'));
  await page.run(() => {
    const get = (id) => document.getElementById(id);
    get("name").value = "typed";
    get("check").checked = true;
    get("text").value = "written";
    get("choice").value = "b";
    get("secret").value = "secret";
    get("text").focus({ preventScroll: true });
    get("text").setSelectionRange(2, 4);
    get("box").scrollTop = 77;
    scrollTo(0, 300);
  });
  await site.write("app.js", "window.app = 2");
  await eventually(() => page.run(() => window.app === 2));
  assert.ok(!(await page.isMarked()));
  await eventually(() => page.run(() => scrollY), (scroll) => scroll === 300);
  const state = await page.run(() => {
    const get = (id) => document.getElementById(id);
    return {
      name: get("name").value, check: get("check").checked, text: get("text").value, choice: get("choice").value, secret: get("secret").value,
      focus: document.activeElement.id, selection: [get("text").selectionStart, get("text").selectionEnd], box: get("box").scrollTop,
    };
  });
  assert.deepEqual(state, { name: "typed", check: true, text: "written", choice: "b", secret: "", focus: "text", selection: [2, 4], box: 77 });
});

test("a broken file is shown with its place until it is whole again", async (test) => {
  const site = await siteWith(test, { "index.html": `${PAGE}<b data-live="/data.json#/a"></b>`, "data.json": '{\n  "a": 1\n}' });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.text("[data-live]"), (text) => text === "1");
  await page.mark();
  const overlay = () => page.run(() => document.querySelector("savecast-problems")?.shadowRoot.querySelector("section").innerText);
  await site.write("data.json", '{\n  "a": 1,\n  b: 2\n}');
  const text = await eventually(overlay, (text) => text?.includes('"a": 1,'));
  assert.match(text, /\/data\.json line 3, column 3/);
  assert.match(text, /a name needs double quotes: "b"/);
  assert.match(await page.run(() => document.querySelector("savecast-problems").shadowRoot.querySelector(".wrong").innerText), /b: 2/);
  assert.equal(await page.text("[data-live]"), "1");
  assert.equal(await page.run(() => document.querySelector("[data-live]").getAttribute("data-live-problem")), 'a name needs double quotes: "b"');
  if (process.env.SHOTS) await writeFile(process.env.SHOTS, Buffer.from(await page.screenshot(), "base64"));
  await page.run(() => document.querySelector("savecast-problems").shadowRoot.querySelector("button").click());
  assert.equal(await overlay(), null);
  await site.write("data.json", "[");
  await eventually(overlay);
  await site.write("data.json", '{ "a": 2 }');
  await eventually(() => page.text("[data-live]"), (text) => text === "2");
  assert.equal(await overlay(), null);
  assert.equal(await page.run(() => document.querySelector("[data-live]").hasAttribute("data-live-problem")), false);
  assert.ok(await page.isMarked());
});

test("a picture is replaced wherever it is shown", async (test) => {
  const picture = (width) => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="10" viewBox="0 0 ${width} 10"><rect id="a" width="10" height="10"/></svg>`;
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Pictures</title><link rel="icon" href="p.svg"><link rel="stylesheet" href="css/style.css">
      <style>@media all { #inner { background: red url(p.svg#x) no-repeat } }</style>
      <img id="src" src="p.svg"><img id="set" srcset="other.svg 2x,p.svg 1x"><picture><source srcset="p.svg, other.svg 2x"><img id="picture" src="other.svg"></picture>
      <div id="outer">a</div><div id="inner">b</div><div id="own" style="background-image: url('p.svg')">c</div>
      <video id="video" poster="p.svg"></video><input id="button" type="image" src="p.svg">
      <svg width="20" height="20"><use id="use" href="p.svg#a"/><image id="image" href="p.svg"/></svg>
      <script>fetch("drawn.svg")</script>`,
    "css/style.css": "#outer { background-image: url(../p.svg) !important }",
    "css/inner.css": "p { color: rgb(1, 1, 1) }", "p.svg": picture(10), "other.svg": picture(5), "drawn.svg": picture(1),
  });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await page.mark();
  const shown = () => page.run(() => {
    const get = (id) => document.getElementById(id);
    const background = (id) => getComputedStyle(get(id)).backgroundImage;
    return [
      get("src").src, get("set").currentSrc, get("picture").currentSrc, background("outer"), background("inner"), background("own"), get("video").poster,
      get("button").src, get("use").getAttribute("href"), get("image").getAttribute("href"), document.querySelector("link[rel=icon]").href,
    ];
  });
  for (const width of [20, 30]) {
    await site.write("p.svg", picture(width));
    await eventually(() => page.run(() => document.getElementById("src").naturalWidth), (now) => now === width);
    const versions = new Set((await eventually(shown, (all) => all.every((url) => /savecast=[0-9a-f]{32}/.test(url)))).map((url) => /savecast=([0-9a-f]{32})/.exec(url)[1]));
    assert.equal(versions.size, 1);
    assert.match((await shown())[4], /#x"\)$/);
  }
  assert.ok(await page.isMarked());
  // In a component, too.
  await page.run(() => {
    const root = document.body.appendChild(document.createElement("x-component")).attachShadow({ mode: "open" });
    root.innerHTML = '<link rel="stylesheet" href="css/inner.css"><img src="p.svg"><p>inside</p>';
  });
  const color = 'getComputedStyle(root.querySelector("p")).color';
  const inside = (code) => page.run(`() => { const root = document.querySelector("x-component").shadowRoot; return ${code} }`);
  await eventually(() => inside(color), (color) => color === "rgb(1, 1, 1)");
  await eventually(() => counts(server), ({ followed }) => followed >= 5, "the count");
  await site.write("css/inner.css", "p { color: rgb(1, 2, 3) }");
  await eventually(() => inside(color), (color) => color === "rgb(1, 2, 3)");
  await site.write("p.svg", picture(40));
  await eventually(() => inside('root.querySelector("img").naturalWidth'), (width) => width === 40);
  // What a script has fetched, only the script can show.
  await site.write("drawn.svg", picture(2));
  await eventually(async () => !(await page.isMarked()));
});

test("stylesheets are swapped however they come", async (test) => {
  const shade = (number) => `rgb(${number}, ${number}, ${number})`;
  const rule = (id, number) => `#${id} { color: ${shade(number)} }`;
  const files = {
    "direct.css": rule("direct", 1), "deep/one.css": '@import "two.css";', "deep/two.css": `@layer a;\n@import url("three.css");`, "deep/three.css": rule("deep", 1),
    "inline.css": rule("inline", 1), "media.css": rule("media", 1), "alternate.css": rule("alternate", 1), "print.css": rule("direct", 200),
    "whole.css": rule("whole", 1),
  };
  const hash = createHash("sha256").update(files["whole.css"]).digest("base64");
  const site = await siteWith(test, {
    ...files,
    "index.html": `<!doctype html><title>Styles</title><link rel="icon" href="data:,">
      <link rel="stylesheet" href="direct.css"><link rel="stylesheet" href="deep/one.css"><style>@import "inline.css"; body { margin: 3px }</style>
      <link rel="stylesheet" href="media.css" media="screen"><link rel="alternate stylesheet" href="alternate.css" title="other">
      <link rel="stylesheet" href="print.css" media="print"><link rel="stylesheet" href="whole.css" integrity="sha256-${hash}">
      ${["direct", "deep", "inline", "media", "alternate", "whole"].map((id) => `<p id="${id}">${id}</p>`).join("")}`,
  });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  const colorOf = (id) => page.run((id) => getComputedStyle(document.getElementById(id)).color, id);
  for (const id of ["direct", "deep", "inline", "media", "whole"]) await eventually(() => colorOf(id), (color) => color === shade(1), id);
  await page.mark();
  await page.run(() => {
    window.colors = new Set();
    const look = () => {
      for (const element of document.querySelectorAll("p:not(#alternate)")) window.colors.add(getComputedStyle(element).color);
      requestAnimationFrame(look);
    };
    look();
  });
  for (const number of [2, 3]) {
    for (const [name, id] of [["direct.css", "direct"], ["deep/three.css", "deep"], ["inline.css", "inline"], ["media.css", "media"], ["whole.css", "whole"]]) {
      await site.write(name, rule(id, number));
      await eventually(() => colorOf(id), (color) => color === shade(number), `${id} ${number}`);
    }
  }
  await site.write("print.css", rule("direct", 201));
  await site.write("deep/one.css", `@import "two.css"; ${rule("deep", 4)}`);
  await eventually(() => colorOf("deep"), (color) => color === shade(4));
  assert.equal(await colorOf("direct"), shade(3));
  await eventually(() => page.run(() => document.querySelectorAll("link[rel~=stylesheet], style").length), (count) => count === 7);
  assert.equal(await page.run(() => document.querySelector("link[media=screen]").media), "screen");
  assert.ok(await page.isMarked());
  // No frame had another colour than those that were written.
  const written = [1, 2, 3, 4].map(shade);
  assert.deepEqual((await page.run(() => [...window.colors])).filter((color) => !written.includes(color)), []);
});

test("data shows as attributes and as lists, without any script", async (test) => {
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Data</title><link rel="icon" href="data:,">
      <a data-live-attr="href=/data.json#/home title=/data.json#/name hidden=/data.json#/secret onclick=/data.json#/name" data-live="/data.json#/name"></a>
      <ul data-live-list="/data.json#/people"><template>
        <li><b data-live="#/name"></b> <i data-live-list="#/tags"><template><u data-live="#"></u></template></i> <s data-live="/data.json#/name"></s>
          <input data-live-attr="placeholder=#/name disabled=#/away"></li>
      </template></ul>`,
    "data.json": "{}",
  });
  const server = await serve(test, site);
  const save = (data) => site.write("data.json", JSON.stringify(data));
  const link = () => page.run(() => {
    const link = document.querySelector("a");
    return [...["href", "title", "hidden", "onclick"].map((name) => link.getAttribute(name)), link.textContent];
  });
  const items = () => page.run(() => [...document.querySelectorAll("li")].map((li) => li.innerText.trim().replace(/\s+/g, " ")).join("; "));
  await page.open(server.url);
  await page.isLive(server);
  await save({ name: "Home & co", home: "/home", secret: true, people: [{ name: "<Ada>", tags: ["x", "y"], away: true }, { name: "Bob" }] });
  await eventually(items, (text) => text === "<Ada> xy Home & co; Bob Home & co");
  assert.deepEqual(await link(), ["/home", "Home & co", "", null, "Home & co"]);
  assert.deepEqual(await page.run(() => [...document.querySelectorAll("input")].map((input) => [input.placeholder, input.disabled])), [["<Ada>", true], ["Bob", false]]);
  await page.run(() => (document.querySelectorAll("input")[1].value = "typed"));
  await save({ name: "Home", home: "javascript:alert(1)", people: [{ name: "Cy" }, { name: "Bob", tags: ["z"] }, { name: "Di" }] });
  await eventually(items, (text) => text === "Cy Home; Bob z Home; Di Home");
  assert.deepEqual(await link(), [null, "Home", null, null, "Home"]);
  assert.equal(await page.run(() => document.querySelectorAll("input")[1].value), "typed");
  await save({ name: "Home", people: null });
  await eventually(items, (text) => text === "");
});

test("the rows of a list go with their key", async (test) => {
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Rows</title><link rel="icon" href="data:,">
      <ul data-live-list="/rows.json" data-live-key="#/id"><template><li><b data-live="#/name"></b> <input></li></template></ul>`,
    "rows.json": "[]",
  });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  const save = (...rows) => site.write("rows.json", JSON.stringify(rows.map(([id, name]) => ({ id, name }))));
  const rows = () => page.run(() => [...document.querySelectorAll("li")].map((row) => `${row.innerText.trim()}=${row.querySelector("input").value}`).join());
  await save([1, "one"], [2, "two"], [3, "three"]);
  await eventually(rows, (text) => text === "one=,two=,three=");
  await page.run(() => {
    for (const row of document.querySelectorAll("li")) row.querySelector("input").value = row.innerText.trim();
    document.querySelectorAll("input")[2].focus();
  });
  await save([3, "THREE"], [4, "four"], [1, "one"], [1, "again"]);
  await eventually(rows, (text) => text === "THREE=three,four=,one=one,again=");
  assert.equal(await page.run(() => document.activeElement.value), "three");
  await save([1, "one"], [3, "three"]);
  await eventually(rows, (text) => text === "one=one,three=three");
  assert.equal(await page.run(() => document.activeElement.value), "three");
});

test("data is no program, whatever it looks like", async (test) => {
  const values = ["javascript:ran()", "java\tscript:ran()", "jav\nascript:ran()", "\u0001javascript:ran()", " JavaScript:ran()", "a;javascript:ran()"];
  const names = values.map((_, index) => `v${index}`);
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Data</title><link rel="icon" href="data:,"><script>window.ran = () => (window.hasRun = true)</script>
      ${names.map((name) => `<a id="${name}" data-live-attr="href=/data.json#/${name} title=/data.json#/fine">x</a>`).join("")}
      <iframe data-live-attr="src=/data.json#/v1"></iframe><script data-live-attr="src=/data.json#/script"></script>`,
    "data.json": JSON.stringify({ ...Object.fromEntries(names.map((name, index) => [name, values[index]])), fine: "the script: a description", script: "data:text/javascript,ran()" }),
  });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.run(() => document.querySelector("#v5").title), (title) => title === "the script: a description");
  assert.deepEqual(await page.run(() => [...document.querySelectorAll("a")].map((link) => link.getAttribute("href"))), values.map(() => null));
  await page.run(() => document.querySelectorAll("a").forEach((link) => link.click()));
  assert.ok(!(await page.run(() => window.hasRun)));
});

test("what can't be shown is said, and keeps nothing else from being shown", async (test) => {
  const deep = (depth) => `{"deep": ${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Odd</title><link rel="icon" href="data:,"><b data-live="/text.txt#/a">before</b><ul data-live-list="/one.json"><template><li></li></template></ul>
      <i data-live="/deep.json#/deep">-</i><u data-live="/one.json">-</u>`,
    "text.txt": "text", "one.json": "1", "deep.json": deep(1),
  });
  const server = await serve(test, site);
  await page.open(server.url);
  await eventually(() => page.run(() => document.querySelector("b").getAttribute("data-live-problem")), (problem) => problem?.includes("no JSON"));
  assert.equal(await page.text("b"), "before");
  await eventually(() => page.text("i"), (text) => text === "[]");
  await site.write("deep.json", deep(20_000));
  await eventually(() => page.run(() => document.querySelector("i").getAttribute("data-live-problem")), (problem) => problem?.includes("too deep"));
  await site.write("one.json", "2");
  await eventually(() => page.text("u"), (text) => text === "2");
  await site.write("deep.json", deep(2));
  await eventually(() => page.text("i"), (text) => text === "[[]]");
});

test("a stylesheet that imports what is not there is swapped, and shows pictures that have changed", async (test) => {
  const picture = (color) => `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect fill="${color}" width="9" height="9"/></svg>`;
  const css = (color) => `@import "nope.css"; h1 { color: rgb(${color}, 0, 0); background: url(pic.svg) }`;
  const site = await siteWith(test, {
    "index.html": `<!doctype html><title>Styles</title><link rel="icon" href="data:,"><link rel="stylesheet" href="a.css"><h1>one</h1>`,
    "a.css": css(1), "pic.svg": picture("red"),
  });
  const server = await serve(test, site);
  await page.open(server.url);
  await page.isLive(server);
  await page.mark();
  const color = () => page.run(() => getComputedStyle(document.querySelector("h1")).color);
  const background = () => page.run(() => getComputedStyle(document.querySelector("h1")).backgroundImage);
  await site.write("pic.svg", picture("blue"));
  await eventually(background, (text) => text.includes("savecast="));
  const shown = await background();
  await site.write("a.css", css(2));
  await eventually(color, (color) => color === "rgb(2, 0, 0)");
  await eventually(() => page.run(() => document.querySelectorAll("link[rel=stylesheet]").length), (count) => count === 1);
  await eventually(background, (text) => text === shown);
  assert.ok(await page.isMarked());
});

test("what was typed and opened survives a page that is saved half done", async (test) => {
  const html = PAGE.replace("</body>", "<details><summary>More</summary>text</details><script></script></body>");
  const site = await open(test, html);
  await page.run(() => {
    document.getElementById("name").value = "typed";
    document.querySelector("details").open = true;
  });
  await site.write("index.html", html.replace("<script>", "<script>window.app = 2"));
  await eventually(() => page.run(() => window.app === 2));
  await eventually(() => page.run(() => document.querySelector("details").open));
  await site.write("index.html", "<!doctype html><title>Half</title><script>window.app = 3</script>");
  await eventually(() => page.run(() => window.app === 3));
  await site.write("index.html", html);
  await eventually(() => page.run(() => document.getElementById("name")?.value), (value) => value === "typed");
});
