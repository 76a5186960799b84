// Scripts that look at stylesheets and pictures. Those are shown in place on every page, so what such a script has made of
// the old ones stays: not all of these pages are right after an edit.
import { html, square } from "./frame.mjs";

const RED = "h1 { color: red; height: 40px; --accent: red }";
const BLUE = "h1 { color: blue; height: 80px; --accent: blue } h2 { color: blue }";

const styled = (name, body, rest = {}) => ({
  name,
  html: html(rest.head ?? '<link rel="stylesheet" href="style.css" id="theme">', `<h1>Title</h1><button>Press</button><output></output>\n${body}`),
  files: { "style.css": RED, "dark.css": "h1 { color: white; background: black }", ...rest.files },
  clicks: "button",
  edits: { "a stylesheet": { "style.css": BLUE }, ...rest.edits },
  ...(rest.ready ? { ready: rest.ready } : {}),
});

const pictured = (name, body, rest = {}) => ({
  name,
  html: html("", `<img id="picture" src="red.svg" alt=""><button>Press</button><output></output>\n${body}`),
  files: { "red.svg": square(20, "red"), "other.svg": square(20, "green"), ...rest.files },
  clicks: "button",
  edits: { "a picture": { "red.svg": square(20, "blue") }, "a larger picture": { "red.svg": square(60, "blue") } },
  ...(rest.ready ? { ready: rest.ready } : {}),
});

const SETUP = 'const heading = document.querySelector("h1"), button = document.querySelector("button"), output = document.querySelector("output"), picture = document.getElementById("picture");';
const script = (code) => `<script>${SETUP}\n${code}</script>`;

export default [
  styled("style-read-at-load", script('addEventListener("load", () => (output.value = getComputedStyle(heading).color));')),
  styled("style-read-on-click", script("button.onclick = () => (output.value = getComputedStyle(heading).color);")),
  styled("style-variable-in-canvas", `<canvas width="10" height="10"></canvas>${script(`
const context = document.querySelector("canvas").getContext("2d");
context.fillStyle = getComputedStyle(heading).getPropertyValue("--accent");
context.fillRect(0, 0, 10, 10);`)}`),
  styled("style-layout-at-load", `<p id="note" style="position: absolute">Note</p>${script('document.getElementById("note").style.top = heading.offsetTop + heading.offsetHeight + "px";')}`),
  styled("style-layout-observed", script('new ResizeObserver(([{ target }]) => (output.value = target.offsetHeight)).observe(heading);'), { ready: () => document.querySelector("output").value }),
  styled("style-rules-counted", script("output.value = document.styleSheets.length + ' sheets, ' + document.styleSheets[0].cssRules.length + ' rules';")),
  styled("style-found-by-name", script('button.onclick = () => (output.value = [...document.styleSheets].find(({ href }) => href?.endsWith("/style.css"))?.cssRules.length);')),
  styled("style-rule-inserted", script('document.styleSheets[0].insertRule("h1 { font-size: 50px }", 0);')),
  styled("style-rule-inserted-on-click", script('const { sheet } = document.getElementById("theme");\nbutton.onclick = () => sheet.insertRule("h1 { margin-left: 50px }", 0);')),
  styled("style-switched-by-href", script('const theme = document.getElementById("theme");\nbutton.onclick = () => (theme.href = "dark.css");')),
  styled("style-switched-off", script('const theme = document.getElementById("theme");\nbutton.onclick = () => (theme.disabled = true);')),
  styled("style-added-by-script", script('document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: "style.css", onload() { output.value += "loaded "; } }));'), { head: "", ready: () => document.querySelector("output").value }),
  styled("style-load-handler", "", { head: '<link rel="stylesheet" href="style.css" onload="this.title = Number(this.title) + 1">' }),
  styled("style-print-trick", "", { head: `<link rel="stylesheet" href="style.css" media="print" onload="this.media = 'all'">`, ready: () => document.querySelector("link[media=all]") }),
  styled("style-preload-trick", "", { head: `<link rel="preload" as="style" href="style.css" onload="this.onload = null; this.rel = 'stylesheet'">`, ready: () => document.styleSheets.length > 0 }),
  styled("style-in-shadow", script('heading.attachShadow({ mode: "open" }).innerHTML = \'<link rel="stylesheet" href="style.css"><h1>Inner</h1>\';'), { head: "", ready: () => document.querySelector("h1").shadowRoot.styleSheets.length > 0 }),
  styled("style-fetched", script('fetch("style.css").then((answer) => answer.text()).then((text) => {\n  const sheet = new CSSStyleSheet();\n  sheet.replaceSync(text);\n  document.adoptedStyleSheets = [sheet];\n});'), { head: "", ready: () => document.adoptedStyleSheets.length > 0 }),
  styled("style-order", script('const style = document.createElement("style");\nstyle.textContent = "h1 { color: green }";\ndocument.getElementById("theme").before(style);')),
  styled("style-watched", script('let changes = 0;\nnew MutationObserver((records) => (output.value = changes += records.length)).observe(document.head, { childList: true, attributes: true, subtree: true });')),
  pictured("picture-drawn", `<canvas width="20" height="20"></canvas>${script(`
const draw = () => document.querySelector("canvas").getContext("2d").drawImage(picture, 0, 0);
if (picture.complete) draw(); else picture.addEventListener("load", draw, { once: true });`)}`),
  pictured("picture-drawn-at-each-load", `<canvas width="20" height="20"></canvas>${script(`
const draw = () => document.querySelector("canvas").getContext("2d").drawImage(picture, 0, 0);
picture.addEventListener("load", draw);
if (picture.complete) draw();`)}`),
  pictured("picture-size-at-load", script('addEventListener("load", () => (output.value = picture.naturalWidth + " wide"));')),
  pictured("picture-loads-counted", script('let loads = picture.complete ? 1 : 0;\nif (!picture.complete) picture.addEventListener("load", () => loads++, { once: true });\naddEventListener("load", () => {\n  picture.addEventListener("load", () => (output.value = ++loads));\n});')),
  pictured("picture-layout-at-load", `<p id="note" style="position: absolute">Note</p>${script('addEventListener("load", () => (document.getElementById("note").style.left = picture.offsetWidth + 200 + "px"));')}`),
  pictured("picture-toggled", script('button.onclick = () => (picture.src = picture.src.endsWith("/red.svg") ? "other.svg" : "red.svg");')),
  pictured("picture-toggled-twice", script('const before = picture.src;\nbutton.onclick = () => {\n  picture.src = "other.svg";\n  setTimeout(() => (picture.src = before));\n};')),
  pictured("picture-held", `<canvas width="20" height="20"></canvas>${script('const held = new Image();\nheld.src = "red.svg";\nbutton.onclick = () => document.querySelector("canvas").getContext("2d").drawImage(held, 0, 0);')}`),
  pictured("picture-copied", script('const copy = picture.cloneNode();\nbutton.onclick = () => document.body.append(copy);')),
  pictured("picture-watched", script('new MutationObserver((records) => (output.value += records.map(({ attributeName }) => attributeName))).observe(picture, { attributes: true });')),
  pictured("picture-as-background", `<div id="box" data-background="red.svg" style="width: 30px; height: 30px"></div>${script('const box = document.getElementById("box");\nbox.style.backgroundImage = `url(${box.dataset.background})`;\nbutton.onclick = () => (output.value = box.style.backgroundImage.includes("red.svg"));')}`),
];
