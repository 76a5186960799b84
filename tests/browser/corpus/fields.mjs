// Libraries for forms: dates, choices, validation.
import { html } from "./frame.mjs";

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
];
