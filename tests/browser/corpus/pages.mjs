// All pages of the corpus, and the files of packages that they load.
import elements from "./elements.mjs";
import fields from "./fields.mjs";
import frameworks from "./frameworks.mjs";
import loading from "./loading.mjs";
import lookups from "./lookups.mjs";
import plain from "./plain.mjs";
import texts from "./texts.mjs";
import vouched from "./vouched.mjs";
import widgets from "./widgets.mjs";

const scripted = [...lookups, ...elements, ...loading, ...texts, ...frameworks, ...widgets, ...fields];

export const PAGES = [
  ...plain,
  ...scripted.map((page) => ({ ...page, hasScripts: true })),
  ...vouched.map((page) => ({ ...page, hasScripts: true, isVouched: true })),
];

/** What the site serves from `/vendor/`: the name there, and where it is in `node_modules`. */
export const VENDOR = {
  "alpine.js": "alpinejs/dist/cdn.min.js",
  "anchor.js": "anchor-js/anchor.min.js",
  "auto-render.js": "katex/dist/contrib/auto-render.min.js",
  "chart.js": "chart.js/dist/chart.umd.min.js",
  "choices.js": "choices.js/public/assets/scripts/choices.min.js",
  "clipboard.js": "clipboard/dist/clipboard.min.js",
  "css-tag.js": "@lit/reactive-element/css-tag.js",
  "fitty.js": "fitty/dist/fitty.min.js",
  "flatpickr.css": "flatpickr/dist/flatpickr.min.css",
  "flatpickr.js": "flatpickr/dist/flatpickr.min.js",
  "highlight.js": "@highlightjs/cdn-assets/highlight.min.js",
  "htmx.js": "htmx.org/dist/htmx.min.js",
  "is-server.js": "lit-html/is-server.js",
  "jquery.js": "jquery/dist/jquery.min.js",
  "jquery.validate.js": "jquery-validation/dist/jquery.validate.min.js",
  "just-validate.js": "just-validate/dist/just-validate.production.min.js",
  "katex.js": "katex/dist/katex.min.js",
  "lazysizes.js": "lazysizes/lazysizes.min.js",
  "list.js": "list.js/dist/list.min.js",
  "lit-element.js": "lit-element/lit-element.js",
  "lit-html.js": "lit-html/lit-html.js",
  "lit.js": "lit/index.js",
  "marked.js": "marked/lib/marked.umd.js",
  "masonry.js": "masonry-layout/dist/masonry.pkgd.min.js",
  "medium-zoom.js": "medium-zoom/dist/medium-zoom.min.js",
  "mermaid.js": "@mermaid-js/tiny/dist/mermaid.tiny.js",
  "petite-vue.js": "petite-vue/dist/petite-vue.iife.js",
  "preact.js": "htm/preact/standalone.umd.js",
  "prism.js": "prismjs/prism.js",
  "reactive-element.js": "@lit/reactive-element/reactive-element.js",
  "reveal.css": "reveal.js/dist/reveal.css",
  "reveal.js": "reveal.js/dist/reveal.js",
  "slick.css": "slick-carousel/slick/slick.css",
  "slick.js": "slick-carousel/slick/slick.min.js",
  "sortable.js": "sortablejs/Sortable.min.js",
  "stimulus.js": "@hotwired/stimulus/dist/stimulus.umd.js",
  "tocbot.js": "tocbot/dist/tocbot.min.js",
  "vue.js": "vue/dist/vue.global.prod.js",
};
