// Pages without scripts: whatever is edited, they stay as they are but for that.
import { html, square } from "./frame.mjs";

export default [
  {
    name: "article",
    html: html("", `
<h1 id="top">An article</h1>
<p>First paragraph with <b>bold</b> <i>and</i> <code>code</code>.</p>
<p>Second paragraph.</p>
<blockquote><p>Quoted.</p></blockquote>`),
    edits: {
      "a text": ["Second paragraph.", "Second paragraph, changed."],
      "an attribute": ['id="top"', 'id="start" class="big"'],
      "another element": ["<h1 id=\"top\">An article</h1>", "<h2>An article</h2>"],
      "a new first paragraph": ["<p>First", "<p>Zeroth.</p>\n<p>First"],
      "a paragraph less": ["<p>Second paragraph.</p>", ""],
      "inline elements": ["<b>bold</b> <i>and</i>", "<i>and</i><b>bold</b>"],
      "the language": ['<html lang="en">', '<html lang="de" class="dark">'],
    },
  },
  {
    name: "lists",
    html: html("", `
<ul><li>one</li><li>two</li><li>three <ol><li>a</li><li>b</li></ol></li></ul>
<dl><dt>Term</dt><dd>Meaning</dd></dl>`),
    edits: {
      "another order": ["<li>one</li><li>two</li>", "<li>two</li><li>one</li>"],
      "a new item between": ["<li>two</li>", "<li>one and a half</li><li>two</li>"],
      "an inner item less": ["<li>b</li>", ""],
      "a list that becomes another": ["<ul>", "<ol reversed>", "</li></ul>", "</li></ol>"],
      "another definition": ["<dd>Meaning</dd>", "<dd>Meaning</dd><dd>Other meaning</dd>"],
      "all items": ["<li>one</li><li>two</li>", "<li>1</li><li>2</li><li>2.5</li>"],
    },
  },
  {
    name: "table",
    html: html("<style>td { padding: 2px }</style>", `
<table><caption>Prices</caption>
<thead><tr><th>Name<th>Price</thead>
<tbody><tr><td>Apple<td>1<tr><td>Pear<td>2</tbody>
</table>`),
    edits: {
      "a cell": ["<td>Pear<td>2", "<td>Pear<td>3"],
      "a row": ["<tr><td>Pear", "<tr><td>Plum<td>4<tr><td>Pear"],
      "a column": ["<th>Price", "<th>Price<th>Weight", "<td>1", "<td>1<td>10", "<td>2", "<td>2<td>20"],
      "rows in another order": ["<tr><td>Apple<td>1<tr><td>Pear<td>2", "<tr><td>Pear<td>2<tr><td>Apple<td>1"],
      "a style in the page": ["td { padding: 2px }", "td { padding: 4px }"],
      "a span": ["<td>Apple<td>1", '<td colspan="2">Apple'],
    },
  },
  {
    name: "form",
    html: html("", `
<form>
<label>Name <input name="name" value="Ada"></label>
<label><input type="checkbox" name="news" checked> News</label>
<select name="colour"><option>red<option selected>green</select>
<textarea name="text">draft</textarea>
<details open><summary>More</summary><input name="more"></details>
<button>Send</button>
</form>`),
    edits: {
      "a label": ["Name <input", "Full name <input"],
      "a default value": ['value="Ada"', 'value="Grace"'],
      "a new field": ["<button>", '<input name="mail" type="email">\n<button>'],
      "a field less": ['<textarea name="text">draft</textarea>\n', ""],
      "a new option": ["<option>red", "<option>blue<option>red"],
      "what is checked": [" checked>", ">"],
      "a text area": ["draft", "other draft"],
    },
  },
  {
    name: "media",
    html: html('<link rel="stylesheet" href="style.css">', `
<p><img src="red.svg" alt="A square"> <picture><source srcset="red.svg 1x"><img src="red.svg" alt=""></picture></p>
<svg viewBox="0 0 10 10" width="20" height="20"><circle cx="5" cy="5" r="4"/><text x="1" y="9">svg</text></svg>
<math><mi>x</mi><mo>=</mo><mn>1</mn></math>`),
    files: { "style.css": "body { color: black; background: url(red.svg) }", "red.svg": square(10, "red"), "other.css": "body { color: blue }" },
    edits: {
      "a stylesheet": { "style.css": "body { color: green; font-size: 20px }" },
      "a picture": { "red.svg": square(30, "blue") },
      "an alternative text": ['alt="A square"', 'alt="A red square" width="15"'],
      "a shape": ['r="4"/>', 'r="3"/><rect width="1" height="1"/>'],
      "a text in a picture": [">svg<", ">SVG<"],
      "a formula": ["<mn>1</mn>", "<mn>2</mn>"],
      "another stylesheet": ['href="style.css">', 'href="other.css">'],
    },
  },
  {
    name: "blanks",
    html: html("", `
<pre>a  <b>b</b> <b>c</b>
  d</pre>
<p>some <b>b</b> <b>c</b> text</p>
<!-- a comment -->
<div hidden>hidden</div>
<noscript><p>Without scripts.</p></noscript>`),
    edits: {
      "blanks in preformatted text": ["a  <b>b</b> <b>c</b>", "a<b>c</b>   <b>b</b>"],
      "no blank between": ["<b>b</b> <b>c</b> text", "<b>b</b><b>c</b> text"],
      "a comment": ["a comment", "another comment"],
      "what is hidden": ["<div hidden>", "<div>"],
      "a nested list": ["<div hidden>hidden</div>", "<div><ul><li>a<ul><li>b</ul></ul></div>"],
      "text at the end": ["\n</body>", "text\n</body>"],
    },
  },
  {
    name: "data-only",
    html: html('<script type="application/ld+json">{"name": "A page"}</script>', `
<main><h1>With data for machines</h1><p>Text.</p></main>`),
    edits: {
      "a text": ["<p>Text.", "<p>Other text."],
      "a new element": ["<p>Text.</p>", "<p>Text.</p><aside>More</aside>"],
      "an element less": ["<p>Text.</p>", ""],
      "an attribute": ["<main>", '<main class="wide">'],
    },
  },
];
