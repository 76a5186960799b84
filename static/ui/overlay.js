// Broken files are shown on top of the page, with the place, until the next good save.
// @ts-check

import { urlOf } from "../paths.js";

/** How many lines are shown before and behind the one that is wrong. */
const AROUND = 3;

const STYLE = `
  :host { all: initial; position: fixed; inset: auto 0 0 0; z-index: 2147483647; color-scheme: light dark }
  section { box-sizing: border-box; max-height: 50vh; overflow: auto; padding: 12px 16px 14px; border-top: 3px solid #d33;
    background: light-dark(#fff8f7, #241a1a); color: light-dark(#222, #eee); font: 14px/1.5 system-ui, sans-serif }
  h1 { margin: 0; font-size: 14px; overflow-wrap: anywhere } h1 b { color: light-dark(#b3261e, #ff8a80) }
  p { margin: 2px 0 8px; overflow-wrap: anywhere }
  pre { margin: 0 0 10px; overflow: auto; font: 13px/1.45 ui-monospace, monospace; tab-size: 2 }
  pre span { display: block; box-sizing: border-box; width: max-content; min-width: 100% }
  pre .wrong { background: light-dark(#fde0dd, #4a2524) }
  i { display: inline-block; min-width: 4ch; margin-right: 1ch; text-align: right; font-style: normal; opacity: .55 }
  a { color: inherit }
  button { float: right; margin: -2px 0 0 12px; padding: 2px 10px; border: 1px solid currentColor; border-radius: 4px;
    background: none; color: inherit; font: inherit; cursor: pointer }
`;

/** @type {Map<string, { update: import("../protocol.js").Update & { link?: string }, lines: string[] }>} */
const problems = new Map();

/** @type {HTMLElement | undefined} */
let host;

/**
 * Shows a problem, or takes it away when the file is another one.
 * @param {import("../protocol.js").Update & { link?: string }} update
 */
export async function note(update) {
  if (update.event !== "problem") {
    if (problems.delete(update.path)) show();
    return;
  }
  const problem = { update, lines: /** @type {string[]} */ ([]) };
  problems.set(update.path, problem);
  show();
  if (!update.line) return;
  problem.lines = await linesOf(update.path);
  if (problems.get(update.path) === problem) show();
}

/** @param {string} path not percent-encoded */
async function linesOf(path) {
  // These are never served.
  if (/^\/_(redirects|headers)$/.test(path)) return [];
  try {
    const response = await fetch(`${urlOf(path)}?savecast-source`, { cache: "no-store" });
    return response.ok ? (await response.text()).split(/\r\n?|\n/) : [];
  } catch {
    return []; // The message says enough.
  }
}

function show() {
  host?.remove();
  host = undefined;
  if (problems.size === 0) return;
  host = document.createElement("savecast-problems");
  const root = host.attachShadow({ mode: "open" });
  // A sheet that is constructed is allowed where a page forbids styles in its own markup.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const section = create("section", { role: "alert" });
  const close = create("button", { title: "Close (Escape)", type: "button" }, "Close");
  close.addEventListener("click", hide);
  section.append(close);
  for (const { update, lines } of problems.values()) section.append(...describe(update, lines));
  root.append(section);
  document.documentElement.append(host);
  addEventListener("keydown", onKey);
}

function hide() {
  problems.clear();
  removeEventListener("keydown", onKey);
  show();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key === "Escape") hide();
}

/**
 * @param {import("../protocol.js").Update & { link?: string }} update
 * @param {string[]} lines
 */
function describe({ path, message, line, column, link }, lines) {
  const heading = create("h1", {}, create("b", {}, path), line ? ` line ${line}, column ${column}` : "");
  const parts = [heading, create("p", {}, message ?? "", ...(link ? [" ", create("a", { href: link }, "Open it")] : []))];
  if (line && lines.length > 0) {
    const first = Math.max(1, line - AROUND);
    const shown = lines.slice(first - 1, line + AROUND).map((text, index) => {
      const number = first + index;
      // Long lines, as programs write them, are shown around the place.
      const start = number === line && column && column > 120 ? column - 60 : 0;
      return create("span", { class: number === line ? "wrong" : "right" }, create("i", {}, String(number)), (start ? "… " : "") + (text.slice(start, start + 200) || " "));
    });
    parts.push(create("pre", {}, ...shown));
  }
  return parts;
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children texts are set as text
 */
function create(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
