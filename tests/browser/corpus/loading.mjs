// Pages whose scripts come, or write, in other ways than a plain script element at the end.
import { html } from "./frame.mjs";

export default [
  {
    name: "frame-reads-parent",
    html: html("", `
<h1>Outside</h1>
<p class="fact">A fact</p>
<iframe src="inner.html" width="200" height="80"></iframe>`),
    files: {
      "inner.html": `<!doctype html><title>Inside</title><p id="copy"></p><script>
document.getElementById("copy").textContent = [...parent.document.querySelectorAll("h1, .fact")].map((element) => element.textContent).join(", ");
parent.document.querySelector("h1").onclick = () => (parent.document.querySelector("h1").title = "clicked");
</script>`,
    },
    clicks: "h1",
    ready: () => document.querySelector("iframe").contentDocument?.getElementById("copy")?.textContent,
    edits: {
      "a text that the frame reads": ["Outside", "Out there"],
      "a class that the frame looks up": ['class="fact"', 'class="guess"'],
      "a new fact": ["</p>\n<iframe", '</p>\n<p class="fact">Another fact</p>\n<iframe'],
      "another heading": ["<h1>Outside</h1>", "<h1>Before</h1><h1>Outside</h1>"],
    },
  },
  {
    name: "document-write",
    html: html("", `
<h1>Written</h1>
<script>document.write("<p class=written>By a script, after " + document.querySelector("h1").textContent + "</p>");</script>
<p>After it</p>`),
    edits: {
      "a text that was read": ["<h1>Written", "<h1>Otherwise written"],
      "a text after it": ["After it", "After that"],
      "a paragraph after it": ["<p>After it</p>", "<p>After it</p><p>And more</p>"],
      "a paragraph before it": ["<script>", "<p>Before</p><script>"],
      "what it writes": ["By a script", "By another script"],
    },
  },
  {
    name: "scripts-by-scripts",
    html: html("", `
<ul class="menu"><li>One</li><li>Two</li></ul>
<script>
const script = document.createElement("script");
script.src = "late.js";
document.head.append(script);
</script>`),
    files: { "late.js": 'for (const item of document.querySelectorAll(".menu li")) item.onclick = () => item.classList.toggle("open");\nwindow.isLate = true;' },
    ready: () => window.isLate,
    clicks: ".menu li",
    edits: {
      "a new item": ["<li>Two</li>", "<li>Two</li><li>Three</li>"],
      "a text": [">One<", ">First<"],
      "a class": ['class="menu"', 'class="menu wide"'],
      "another list": ['<ul class="menu">', '<ol class="list"><li>x</li></ol><ul class="menu">'],
    },
  },
  {
    name: "modules",
    html: html('<script type="module" src="main.js"></script>', `
<div id="app" data-title="Modules"></div>
<p class="text">Text</p>`),
    files: {
      "main.js": 'import { shout } from "./shout.js";\nconst app = document.getElementById("app");\napp.textContent = shout(app.dataset.title) + shout(document.querySelector(".text")?.textContent ?? "none");\nconst { late } = await import("./late.js");\nlate();\nwindow.isDone = true;',
      "shout.js": 'export const shout = (text) => text.toUpperCase() + "!";',
      "late.js": 'export const late = () => document.querySelectorAll("p").forEach((paragraph, index) => paragraph.setAttribute("data-number", index));',
    },
    ready: () => window.isDone,
    edits: {
      "data of an element": ['data-title="Modules"', 'data-title="Other modules"'],
      "a text that was read": [">Text<", ">Other text<"],
      "a new paragraph": ['<p class="text">', '<p>New</p>\n<p class="text">'],
      "a class that is looked up": ['<p class="text">', '<p class="other">'],
    },
  },
  {
    name: "after-the-body",
    html: `<!doctype html><html><head><title>A page</title><link rel="icon" href="data:,"></head><body>
<h1>Title</h1><p>Text</p>
<footer>
<p class="note" title="One">A note.</p>
<p>Another note.</p>
</footer>
</body>
<script>document.title = document.querySelector("h1").textContent + " " + document.querySelectorAll("p").length;</script>
</html>`,
    edits: {
      "a text that was read": ["<h1>Title", "<h1>Other title"],
      "a new paragraph": ["<p>Text</p>", "<p>Text</p><p>More</p>"],
      "a class": ["<h1>", '<h1 class="big">'],
      "the script": ['+ " " +', '+ ": " +'],
    },
  },
  {
    name: "data-script",
    html: html("", `
<script type="application/json" id="data">{"items": ["a", "b"]}</script>
<ul id="items" class="list"></ul><p>Text</p>
<script>
for (const item of JSON.parse(document.getElementById("data").textContent).items) {
  document.getElementById("items").insertAdjacentHTML("beforeend", "<li>" + item + "</li>");
}
</script>`),
    edits: {
      "the data": ['["a", "b"]', '["a", "b", "c"]'],
      "a text": ["<p>Text", "<p>Other text"],
      "an item beside those that the script makes": ['class="list"></ul>', 'class="list"><li>first</li></ul>'],
      "a class": ['class="list"', 'class="list wide"'],
    },
  },
  {
    name: "templates",
    html: html("", `
<template id="row"><li><b></b> euros</li></template>
<ul data-prices="1,2,3"></ul>
<script>
const list = document.querySelector("ul");
for (const price of list.dataset.prices.split(",")) {
  const row = document.getElementById("row").content.cloneNode(true);
  row.querySelector("b").textContent = price;
  list.append(row);
}
</script>`),
    edits: {
      "the template": ["euros", "dollars"],
      "the data": ['"1,2,3"', '"1,2,3,4"'],
      "a class in the template": ["<li><b>", '<li class="row"><b>'],
      "a class beside it": ["<ul data", '<ul class="rows" data'],
    },
  },
  {
    name: "timers",
    html: html("", `
<p class="step">one</p><p class="step">two</p>
<h2>Later</h2>
<script>
setTimeout(() => {
  document.querySelector("h2").dataset.steps = [...document.querySelectorAll(".step")].map((step) => step.textContent).join();
  addEventListener("hashchange", () => {});
  new IntersectionObserver(([entry]) => { entry.target.classList.add("seen"); window.isDone = true; }).observe(document.querySelector("h2"));
}, 30);
</script>`),
    ready: () => window.isDone,
    edits: {
      "a text that was read later": [">two<", ">zwei<"],
      "a new step": ["<h2>", '<p class="step">three</p><h2>'],
      "another heading": ["<h2>Later</h2>", "<h2>Earlier</h2><h2>Later</h2>"],
      "an id": ["<h2>Later", '<h2 id="later">Later'],
    },
  },
];
