// Custom elements, and other scripts that watch the page while it is open.
import { html } from "./frame.mjs";

export default [
  {
    name: "element-attribute",
    html: html("", `
<script>
customElements.define("user-card", class extends HTMLElement {
  connectedCallback() {
    const inner = document.createElement("b");
    inner.textContent = "Hello " + this.getAttribute("name") + (this.hasAttribute("loud") ? "!" : "");
    this.append(inner);
  }
});
</script>
<user-card name="Ada"></user-card>
<user-card name="Grace" loud></user-card>`),
    edits: {
      "an attribute that was read": ['name="Ada"', 'name="Alan"'],
      "an attribute that was looked for": [" loud>", ">"],
      "an attribute that was not read": ['name="Ada"', 'name="Ada" title="A card"'],
      "a new element": ["<footer>", '<user-card name="Edsger"></user-card>\n<footer>'],
      "an element less": ['<user-card name="Ada"></user-card>\n', ""],
    },
  },
  {
    name: "element-text",
    html: html("", `
<up-per>first</up-per>
<up-per><b>second</b></up-per>
<script>
customElements.define("up-per", class extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: "open" }).textContent = this.textContent.toUpperCase();
    this.dataset.length = this.textContent.length;
  }
});
</script>`),
    edits: {
      "a text that was read": ["first", "other"],
      "an inner text that was read": ["<b>second", "<b>third"],
      "an inner element": ["<b>second</b>", "<i>second</i>"],
      "a new one": ["</up-per>\n<script>", "</up-per>\n<up-per>third</up-per>\n<script>"],
      "a class": ["<up-per>first", '<up-per class="x">first'],
    },
  },
  {
    name: "element-observed",
    html: html("", `
<script>
customElements.define("pro-gress", class extends HTMLElement {
  static observedAttributes = ["value"];
  changes = 0;
  connectedCallback() {
    this.attachShadow({ mode: "open" }).innerHTML = '<i></i><slot name="label"></slot><slot></slot>';
    this.shadowRoot.querySelector("slot").onslotchange = ({ target }) => (this.title = target.assignedNodes().length + " labels");
    this.show();
  }
  attributeChangedCallback() { this.changes++; this.show(); }
  show() {
    const bar = this.shadowRoot?.querySelector("i");
    if (bar) bar.textContent = this.getAttribute("value") + " of " + this.getAttribute("max") + " (" + this.changes + ")";
  }
});
</script>
<pro-gress value="1" max="5"><b slot="label">Label</b>text</pro-gress>`),
    edits: {
      "an observed attribute": ['value="1"', 'value="2"'],
      "an attribute that is only read": ['max="5"', 'max="6"'],
      "what is in a slot": ["Label</b>", "Other label</b>"],
      "more for a slot": ["</b>text", '</b><b slot="label">More</b>text'],
      "another slot": [' slot="label"', ""],
    },
  },
  {
    name: "observer",
    html: html("", `
<ul><li>a</li><li>b</li></ul>
<p id="news"></p>
<script>
let changes = 0;
const dress = (item) => { item.dataset.dressed = ++changes; };
document.querySelectorAll("li").forEach(dress);
new MutationObserver((records) => {
  for (const { addedNodes, removedNodes } of records) {
    for (const node of addedNodes) if (node.localName === "li") dress(node);
    document.getElementById("news").textContent += "+" + addedNodes.length + "-" + removedNodes.length;
  }
}).observe(document.querySelector("ul"), { childList: true });
</script>`),
    edits: {
      "a new item": ["<li>b</li>", "<li>b</li><li>c</li>"],
      "an item less": ["<li>a</li>", ""],
      "another order": ["<li>a</li><li>b</li>", "<li>b</li><li>a</li>"],
      "a text": ["<li>a", "<li>aa"],
    },
  },
  {
    name: "delegated",
    html: html("", `
<main><button data-action="add" data-amount="1">Add</button> <button data-action="reset">Reset</button></main>
<output>0</output>
<script>
const sums = [];
document.querySelector("main").addEventListener("click", ({ target }) => {
  const { action, amount } = target.dataset;
  const output = document.querySelector("output");
  if (action === "add") output.value = Number(output.value) + Number(amount);
  else if (action) output.value = action + " " + sums.push(target.textContent);
});
</script>`),
    clicks: "main button",
    edits: {
      "data of a button": ['data-amount="1"', 'data-amount="5"'],
      "a new button": ["Reset</button>", 'Reset</button> <button data-action="other">Other</button>'],
      "a text of a button": [">Add<", ">Plus<"],
      "another action": ['data-action="reset"', 'data-action="clear"'],
      "the first value": ["<output>0", "<output>7"],
    },
  },
  {
    name: "counter",
    html: html("", `
<p>Paragraph <i>1</i></p><p>Paragraph <i>2</i></p>
<button>0 clicks</button>
<script>
let clicks = 0;
const button = document.querySelector("button");
const first = Number(button.textContent.split(" ")[0]);
button.onclick = () => (button.textContent = first + ++clicks + " clicks");
document.querySelectorAll("body > p").forEach((paragraph, index, all) => (paragraph.title = index + 1 + " of " + all.length));
</script>`),
    clicks: "button",
    edits: {
      "the text of the button": ["0 clicks", "10 clicks"],
      "a new paragraph": ["<button>", "<p>Paragraph <i>3</i></p><button>"],
      "a paragraph less": ["<p>Paragraph <i>1</i></p>", ""],
      "a text in a paragraph": ["Paragraph <i>2", "Section <i>2"],
    },
  },
  {
    name: "inline-handlers",
    html: html("", `
<button onclick="this.textContent += '!'">Press</button>
<button onclick="this.dataset.index = [...this.parentNode.children].indexOf(this)">Index</button>
<img src="data:," alt="" onerror="this.replaceWith('no picture')">`),
    clicks: "button",
    edits: {
      "a handler": ["+= '!'", "+= '?'"],
      "a text": [">Press<", ">Push<"],
      "a new button": ["<img", "<button onclick=\"this.title = 'new'\">New</button>\n<img"],
      "an element before": ["<button", "<hr>\n<button"],
      "a picture that fails": ["</footer>", '<img src="data:,x" onerror="this.title = 1" alt=""></footer>'],
    },
  },
  {
    name: "editable",
    html: html("", `
<div contenteditable="true" id="editor"><p>Write <b>here</b></p></div>
<p id="words"></p>
<script>
const editor = document.getElementById("editor"), original = editor.innerHTML;
const count = () => (document.getElementById("words").textContent = editor.textContent.split(" ").length + " words" + (editor.innerHTML === original ? "" : ", changed"));
editor.addEventListener("input", count);
count();
</script>`),
    probe: () => {
      document.getElementById("editor").dispatchEvent(new Event("input"));
      return document.getElementById("words").textContent;
    },
    edits: {
      "a text in the editor": ["Write <b>", "Write something <b>"],
      "an element in the editor": ["</b></p>", "</b></p><p>More</p>"],
      "another way to write": ['contenteditable="true"', 'contenteditable="plaintext-only"'],
    },
  },
  {
    name: "computed-fields",
    html: html("", `
<p>Price: <b id="base">10</b></p>
<form><input id="gross"><input id="stamp" type="checkbox"><select id="sizes"><option>S<option>M</select><textarea id="summary"></textarea></form>
<script>
const base = document.getElementById("base").textContent;
document.getElementById("gross").value = base * 1.2;
document.getElementById("stamp").checked = base > 15;
document.getElementById("sizes").value = base > 15 ? "M" : "S";
document.getElementById("summary").value = "It costs " + base;
</script>`),
    edits: {
      "what the fields are made from": ['id="base">10', 'id="base">20'],
      "a field's attribute": ['<input id="gross">', '<input id="gross" title="with tax">'],
      "a field that is not filled any more": ["value = base * 1.2", "title = base * 1.2"],
      "fields that get something else": ["checked = base > 15", "checked = base > 5", '"It costs "', '"It has cost "'],
      "a label": ["Price:", "Net price:"],
      "a new option": ["<option>M", "<option>M<option>L"],
    },
  },
];
