// Scripts that look at stylesheets and pictures. Those are shown in place on every page, so what such a script has made of
// the old ones stays: not all of these pages are right after an edit.
import { html, square } from "./frame.mjs";

const RED = "h1 { color: red; height: 40px; --accent: red }";
const BLUE = "h1 { color: blue; height: 80px; --accent: blue } h2 { color: blue }";
const LINK = '<link rel="stylesheet" href="style.css" id="theme">';

/** A script of a page, which knows the elements that all of these pages have. */
const script = (code) => `<script>
const heading = document.querySelector("h1"), button = document.querySelector("button"), output = document.querySelector("output");
const theme = document.getElementById("theme"), picture = document.getElementById("picture"), note = document.getElementById("note");
const context = document.querySelector("canvas").getContext("2d");
${code}
</script>`;

const BODY = `<h1>Title</h1><button>Press</button><output></output>
<canvas width="20" height="20"></canvas><p id="note" style="position: absolute">Note</p>`;

const styled = (name, code, { head = LINK, ready = () => true } = {}) => ({
  name: `style-${name}`,
  html: html(head, `${BODY}\n${code && script(code)}`),
  files: { "style.css": RED, "dark.css": "h1 { color: white; background: black }" },
  ready,
  clicks: "button",
  edits: { "a stylesheet": { "style.css": BLUE } },
});

const pictured = (name, code) => ({
  name: `picture-${name}`,
  html: html("", `<img id="picture" src="red.svg" alt="">\n${BODY}\n${script(code)}`),
  files: { "red.svg": square(20, "red"), "other.svg": square(20, "green") },
  clicks: "button",
  edits: { "a picture": { "red.svg": square(20, "blue") }, "a larger picture": { "red.svg": square(60, "blue") } },
});

const isWritten = () => document.querySelector("output").value;

export default [
  styled("read-at-load", 'addEventListener("load", () => (output.value = getComputedStyle(heading).color));'),
  styled("read-on-click", "button.onclick = () => (output.value = getComputedStyle(heading).color);"),
  styled("variable-in-canvas", `
context.fillStyle = getComputedStyle(heading).getPropertyValue("--accent");
context.fillRect(0, 0, 10, 10);`),
  styled("layout-at-load", 'note.style.top = heading.offsetTop + heading.offsetHeight + "px";'),
  styled("layout-observed", "new ResizeObserver(([{ target }]) => (output.value = target.offsetHeight)).observe(heading);", { ready: isWritten }),
  styled("rules-counted", 'output.value = document.styleSheets.length + " sheets, " + document.styleSheets[0].cssRules.length + " rules";'),
  styled("found-by-name", `
button.onclick = () => {
  output.value = [...document.styleSheets].find(({ href }) => href?.endsWith("/style.css"))?.cssRules.length;
};`),
  styled("rule-inserted", 'document.styleSheets[0].insertRule("h1 { font-size: 50px }", 0);'),
  styled("rule-inserted-on-click", `
const { sheet } = theme;
button.onclick = () => sheet.insertRule("h1 { margin-left: 50px }", 0);`),
  styled("switched-by-href", 'button.onclick = () => (theme.href = "dark.css");'),
  styled("switched-off", "button.onclick = () => (theme.disabled = true);"),
  styled("added-by-script", `
const link = document.createElement("link");
Object.assign(link, { rel: "stylesheet", href: "style.css", onload: () => (output.value += "loaded ") });
document.head.append(link);`, { head: "", ready: isWritten }),
  styled("load-handler", "", { head: '<link rel="stylesheet" href="style.css" onload="this.title = Number(this.title) + 1">' }),
  styled("print-trick", "", {
    head: `<link rel="stylesheet" href="style.css" media="print" onload="this.media = 'all'">`,
    ready: () => document.querySelector("link[media=all]"),
  }),
  styled("preload-trick", "", {
    head: `<link rel="preload" as="style" href="style.css" onload="this.onload = null; this.rel = 'stylesheet'">`,
    ready: () => document.styleSheets.length > 0,
  }),
  styled("in-shadow", `
heading.attachShadow({ mode: "open" }).innerHTML = '<link rel="stylesheet" href="style.css"><h1>Inner</h1>';`, {
    head: "",
    ready: () => document.querySelector("h1").shadowRoot.styleSheets.length > 0,
  }),
  styled("fetched", `
fetch("style.css").then((answer) => answer.text()).then((text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets = [sheet];
});`, { head: "", ready: () => document.adoptedStyleSheets.length > 0 }),
  styled("order", `
const style = document.createElement("style");
style.textContent = "h1 { color: green }";
theme.before(style);`),
  styled("watched", `
let changes = 0;
const observer = new MutationObserver((records) => (output.value = changes += records.length));
observer.observe(document.head, { childList: true, attributes: true, subtree: true });`),

  pictured("drawn", `
const draw = () => context.drawImage(picture, 0, 0);
if (picture.complete) draw();
else picture.addEventListener("load", draw, { once: true });`),
  pictured("drawn-at-each-load", `
const draw = () => context.drawImage(picture, 0, 0);
picture.addEventListener("load", draw);
if (picture.complete) draw();`),
  pictured("size-at-load", 'addEventListener("load", () => (output.value = picture.naturalWidth + " wide"));'),
  pictured("loads-counted", `
let loads = 0;
addEventListener("load", () => picture.addEventListener("load", () => (output.value = ++loads)));`),
  pictured("layout-at-load", 'addEventListener("load", () => (note.style.left = picture.offsetWidth + 200 + "px"));'),
  pictured("toggled", 'button.onclick = () => (picture.src = picture.src.endsWith("/red.svg") ? "other.svg" : "red.svg");'),
  pictured("toggled-twice", `
const before = picture.src;
button.onclick = () => {
  picture.src = "other.svg";
  setTimeout(() => (picture.src = before));
};`),
  pictured("held", `
const held = new Image();
held.src = "red.svg";
button.onclick = () => context.drawImage(held, 0, 0);`),
  pictured("copied", `
const copy = picture.cloneNode();
button.onclick = () => document.body.append(copy);`),
  pictured("watched", `
const observer = new MutationObserver((records) => (output.value += records.map(({ attributeName }) => attributeName)));
observer.observe(picture, { attributes: true });`),
  pictured("as-background", `
Object.assign(note.style, { backgroundImage: "url(red.svg)", width: "30px", height: "30px" });
button.onclick = () => (output.value = note.style.backgroundImage.includes("red.svg"));`),
];
