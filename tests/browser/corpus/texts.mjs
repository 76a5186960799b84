// Libraries that make something of what is written: highlighted code, formulas, diagrams, tables of contents.
import { html } from "./frame.mjs";

export default [
  {
    name: "highlight",
    html: html('<link rel="stylesheet" href="style.css"><script src="/vendor/highlight.js"></script>', `
<p>Code: <img src="dot.svg" alt=""></p>
<pre><code class="language-js">const one = "1";</code></pre>
<script>hljs.highlightAll();</script>`),
    files: { "style.css": ".hljs-keyword { color: red }", "dot.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>' },
    edits: {
      "code": ['"1"', '"2" + 1'],
      "more code": ["</code></pre>\n<script>", '</code></pre>\n<pre><code class="language-css">p { color: red }</code></pre>\n<script>'],
      "another language": ["language-js", "language-python"],
      "a first text": ["Code:", "Some code:"],
      "a stylesheet": { "style.css": ".hljs-keyword { color: blue; font-size: 30px }" },
      "a picture": { "dot.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="40"/>' },
    },
  },
  {
    name: "highlight-none-yet",
    html: html('<script src="/vendor/highlight.js"></script>', "<main><p>No code yet</p></main><script>hljs.highlightAll();</script>"),
    edits: {
      "the first code": ["<p>No code yet</p>", '<p>Code</p><pre><code class="language-js">let x = 1;</code></pre>'],
      "the first code without a class": ["</main>", "<pre><code>let x = 1;</code></pre></main>"],
    },
  },
  {
    name: "prism",
    html: html('<script src="/vendor/prism.js" defer></script>', `
<p>See <code class="language-css">p { color: red }</code>.</p>
<pre class="language-html"><code>&lt;b&gt;bold&lt;/b&gt;</code></pre>`),
    ready: () => document.querySelector(".token"),
    edits: {
      "inline code": ["color: red", "color: blue; margin: 0"],
      "a block": ["bold&lt;", "bolder&lt;"],
      "a new block": ["</pre>", '</pre>\n<pre><code class="language-js">let x;</code></pre>'],
      "a class": ['<pre class="language-html">', '<pre class="language-css">'],
    },
  },
  {
    name: "katex",
    html: html('<script src="/vendor/katex.js"></script><script src="/vendor/auto-render.js"></script>', `
<main><p>The formula $$x^2$$ and text.</p><p>Only text</p></main>
<script>renderMathInElement(document.body);</script>`),
    edits: {
      "a formula": ["$$x^2$$", "$$x^3$$"],
      "a first formula in a paragraph": ["Only text", "Also \\(y + 1\\)"],
      "a new paragraph": ["<p>Only text</p>", "<p>Only text</p><p>$$z$$</p>"],
      "text beside a formula": ["and text.", "and other text."],
      "a text": ["Only text", "Other text"],
    },
  },
  {
    name: "mermaid",
    html: html('<script src="/vendor/mermaid.js"></script>', `
<p>A diagram</p>
<pre class="mermaid">graph LR
A --> B</pre>
<script>
mermaid.initialize({ startOnLoad: false, deterministicIds: true, deterministicIDSeed: "x" });
mermaid.run().then(() => (window.isDrawn = true));
</script>`),
    ready: () => window.isDrawn,
    edits: {
      "the diagram": ["A --> B", "A --> C"],
      "a text": ["A diagram", "The diagram"],
      "a second diagram": ["</pre>", '</pre>\n<pre class="mermaid">graph TD\nX --> Y</pre>'],
    },
  },
  {
    name: "tocbot",
    html: html('<script src="/vendor/tocbot.js"></script>', `
<nav class="toc"></nav>
<main><h2 id="one">One</h2><p>Text</p><h3 id="inner">Inner</h3><h2 id="two">Two</h2></main>
<script>tocbot.init({ tocSelector: ".toc", contentSelector: "main", headingSelector: "h2, h3" });</script>`),
    edits: {
      "a heading": [">Two<", ">Second<"],
      "a new heading": ["</main>", '<h2 id="three">Three</h2></main>'],
      "a heading less": ['<h3 id="inner">Inner</h3>', ""],
      "an id": ['id="two"', 'id="second"'],
      "a text": ["<p>Text", "<p>Other text"],
    },
  },
  {
    name: "anchors",
    html: html('<script src="/vendor/anchor.js"></script>', `
<main><h2>First steps</h2><p>Text</p><h2>More</h2></main>
<script>new AnchorJS().add("main h2");</script>`),
    edits: {
      "a heading": ["First steps", "Last steps"],
      "a new heading": ["</main>", "<h2>Most</h2></main>"],
      "a smaller heading": ["<h2>More</h2>", "<h3>More</h3>"],
      "a text": ["<p>Text", "<p>Other text"],
    },
  },
  {
    name: "marked",
    html: html('<script src="/vendor/marked.js"></script>', `
<script type="text/markdown" id="source"># Title

* one
* two</script>
<div class="notes">Some *notes*</div>
<main></main>
<script>
document.querySelector("main").innerHTML = marked.parse(document.getElementById("source").textContent);
for (const notes of document.querySelectorAll(".notes")) notes.innerHTML = marked.parseInline(notes.textContent);
</script>`),
    edits: {
      "the text in a script": ["* two", "* two\n* three"],
      "the text in an element": ["*notes*", "**notes**"],
      "more text": ["<main>", '<div class="notes">_More_ notes</div>\n<main>'],
      "a class": ['<main>', '<main class="wide">'],
    },
  },
  {
    name: "fitty",
    html: html('<script src="/vendor/fitty.js"></script>', `
<div style="width: 400px"><h1 class="fit">Wide</h1></div>
<h2>Not fitted</h2>
<script>fitty(".fit", { observeMutations: false });</script>`),
    ready: () => document.querySelector(".fit")?.style.fontSize || !document.querySelector(".fit"),
    edits: {
      "a fitted text": [">Wide<", ">Much wider<"],
      "another width": ["width: 400px", "width: 300px"],
      "another fitted element": ["<h2>", '<h2 class="fit">'],
    },
  },
];
