// Pages with scripts whose author vouches for them: they are changed in place, and what scripts have made of the text before
// is their business.
import { html } from "./frame.mjs";

const vouched = (page) => page.replace("<html", '<html data-savecast="morph"');

export default [
  {
    name: "vouched",
    html: vouched(html("", `
<h1>Title</h1><p class="text">Text</p><ul><li>a</li><li>b</li></ul>
<script>for (const item of document.querySelectorAll("li")) item.onclick = () => item.remove();</script>`)),
    edits: {
      "a text": ["<p class=\"text\">Text", "<p class=\"text\">Other text"],
      "a new item": ["<li>b</li>", "<li>b</li><li>c</li>"],
      "an item less": ["<li>a</li>", ""],
      "a class": ['class="text"', 'class="text wide"'],
      "another order": ["<li>a</li><li>b</li>", "<li>b</li><li>a</li>"],
    },
  },
  {
    name: "vouched-elements",
    html: vouched(html("", `
<user-card name="Ada">text</user-card>
<button onclick="this.title = 'pressed'" data-kind="one">Press</button>
<script>customElements.define("user-card", class extends HTMLElement {
  static observedAttributes = ["name"];
  attributeChangedCallback() { (this.shadowRoot ?? this.attachShadow({ mode: "open" })).innerHTML = this.getAttribute("name") + " <slot></slot>"; }
});</script>`)),
    clicks: "button",
    edits: {
      "an observed attribute": ['name="Ada"', 'name="Grace"'],
      "a text": [">text<", ">other text<"],
      "data": ['data-kind="one"', 'data-kind="two"'],
      "a new card": ["</user-card>", '</user-card><user-card name="Alan"></user-card>'],
      "a handler": ["'pressed'", "'pushed'"],
    },
  },
  {
    name: "vouched-alpine",
    html: vouched(html('<script src="/vendor/alpine.js" defer></script>', `
<p>Beside</p>
<div x-data="{ count: 1 }"><button @click="count++">More</button><b x-text="count">?</b></div>`)),
    ready: () => document.querySelector("[x-text]").textContent !== "?",
    clicks: "button",
    edits: {
      "a text": ["<p>Beside", "<p>Not beside"],
      "a label": [">More<", ">Plus<"],
      "a new paragraph": ["<p>Beside</p>", "<p>Beside</p><p>New</p>"],
    },
  },
];
