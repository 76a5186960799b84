// Libraries that make widgets: slides, charts, galleries, lists.
import { html, square } from "./frame.mjs";

export default [
  {
    name: "slick",
    html: html('<link rel="stylesheet" href="/vendor/slick.css"><script src="/vendor/jquery.js"></script><script src="/vendor/slick.js"></script>', `
<div class="slides" style="width: 300px"><div>One</div><div>Two</div></div>
<script>$(".slides").slick({ speed: 0, dots: true });</script>`),
    edits: {
      "a slide": [">Two<", ">Second<"],
      "a new slide": ["<div>Two</div>", "<div>Two</div><div>Three</div>"],
      "a slide less": ["<div>One</div>", ""],
      "a width": ["width: 300px", "width: 200px"],
    },
  },
  {
    name: "chart",
    html: html('<link rel="stylesheet" href="style.css"><script src="/vendor/chart.js"></script>', `
<table><tr><th>Apples<td>3<tr><th>Pears<td>5</table>
<canvas width="200" height="100"></canvas>
<script>
const rows = [...document.querySelectorAll("tr")].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
Chart.defaults.animation = false;
new Chart(document.querySelector("canvas"), { type: "bar", options: { responsive: false },
  data: { labels: rows.map(([name]) => name), datasets: [{ label: document.title, data: rows.map(([, value]) => Number(value)) }] } });
</script>`),
    files: { "style.css": "th { color: red }" },
    edits: {
      "a number": ["<td>5", "<td>8"],
      "a row": ["<tr><th>Pears", "<tr><th>Plums<td>4<tr><th>Pears"],
      "a label": ["Apples", "Red apples"],
      "the title": ["<title>A page", "<title>Fruit"],
      "a stylesheet": { "style.css": "th { color: blue; font-size: 20px }" },
    },
  },
  {
    name: "reveal",
    html: html('<link rel="stylesheet" href="/vendor/reveal.css"><link rel="stylesheet" href="style.css"><style>* { transition: none !important }</style><script src="/vendor/reveal.js"></script>', `
<div class="reveal"><div class="slides">
<section><h2>First</h2><img src="red.svg" alt="" width="20" height="20"></section>
<section data-background-color="red"><h2>Second</h2><p class="fragment">Fragment</p></section>
</div></div>
<script>Reveal.initialize({ transition: "none", hash: false }).then(() => (window.isReady = true));</script>`),
    files: { "style.css": ".reveal h2 { color: red }", "red.svg": square(20, "red") },
    ready: () => window.isReady,
    probe: () => {
      Reveal.next();
      return [Reveal.getTotalSlides(), Reveal.getIndices(), Reveal.getCurrentSlide().outerHTML];
    },
    edits: {
      "a text": ["<h2>Second", "<h2>Other"],
      "a new slide": ["</div></div>", "<section><h2>Third</h2></section>\n</div></div>"],
      "a background": ['background-color="red"', 'background-color="green"'],
      "a new fragment": ["Fragment</p>", 'Fragment</p><p class="fragment">Another</p>'],
      "a stylesheet": { "style.css": ".reveal h2 { color: green }" },
      "a picture": { "red.svg": square(40, "blue") },
    },
  },
  {
    name: "lazysizes",
    html: html('<script src="/vendor/lazysizes.js" async></script>', `
<p>Pictures</p>
<img data-src="red.svg" class="lazyload" alt="red" width="20" height="20">
<img src="red.svg" alt="at once" width="20" height="20">`),
    files: { "red.svg": square(10, "red"), "blue.svg": square(10, "blue") },
    // Whether a picture comes from the cache of the browser.
    random: [/ls-is-cached /],
    ready: () => window.lazySizes && !document.querySelector(".lazyload, .lazyloading"),
    edits: {
      "another picture": ['data-src="red.svg"', 'data-src="blue.svg"'],
      "a new picture": ["<footer>", '<img data-src="blue.svg" class="lazyload" alt="new" width="20" height="20">\n<footer>'],
      "an alternative text": ['alt="red"', 'alt="a red square"'],
      "a class": ['class="lazyload"', 'class="lazyload round"'],
      "a picture file": { "red.svg": square(12, "green") },
    },
  },
  {
    name: "masonry",
    html: html('<script src="/vendor/masonry.js"></script>', `
<div class="grid" style="width: 220px"><div class="brick" style="width: 100px; height: 50px">1</div><div class="brick" style="width: 100px; height: 90px">2</div><div class="brick" style="width: 100px; height: 40px">3</div></div>
<script>new Masonry(".grid", { itemSelector: ".brick", transitionDuration: 0 });</script>`),
    edits: {
      "a height": ["height: 90px", "height: 20px"],
      "a new brick": ["3</div>", '3</div><div class="brick" style="width: 100px; height: 10px">4</div>'],
      "a brick less": ['<div class="brick" style="width: 100px; height: 50px">1</div>', ""],
      "a text": [">2<", ">two<"],
    },
  },
  {
    name: "list",
    html: html('<script src="/vendor/list.js"></script>', `
<div id="people"><input class="search"><button class="sort" data-sort="name">Sort</button>
<ul class="list"><li><b class="name">Grace</b></li><li><b class="name">Ada</b></li></ul></div>
<script>window.people = new List("people", { valueNames: ["name"] });</script>`),
    probe: () => {
      document.querySelector(".sort").click();
      const names = () => [...document.querySelectorAll(".name")].map((name) => name.textContent);
      const sorted = names();
      people.search("a");
      return [sorted, names(), people.size()];
    },
    edits: {
      "a name": [">Ada<", ">Alan<"],
      "a new name": ["</ul>", '<li><b class="name">Barbara</b></li></ul>'],
      "a name less": ['<li><b class="name">Grace</b></li>', ""],
      "a label": [">Sort<", ">Order<"],
    },
  },
  {
    name: "zoom",
    html: html('<script src="/vendor/medium-zoom.js"></script>', `
<img class="zoom" src="red.svg" alt="one"><img src="red.svg" alt="two">
<script>mediumZoom(".zoom");</script>`),
    files: { "red.svg": square(10, "red") },
    edits: {
      "a class that is looked up": ['<img src="red.svg" alt="two">', '<img class="zoom" src="red.svg" alt="two">'],
      "a new picture": ["<footer>", '<img class="zoom" src="red.svg" alt="three"><footer>'],
      "an alternative text": ['alt="one"', 'alt="first"'],
      "a picture file": { "red.svg": square(12, "green") },
    },
  },
  {
    name: "sortable",
    html: html('<script src="/vendor/sortable.js"></script>', `
<ul id="list"><li data-id="a">A</li><li data-id="b">B</li></ul>
<script>window.list = Sortable.create(document.getElementById("list"));</script>`),
    probe: () => window.Sortable.get(document.querySelector("ul"))?.toArray() ?? "none",
    edits: {
      "a new item": ["</ul>", '<li data-id="c">C</li></ul>'],
      "another order": ['<li data-id="a">A</li><li data-id="b">B</li>', '<li data-id="b">B</li><li data-id="a">A</li>'],
      "an id": ['data-id="b"', 'data-id="x"'],
      "a text": [">B<", ">Bee<"],
      "another list": ['<ul id="list">', '<ul><li>x</li></ul><ul id="list">'],
    },
  },
  {
    name: "clipboard",
    html: html('<script src="/vendor/clipboard.js"></script>', `
<button class="copy" data-clipboard-text="one">Copy one</button> <button class="copy" data-clipboard-text="two">Copy two</button>
<p id="log"></p>
<script>
const log = ({ text }) => (document.getElementById("log").textContent += text + " ");
const clipboard = new ClipboardJS(".copy");
clipboard.on("success", log);
clipboard.on("error", log);
</script>`),
    clicks: ".copy",
    edits: {
      "what is copied": ['text="two"', 'text="zwei"'],
      "a new button": ["Copy two</button>", 'Copy two</button> <button class="copy" data-clipboard-text="three">Copy three</button>'],
      "a label": ["Copy one", "Take one"],
      "a class": ['<button class="copy"', '<button class="no"'],
    },
  },
];
