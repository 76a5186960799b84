// Shows a file that somebody has opened in a tab, as the browser would, and again after each save. Programs get the file
// itself; this page gets it like a program.
// @ts-check

import { documentOf, isContainer, valuesIn } from "./json.js";

const { path = "", kind = "text" } = document.body.dataset;

/** How many values of an object or an array are shown at once. */
const SHOWN = 200;

/** How much of a value is shown while it is folded. */
const PREVIEW = 100;

/** How many lines of a log are shown first, and how many parts of it are kept. */
const LINES = 10_000, PARTS = 2000;

/** Near enough to the end to follow it, in pixels. */
const NEAR = 4;

/** How each kind of file is shown. Called again after each save. */
const show = { json: showJson, text: showText, log: () => {}, picture: showPicture, svg: showFrame }[kind] ?? showText;

addEventListener("savecast:change", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.path !== decodeURIComponent(path)) return;
  event.preventDefault();
  if (detail.event === "change") show(detail.version);
});

/** What was asked for last: an answer that comes later than the next one is out of date. */
let asked = 0;

/** @returns {Promise<string | undefined>} the text of the file; undefined if it can't be had, or was asked for again */
async function text() {
  const mine = ++asked;
  const response = await fetch(path, { cache: "no-store" }).catch(() => undefined);
  const bytes = response?.ok ? await response.arrayBuffer().catch(() => undefined) : undefined;
  if (!bytes || mine !== asked) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** @type {HTMLPreElement | undefined} */
let pre;
let shown = "";

async function showText() {
  const now = await text();
  if (now !== undefined) setText(now);
}

/** @param {string} now */
function setText(now) {
  const isAtEnd = pre !== undefined && isNearEnd();
  if (!pre) document.body.replaceChildren((pre = document.createElement("pre")));
  // What was only appended to keeps its place, and what is selected in it.
  if (now.startsWith(shown) && shown) pre.append(now.slice(shown.length));
  else pre.textContent = now;
  shown = now;
  if (isAtEnd) toEnd();
}

function isNearEnd() {
  const { scrollHeight, clientHeight } = document.documentElement;
  return scrollHeight > clientHeight && scrollY + clientHeight >= scrollHeight - NEAR;
}

function toEnd() {
  scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
}

/** A log is followed line by line, whatever its size. */
function followLog() {
  const log = document.createElement("pre");
  document.body.append(log);
  let lines = "", isFirst = true;
  const flush = () => {
    const isAtEnd = isFirst || isNearEnd();
    log.append(lines);
    [lines, isFirst] = ["", false];
    while (log.childNodes.length > PARTS) log.firstChild?.remove();
    if (isAtEnd) toEnd();
  };
  const stream = new EventSource(`${path}?as=lines&last=${LINES}`);
  stream.onmessage = ({ data }) => {
    if (lines === "") requestAnimationFrame(flush);
    lines += `${data}\n`;
  };
  stream.addEventListener("reset", () => {
    log.replaceChildren();
    lines = "";
  });
}

/** @type {Set<string>} the containers that are folded or unfolded, unlike at first */
const turned = new Set();

/** @type {Map<string, number>} how many values of a container are shown, if more than at first */
const counts = new Map();

async function showJson() {
  const now = await text();
  if (now === undefined) return;
  try {
    JSON.parse(now);
  } catch {
    // What is wrong is shown on top of it.
    return setText(now);
  }
  const top = scrollY;
  pre = undefined;
  shown = "";
  const raw = Object.assign(document.createElement("a"), { href: "?savecast-source", textContent: "Raw", className: "raw" });
  const root = document.createElement("div");
  root.className = "json";
  root.append(line(now, documentOf(now), "", true));
  document.body.replaceChildren(raw, root);
  scrollTo({ top, behavior: "instant" });
}

/**
 * @param {string} json
 * @param {import("./json.js").Value} value
 * @param {string} pointer names the value, also in the next version of the document
 * @param {boolean} isOpen whether it is unfolded at first
 */
function line(json, value, pointer, isOpen = false) {
  const name = value.key === null ? [] : [mark("key", value.key), ": "];
  if (!isContainer(json, value.from) || value.to - value.from < 3) {
    const leaf = document.createElement("div");
    leaf.append(...name, mark(kindOf(json[value.from]), json.slice(value.from, value.to)));
    return leaf;
  }
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const start = json.slice(value.from, Math.min(value.to, value.from + PREVIEW)).replace(/\s+/g, " ");
  summary.append(...name, mark("bracket", json[value.from]), mark("preview", value.to - value.from > PREVIEW ? `${start} …` : start));
  details.append(summary);
  const values = valuesIn(json, value);
  let index = 0;
  const fill = (/** @type {number} */ count) => {
    for (; index < count; index++) {
      const { value: entry, done } = values.next();
      if (done) return;
      details.append(line(json, entry, `${pointer}/${entry.key ?? index}`));
    }
    const { value: entry, done } = values.next();
    if (done) return;
    const more = Object.assign(document.createElement("button"), { type: "button", textContent: "More" });
    more.addEventListener("click", () => {
      more.remove();
      details.append(line(json, entry, `${pointer}/${entry.key ?? index}`));
      index++;
      counts.set(pointer, index + SHOWN);
      fill(index + SHOWN);
    });
    details.append(more);
  };
  // What is folded is looked at when it is unfolded.
  details.addEventListener("toggle", () => {
    if (details.open === isOpen) turned.delete(pointer);
    else turned.add(pointer);
    if (details.open && index === 0) fill(counts.get(pointer) ?? SHOWN);
  });
  if (isOpen !== turned.has(pointer)) {
    details.open = true;
    fill(counts.get(pointer) ?? SHOWN);
  }
  return details;
}

/** @param {string} first the first letter of a value */
function kindOf(first) {
  return first === '"' ? "string" : /[-\d]/.test(first) ? "number" : "word";
}

/**
 * @param {string} name
 * @param {string} text
 */
function mark(name, text) {
  return Object.assign(document.createElement("span"), { className: name, textContent: text });
}

/** @param {string} version */
async function showPicture(version) {
  const picture = new Image();
  picture.src = version ? `${path}?savecast=${version}` : path;
  // The old one stays until the new one is there; what is no picture is shown as what it is.
  await picture.decode().catch(() => {});
  picture.alt = decodeURIComponent(path);
  document.body.replaceChildren(picture);
  document.title = `${document.title.replace(/ \(\d+ × \d+\)$/, "")} (${picture.naturalWidth} × ${picture.naturalHeight})`;
}

/** A drawing may have scripts and links of its own, so it is shown as a document. */
function showFrame() {
  const [old] = document.getElementsByTagName("iframe");
  const frame = document.createElement("iframe");
  frame.src = path;
  frame.addEventListener("load", () => old?.remove(), { once: true });
  document.body.append(frame);
}

if (kind === "log") followLog();
else show("");
