// Scripts that look something up when the page is loaded, each in another way, and do something with what they have found.
import { html } from "./frame.mjs";

export default [
  {
    name: "selectors",
    html: html("", `
<nav><a href="#one">One</a> <a href="#two">Two</a></nav>
<ul><li>a</li><li>b</li></ul>
<table><tr><td>1</td><td>2</td></tr></table>
<p>A <span class="zoom">picture</span> and <span>another one</span>.</p>
<output></output>
<script>
for (const element of document.querySelectorAll("li, td, nav a, .zoom")) {
  element.addEventListener("click", () => (document.querySelector("output").textContent += element.textContent + " "));
}
</script>`),
    clicks: "li, td, nav a, .zoom",
    edits: {
      "a new item": ["<li>b</li>", "<li>b</li><li>c</li>"],
      "a new cell": ["<td>2</td>", "<td>2</td><td>3</td>"],
      "a new link": ["</nav>", ' <a href="#three">Three</a></nav>'],
      "a class that is looked up": ["<span>another", '<span class="zoom">another'],
      "a class that goes": ['<span class="zoom">', "<span>"],
      "an item less": ["<li>a</li>", ""],
    },
  },
  {
    name: "collections",
    html: html("", `
<h2 class="part">First</h2><p>Text</p>
<h2 class="part">Second</h2><p>Text</p>
<input name="mail" value="a@example.org">
<ol id="contents"></ol>
<script>
document.getElementById("contents").append(...[...document.getElementsByTagName("h2")].map((heading) =>
  Object.assign(document.createElement("li"), { textContent: heading.textContent })));
for (const part of document.getElementsByClassName("part")) part.onclick = () => part.classList.toggle("open");
document.getElementsByName("mail")[0].onclick = (event) => (event.target.value = "clicked");
</script>`),
    clicks: ".part, input",
    edits: {
      "a heading": ["Second", "Other"],
      "a new heading": ["<p>Text</p>\n<input", '<p>Text</p><h2 class="part">Third</h2>\n<input'],
      "a heading less": ['<h2 class="part">First</h2>', ""],
      "another name": ['name="mail"', 'name="post"'],
      "another class": ['class="part">First', 'class="piece">First'],
    },
  },
  {
    name: "first-and-last",
    html: html("", `
<p>First paragraph.</p>
<section><b>one</b><i>two</i></section>
<p id="log"></p>
<script>
const log = (text) => () => (document.getElementById("log").textContent += text);
document.querySelector("p").addEventListener("click", log("first "));
document.querySelector("section").lastElementChild.addEventListener("click", log("last "));
document.body.firstElementChild.nextElementSibling.firstElementChild.addEventListener("click", log("walked "));
</script>`),
    clicks: "p:not(#log), section > *",
    edits: {
      "another paragraph before": ["<p>First", "<p>Zeroth paragraph.</p>\n<p>First"],
      "another last child": ["</i></section>", "</i><u>three</u></section>"],
      "another first child": ["<section>", "<section><s>zero</s>"],
      "a first paragraph less": ["<p>First paragraph.</p>\n", ""],
      "in another order": ["<b>one</b><i>two</i>", "<i>two</i><b>one</b>"],
    },
  },
  {
    name: "walker",
    html: html("", `
<main><p>Ask :smile: and <b>:heart:</b></p><p>Nothing here</p></main>
<script>
const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replace(":smile:", "☺").replace(":heart:", "♥");
const count = document.createNodeIterator(document.querySelector("main"), NodeFilter.SHOW_ELEMENT);
let elements = 0;
while (count.nextNode()) elements++;
document.querySelector("main").dataset.elements = elements;
</script>`),
    edits: {
      "a text that is replaced": ["Nothing here", "Here :smile: is one"],
      "a text that was replaced": ["Ask :smile:", "Ask :heart:"],
      "a text that is not": ["Nothing", "Little"],
      "a new element": ["<p>Nothing", "<p>:heart:</p><p>Nothing"],
      "an element less": ["<p>Nothing here</p>", ""],
    },
  },
  {
    name: "texts",
    html: html("", `
<input id="wish" placeholder="Search"><p id="found"></p>
<article>Apples are red</article>
<article>Pears are green</article>
<script>
const texts = [...document.querySelectorAll("article")].map((article) => article.textContent);
document.getElementById("found").textContent = texts.length + " articles";
document.getElementById("wish").oninput = ({ target }) =>
  (document.getElementById("found").textContent = texts.filter((text) => text.includes(target.value)).join("; "));
</script>`),
    probe: () => {
      const field = document.getElementById("wish");
      field.value = "are";
      field.dispatchEvent(new Event("input"));
      return document.getElementById("found").textContent;
    },
    edits: {
      "a text that was read": ["Pears are green", "Pears are yellow"],
      "a new article": ["</article>\n<script>", "</article>\n<article>Plums are blue</article>\n<script>"],
      "an article less": ["<article>Apples are red</article>", ""],
      "another order": ["<article>Apples are red</article>", "", "<script>", "<article>Apples are red</article><script>"],
      "a field's hint": ['placeholder="Search"', 'placeholder="Find"'],
    },
  },
  {
    name: "names",
    html: html("", `
<b id="price">10</b>
<form name="order"><input name="amount" value="2"><input name="rest" value="x"></form>
<img name="logo" alt="" src="data:,">
<p id="sum"></p>
<script>
const price = Number(window.price.textContent);
sum.textContent = "Sum: " + price * document.order.amount.value + " " + document.logo.alt + document.forms[0].elements.length;
document.order.rest.onclick = () => (sum.textContent = document.order.amount.defaultValue);
</script>`),
    clicks: "form [name]",
    edits: {
      "a number that was read": [">10<", ">20<"],
      "a value that was read": ['value="2"', 'value="3"'],
      "an attribute that was read": ['alt=""', 'alt="logo"'],
      "a field that was counted": ["</form>", '<input name="new"></form>'],
      "a field of the same name": ["</form>", '<input name="rest" value="y"></form>'],
    },
  },
  {
    name: "layout",
    html: html("<style>#box { width: 50% } h1 { font-size: 20px }</style>", `
<h1>A heading</h1>
<div id="box">Some text in a box</div>
<p id="size"></p>
<script>
const box = document.getElementById("box");
document.getElementById("size").textContent =
  [box.offsetHeight, Math.round(box.getBoundingClientRect().top), getComputedStyle(box).color, document.documentElement.scrollHeight].join(" ");
</script>`),
    edits: {
      "more text in the box": ["Some text", "Some text<br>on two lines"],
      "something before": ["<h1>A heading</h1>", "<h1>A heading</h1><h1>Another one</h1>"],
      "a colour in the box": ['<div id="box">', '<div id="box" style="color: red">'],
      "something after": ["</footer>", "<h1>At the end</h1></footer>"],
      "a style in the page": ["font-size: 20px", "font-size: 40px"],
    },
  },
  {
    name: "xpath",
    html: html("", `
<section><h3>One</h3></section><section><h3>Two</h3><p>Text</p></section>
<p id="count"></p>
<script>
const count = (path) => document.evaluate(path, document, null, XPathResult.NUMBER_TYPE, null).numberValue;
const range = document.createRange();
range.selectNodeContents(document.querySelector("section"));
document.getElementById("count").textContent = count("count(//h3)") + " " + count("count(//section/p)") + " " + range.toString();
const copy = document.querySelector("section").cloneNode(true);
document.getElementById("count").onclick = () => document.body.append(copy);
</script>`),
    clicks: "#count",
    edits: {
      "a new heading": ["<p>Text</p>", "<p>Text</p><h3>Three</h3>"],
      "a text in a range": ["<h3>One", "<h3>First"],
      "a paragraph less": ["<p>Text</p>", ""],
      "an attribute that was copied": ["<section><h3>One", '<section title="copied"><h3>One'],
    },
  },
];
