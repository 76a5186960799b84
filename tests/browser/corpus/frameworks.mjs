// Frameworks: the page is a template, or they enliven what is written.
import { html } from "./frame.mjs";

export default [
  {
    name: "alpine",
    html: html('<script src="/vendor/alpine.js" defer></script>', `
<div x-data="{ open: false, count: 1 }">
<button @click="open = !open; count++">Toggle</button>
<p x-show="open">Open</p>
<b x-text="'Count ' + count">?</b>
</div>
<p id="plain">Plain</p>`),
    ready: () => !document.querySelector("[x-text]") || document.querySelector("[x-text]").textContent !== "?",
    clicks: "button",
    edits: {
      "data": ["count: 1", "count: 5"],
      "a text": ["Toggle", "Switch"],
      "an expression": ["'Count '", "'Counted '"],
      "a new element": ["</b>\n", '</b><i x-text="count">?</i>\n'],
      "a new island": ['<p id="plain">', '<p x-data="{ x: 1 }"><i x-text="x">?</i></p><p id="plain">'],
    },
  },
  {
    name: "petite-vue",
    html: html("", `
<div v-scope="{ count: 0, names: ['a', 'b'] }"><button @click="count++">{{ count }} clicks</button><ul><li v-for="name in names">{{ name }}</li></ul></div>
<script src="/vendor/petite-vue.js"></script>
<script>PetiteVue.createApp().mount();</script>`),
    clicks: "button",
    edits: {
      "the text of a template": ["}} clicks", "}} times"],
      "data": ["count: 0", "count: 3"],
      "a new binding": ["</ul>", '</ul><i v-if="count == 0">None</i>'],
      "a class": ["<ul>", '<ul class="names">'],
    },
  },
  {
    name: "vue",
    html: html('<script src="/vendor/vue.js"></script>', `
<div id="app"><h1 :class="{ big: count > 1 }">{{ title }}</h1><button @click="count++">{{ count }}</button><p>Static <i>text</i></p></div>
<script>Vue.createApp({ data: () => ({ title: "Hello", count: 1 }) }).mount("#app");</script>`),
    clicks: "button",
    edits: {
      "static text": ["<i>text", "<i>other text"],
      "a binding": ["{{ title }}", "{{ title + count }}"],
      "a new element": ["</p></div>", '</p><p v-if="count > 1">More</p></div>'],
      "an attribute": ['<div id="app">', '<div id="app" class="app">'],
      "the script": ['title: "Hello"', 'title: "Hi"'],
    },
  },
  {
    name: "preact",
    html: html('<script src="/vendor/preact.js"></script>', `
<div id="root" data-names="Ada,Grace">Loading</div>
<script>
const { html, render, useState } = htmPreact;
const root = document.getElementById("root");
const App = ({ names }) => {
  const [count, setCount] = useState(0);
  return html\`<button onClick=\${() => setCount(count + 1)}>\${count}</button><ul>\${names.map((name) => html\`<li>\${name}</li>\`)}</ul>\`;
};
root.textContent = "";
render(html\`<\${App} names=\${root.dataset.names.split(",")} />\`, root);
</script>`),
    clicks: "button",
    edits: {
      "data": ['"Ada,Grace"', '"Ada,Alan"'],
      "an attribute of the root": ['<div id="root"', '<div id="root" title="App"'],
      "an element beside it": ["<script>\nconst", "<p>Beside</p>\n<script>\nconst"],
      "the script": ["<ul>", "<ul id=names>"],
    },
  },
  {
    name: "lit",
    html: html(`
<script type="importmap">{"imports": {"lit": "/vendor/lit.js", "@lit/reactive-element": "/vendor/reactive-element.js", "lit-html": "/vendor/lit-html.js",
"lit-element/lit-element.js": "/vendor/lit-element.js", "lit-html/is-server.js": "/vendor/is-server.js"}}</script>
<script type="module">
import { LitElement, css, html } from "lit";
customElements.define("my-greeting", class extends LitElement {
  static properties = { name: {}, clicks: { state: true } };
  static styles = css\`b { color: red }\`;
  constructor() { super(); this.clicks = 0; }
  firstUpdated() { this.count = this.children.length; this.title = this.count + " children, " + this.getAttribute("kind"); }
  render() { return html\`<b>Hello \${this.name}</b> <slot></slot> \${this.clicks}\`; }
});
for (const greeting of document.querySelectorAll("my-greeting")) greeting.addEventListener("click", () => greeting.clicks++);
</script>`, `
<my-greeting name="Ada" kind="formal"><i>slot</i></my-greeting>`),
    random: [/lit\$\d+/],
    ready: () => [...document.querySelectorAll("my-greeting")].every(({ title }) => title),
    clicks: "my-greeting",
    edits: {
      "a property": ['name="Ada"', 'name="Grace"'],
      "an attribute that is read once": ['kind="formal"', 'kind="casual"'],
      "a child": ["<i>slot</i>", "<i>slot</i><i>more</i>"],
      "a new element": ["</my-greeting>", '</my-greeting>\n<my-greeting name="Alan"></my-greeting>'],
      "a text in a slot": ["<i>slot", "<i>slotted"],
    },
  },
  {
    name: "stimulus",
    html: html('<script src="/vendor/stimulus.js"></script>', `
<div data-controller="hello" data-hello-greeting-value="Hello">
<input data-hello-target="name" value="Ada"><button data-action="click->hello#greet">Greet</button><output data-hello-target="output"></output>
</div>
<script>
Stimulus.Application.start().register("hello", class extends Stimulus.Controller {
  static targets = ["name", "output"];
  static values = { greeting: String };
  connect() { this.element.title = this.nameTargets.length + " names, " + this.greetingValue; window.isConnected = true; }
  greet() { this.outputTarget.textContent = this.greetingValue + " " + this.nameTargets.map(({ value }) => value); }
});
</script>`),
    ready: () => window.isConnected,
    clicks: "button",
    edits: {
      "a value": ['value="Hello"', 'value="Hi"'],
      "a new target": ["<button", '<input data-hello-target="name" value="Grace"><button'],
      "a default": ['value="Ada"', 'value="Alan"'],
      "a new controller": ["<script>\nStimulus", '<p data-controller="hello"></p>\n<script>\nStimulus'],
      "an action": ["click->hello#greet", "dblclick->hello#greet"],
    },
  },
  {
    name: "htmx",
    html: html('<script src="/vendor/htmx.js"></script>', `
<div id="loaded" hx-get="part.txt" hx-trigger="load">Loading</div>
<button hx-get="part.txt" hx-target="#target">Get</button>
<p id="target"></p>`),
    files: { "part.txt": "<i>part</i>", "other.txt": "<i>other</i>" },
    ready: () => document.querySelector("#loaded i"),
    probe: async () => {
      const button = document.querySelector("[hx-get]:not(#loaded)");
      button.click();
      // The answer comes by the network, or it does not come at all.
      const target = document.querySelector(button.getAttribute("hx-target"));
      for (let tries = 0; tries < 50 && !target.innerHTML; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
      return target.innerHTML;
    },
    edits: {
      "what is loaded": ['hx-get="part.txt" hx-trigger', 'hx-get="other.txt" hx-trigger'],
      "what a button gets": ['hx-get="part.txt" hx-target', 'hx-get="other.txt" hx-target'],
      "a new button before": ["<button", '<button hx-get="other.txt" hx-target="#target">Other</button>\n<button'],
      "a text": [">Get<", ">Load<"],
      "a title": ['<p id="target">', '<p id="target" title="here">'],
    },
  },
  {
    name: "jquery",
    html: html('<script src="/vendor/jquery.js"></script>', `
<ul class="tabs"><li><a href="#a">A</a></li><li><a href="#b">B</a></li></ul>
<div id="a" class="pane">Pane A</div><div id="b" class="pane">Pane B</div>
<script>
$(() => {
  $(".pane").hide().first().show();
  $(".tabs a").on("click", function () {
    $(".pane").hide();
    $($(this).attr("href")).show().data("seen", true);
    $(this).closest("li").addClass("active").siblings().removeClass("active");
  });
  $(".tabs").after($("<p>").text($(".tabs li").length + " tabs"));
});
</script>`),
    clicks: ".tabs a",
    edits: {
      "a tab": ["B</a></li>", 'B</a></li><li><a href="#c">C</a></li>', '<div id="b"', '<div id="c" class="pane">Pane C</div><div id="b"'],
      "a text": ["Pane A", "First pane"],
      "a target": ['href="#b"', 'href="#a"'],
      "a class": ['id="b" class="pane"', 'id="b" class="pane wide"'],
      "a tab less": ['<li><a href="#a">A</a></li>', ""],
    },
  },
];
