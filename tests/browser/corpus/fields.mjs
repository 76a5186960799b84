// Libraries for forms: dates, choices, validation.
import { html } from "./frame.mjs";

/** A tenth of a second of silence: 800 samples of a byte each, 8,000 in a second. */
const SILENCE = Buffer.concat([
  Buffer.from("RIFF\x44\x03\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x20\x03\0\0", "latin1"), Buffer.alloc(800, 128),
]);

export default [
  {
    name: "flatpickr",
    html: html('<link rel="stylesheet" href="/vendor/flatpickr.css"><script src="/vendor/flatpickr.js"></script>', `
<label for="day">Day</label> <input class="date" id="day" value="2026-01-15" data-min-date="2026-01-02">
<input id="plain" value="x">
<script>flatpickr(".date");</script>`),
    clicks: ".date",
    edits: {
      "the day": ['value="2026-01-15"', 'value="2026-02-20"'],
      "a limit": ['data-min-date="2026-01-02"', 'data-min-date="2026-01-10"'],
      "a new field": ['<input id="plain"', '<input class="date" value="2026-03-03">\n<input id="plain"'],
      "a class": ['<input id="plain"', '<input id="plain" class="date"'],
      "a label": [">Day<", ">Date<"],
    },
  },
  {
    name: "choices",
    html: html('<script src="/vendor/choices.js"></script>', `
<label>Fruit</label>
<select id="fruit"><option value="a">Apple</option><option value="p" selected>Pear</option></select>
<script>new Choices("#fruit", { shouldSort: false });</script>`),
    edits: {
      "an option": [">Apple<", ">Red apple<"],
      "a new option": ["</select>", '<option value="m">Plum</option></select>'],
      "what is chosen": [" selected>Pear", ">Pear"],
      "a label": [">Fruit<", ">Fruits<"],
      "an attribute": ['<select id="fruit">', '<select id="fruit" data-x="1">'],
    },
  },
  {
    name: "just-validate",
    html: html('<script src="/vendor/just-validate.js"></script>', `
<form id="form" novalidate><input id="mail" name="mail" value="wrong"><input id="name" name="name"><button>Send</button></form>
<script>
window.validator = new JustValidate("#form");
validator.addField("#mail", [{ rule: "email" }]);
for (const field of document.querySelectorAll("#name, .needed")) validator.addField("#" + field.id, [{ rule: "required", errorMessage: (field.title || "Name") + " is needed" }]);
</script>`),
    probe: async () => {
      await validator.revalidate();
      return [...document.querySelectorAll("form > *")].map(({ className, textContent }) => `${className} ${textContent}`);
    },
    edits: {
      "a default": ['value="wrong"', 'value="right@example.org"'],
      "a title that is read": ['name="name"', 'name="name" title="Full name"'],
      "a new field": ["<button>", '<input id="town" class="needed" title="Town"><button>'],
      "a label": [">Send<", ">Submit<"],
    },
  },
  {
    name: "jquery-validation",
    html: html('<script src="/vendor/jquery.js"></script><script src="/vendor/jquery.validate.js"></script>', `
<form><input name="mail" type="email" value="wrong" required><input name="name" required minlength="2"><button>Send</button></form>
<script>window.validator = $("form").validate();</script>`),
    probe: () => {
      $("form").valid();
      return [...document.querySelectorAll("form > *")].map(({ outerHTML }) => outerHTML);
    },
    edits: {
      "a rule": ['required minlength="2"', 'minlength="2"'],
      "a message": ['name="name"', 'name="name" data-msg-required="The name, please"'],
      "a new field": ["<button>", '<input name="town" required><button>'],
      "a default": ['value="wrong"', 'value="right@example.org"'],
    },
  },
  {
    name: "filled-by-scripts",
    html: html("", `
<form name="order"><input name="id"><select name="size"></select><p data-sizes="S,M"></p></form>
<h1>10</h1>
<script>
const { order } = document;
for (const size of document.querySelector("[data-sizes]").dataset.sizes.split(",")) order.size.add(new Option(size, size, false, size === "M"));
setTimeout(() => {
  order.id.value = "order " + document.querySelector("h1").textContent;
  order.insertAdjacentHTML("beforeend", "<input name=late value=0>");
  order.late.value = Number(document.querySelector("h1").textContent) + 1;
  window.isDone = true;
}, 20);
</script>`),
    ready: () => window.isDone,
    edits: {
      "what fields are made from": ["<h1>10", "<h1>20"],
      "the options": ['"S,M"', '"S,M,L"'],
      "other options": ['"S,M"', '"XS,S,M"'],
      "a field's hint": ['<input name="id">', '<input name="id" placeholder="none">'],
    },
  },
  {
    name: "opened-by-scripts",
    html: html("", `
<p id="mode">open all</p>
<details><summary>One</summary>1</details><details open><summary>Two</summary>2</details>
<dialog>Dialog</dialog>
<div popover id="pop">Popover</div>
<input type="radio" name="kind" value="a" checked><input type="radio" name="kind" value="b">
<script>
const isOpen = document.getElementById("mode").textContent.includes("open");
const [one, two] = document.querySelectorAll("details");
one.open = isOpen;
two.open = !isOpen;
if (isOpen) document.querySelector("dialog").show();
if (isOpen) document.getElementById("pop").showPopover();
document.querySelectorAll("[name=kind]")[isOpen ? 1 : 0].checked = true;
document.body.dataset.popped = document.getElementById("pop").matches(":popover-open");
</script>`),
    edits: {
      "what is opened": ["open all", "close all"],
      "a title": ["<summary>One", "<summary>First"],
      "what is written open": ["<details><summary>", '<details open id="one"><summary>'],
    },
  },
  {
    name: "controlled-field",
    html: html('<script src="/vendor/preact.js"></script>', `
<div id="root" data-name="Ada"></div>
<script>
const { html, render, useState } = htmPreact;
const App = ({ name }) => {
  const [value, setValue] = useState(name);
  return html\`<input value=\${value} onInput=\${({ target }) => setValue(target.value)} /><b>\${value}</b><button onClick=\${() => setValue(value + "!")}>Add</button>\`;
};
render(html\`<\${App} name=\${document.getElementById("root").dataset.name} />\`, document.getElementById("root"));
</script>`),
    clicks: "button",
    edits: {
      "what the field starts with": ['data-name="Ada"', 'data-name="Grace"'],
      "a label": [">Add<", ">More<"],
      "a class": ['<div id="root"', '<div class="root" id="root"'],
    },
  },
  {
    name: "search-filled-by-url",
    html: html("", `
<form><input name="q"><input name="page" type="number" value="1"><input name="level" type="range" min="0" max="10"></form>
<ul><li>Apple</li><li>Pear</li></ul>
<script>
const { q, page, level } = document.forms[0];
q.value = new URLSearchParams(location.search).get("q") ?? document.querySelector("li").textContent;
page.value = document.querySelectorAll("li").length;
level.max = document.querySelectorAll("li").length;
level.value = level.max;
for (const item of document.querySelectorAll("li")) item.hidden = item.textContent !== q.value;
</script>`),
    edits: {
      "what the field is filled with": ["<li>Apple", "<li>Plum"],
      "a new item": ["<li>Pear</li>", "<li>Pear</li><li>Plum</li>"],
      "a field's attribute": ['min="0"', 'min="1"'],
    },
  },
  {
    name: "written-open",
    html: html("", `
<details><summary>One</summary>1</details><details open><summary>Two</summary>2</details>
<dialog open>Dialog</dialog><dialog>Other dialog</dialog>
<input type="checkbox" name="box"><select name="size"><option>S<option>M</select><input name="text" value="a"><textarea name="area">a</textarea>
<script>document.body.dataset.details = document.querySelectorAll("details[open], dialog[open]").length;</script>`),
    edits: {
      "details that are open": ["<details><summary>", "<details open><summary>"],
      "details that are closed": ["<details open>", "<details>"],
      "a dialog that is open": ["<dialog>Other", "<dialog open>Other"],
      "a dialog that is closed": ["<dialog open>", "<dialog>"],
      "other defaults": ['name="box"', 'name="box" checked', "<option>M", "<option selected>M", 'value="a"', 'value="b"', "area\">a", "area\">b"],
    },
  },
  {
    name: "sounds",
    html: html("", `
<audio src="silence.wav" muted controls></audio>
<p id="volume">0.5</p>
<script>
const audio = document.querySelector("audio");
audio.volume = Number(document.getElementById("volume").textContent);
audio.onloadedmetadata = () => (document.body.dataset.seconds = audio.duration);
</script>`),
    files: { "silence.wav": SILENCE },
    ready: () => document.body.dataset.seconds,
    edits: {
      "a volume": [">0.5<", ">0.25<"],
      "a sound that is not muted": [" muted controls", " controls"],
      "a sound that the script makes fast": ["audio.onloaded", "audio.playbackRate = 2;\naudio.onloaded"],
      "no controls": [" muted controls", " muted"],
    },
  },
];
