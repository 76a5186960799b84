// The page of a directory: sorts its entries and filters them, leads through them by keyboard, and shows what changes
// without loading again. Without it, the page shows the same, in the order of the names.
// @ts-check

import { reload } from "../page/reload.js";
import { said, SOURCE } from "../page/resources.js";
import { pathIn } from "../paths.js";
import { use } from "../stream/connection.js";

/**
 * An entry as it stands in the page. `place` is its number in the order of the names, which is that of the server.
 * @typedef {{ row: HTMLTableRowElement, link: HTMLAnchorElement, name: string, isDirectory: boolean, place: number,
 *   size: number, time: number }} Entry
 */

/** Where the order waits while another page is loaded: it is for all directories in this tab. */
const KEY = "savecast:order";

/** The filter is for one visit of one page: reloading and going back bring it again. */
const FILTER = "savecast:filter";

/** So many entries are seen at a glance, without a filter. */
const FEW = 10;

/** So many rows are in the page at first, and twice as many when their end comes near: browsers are slow with long tables. */
const ROWS = 500, NEAR = "2000px";

/** How many changed rows are pointed at, and for how long, in milliseconds. With more of them, nobody could follow. */
const POINTED = 50, POINT = 1500;

const directory = pathIn(new URL(location.href));
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const body = document.querySelector("tbody");
const headings = [...document.querySelectorAll("th")];
const filter = document.querySelector("input");
const count = document.querySelector("output");

/** @type {Map<string, Entry>} by their links */
let entries = new Map();
/** @type {Entry[]} in the order that the person wants */
let sorted = [];
/** @type {Entry[]} those of them that the filter lets through */
let shown = [];
/** How many of them are in the page. */
let limit = ROWS;

/** What each column is sorted by. */
const columns = [
  (/** @type {Entry} */ { place }) => place,
  (/** @type {Entry} */ { size }) => size,
  (/** @type {Entry} */ { time }) => time,
];

const order = orderBefore();

/** @returns {{ by: number, isDescending: boolean }} the number of a column, and its direction */
function orderBefore() {
  try {
    const { by, isDescending } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    if (by in columns) return { by, isDescending: isDescending === true };
  } catch {
    // A browser that keeps nothing.
  }
  return { by: 0, isDescending: false };
}

/** @param {number} column that was clicked */
function setOrder(column) {
  order.isDescending = order.by === column && !order.isDescending;
  order.by = column;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(order));
  } catch {
    // A browser that keeps nothing.
  }
  limit = ROWS;
  sort();
  show(true);
}

/** @param {string} text */
function setFilter(text) {
  if (filter) filter.value = text;
  limit = ROWS;
  show(true);
  try {
    history.replaceState({ ...history.state, [FILTER]: text }, "");
  } catch {
    // Browsers take only so many within a few seconds.
  }
}

/**
 * The entries of a table, as the server has written it.
 * @param {HTMLTableSectionElement} body
 * @returns {Map<string, Entry>}
 */
function entriesIn(body) {
  const found = new Map();
  for (const row of body.rows) {
    const [name, size, modified] = row.cells;
    const link = /** @type {HTMLAnchorElement} */ (name.firstChild);
    const time = modified.querySelector("time");
    found.set(link.getAttribute("href"), {
      row,
      link,
      name: (link.textContent ?? "").toLowerCase(),
      isDirectory: row.classList.contains("folder"),
      place: found.size,
      size: Number(size.querySelector("data")?.value ?? -1),
      time: time ? Date.parse(time.dateTime) : -1,
    });
  }
  return found;
}

/** @param {Iterable<Entry>} list of entries whose rows the server has written */
function localize(list) {
  for (const { row, time } of list) {
    if (time >= 0) /** @type {HTMLTimeElement} */ (row.cells[2].firstChild).textContent = dates.format(time);
  }
}

/** Puts the entries in order: directories first, and what is equal by name. */
function sort() {
  const { by, isDescending } = order;
  const of = columns[by];
  const sign = isDescending ? -1 : 1;
  sorted = [...entries.values()].sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || sign * (of(a) - of(b)) || a.place - b.place);
  headings.forEach((heading, number) => {
    if (number === by) heading.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    else heading.removeAttribute("aria-sort");
  });
}

/**
 * Shows the entries whose names have all the words of the filter in them.
 * @param {boolean} isAnew whether most of the rows will be others
 */
function show(isAnew) {
  if (!body || !filter || !count) return;
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  filter.hidden = entries.size <= FEW && words.length === 0;
  const focused = document.activeElement;
  const number = shown.findIndex(({ link }) => link === focused);
  shown = words.length === 0 ? sorted : sorted.filter(({ name }) => words.every((word) => name.includes(word)));
  count.value = words.length === 0 ? "" : `${shown.length} of ${entries.size}`;
  const rows = shown.slice(0, limit).map(({ row }) => row);
  if (isAnew) body.replaceChildren(...rows);
  else place(body, rows);
  watchEnd();
  // What is moved loses the focus, and what is gone leaves it to what takes its place.
  if (number < 0 || document.activeElement === focused) return;
  const isThere = shown.find(({ link }) => link === focused);
  (isThere ?? shown[Math.min(number, shown.length - 1)])?.link.focus({ preventScroll: true });
}

/**
 * Moves as few rows as possible, so that what is seen stays where it is.
 * @param {HTMLTableSectionElement} body
 * @param {HTMLTableRowElement[]} rows
 */
function place(body, rows) {
  const wanted = new Set(rows);
  for (const row of [...body.rows]) if (!wanted.has(row)) row.remove();
  let next = body.firstElementChild;
  for (const row of rows) {
    if (row === next) next = next.nextElementSibling;
    else body.insertBefore(row, next);
  }
}

// Where it came near and was gone again meanwhile, the last word counts.
const end = new IntersectionObserver((words) => words.at(-1)?.isIntersecting && extend(), { rootMargin: NEAR });

/** Takes more rows into the page when their end comes near. Watched anew, it is told also if it is near already. */
function watchEnd() {
  end.disconnect();
  const below = document.getElementById("below");
  if (below && limit < shown.length) end.observe(below);
}

function extend() {
  limit *= 2;
  show(false);
}

/** @type {{ path: string, version: string } | undefined} a change that is not shown yet */
let waiting;
let isChanging = false;

/**
 * Shows what has changed, one change after the other.
 * @param {{ path: string, version: string }} change
 */
async function change(change) {
  waiting = change;
  if (isChanging) return;
  isChanging = true;
  while (waiting) {
    const now = waiting;
    waiting = undefined;
    const isDone = await renew().catch((error) => console.error("savecast: this page is loaded again:", error));
    // It is not there, or is another page now.
    if (!isDone) reload(now);
  }
  isChanging = false;
}

/** @returns {Promise<boolean>} false if the page has to be loaded again */
async function renew() {
  const url = new URL(location.href);
  url.searchParams.set(SOURCE, "");
  const response = await fetch(url, { headers: { accept: "text/html" }, cache: "no-store" });
  if (!response.ok || said(response)?.path !== directory) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const now = page.querySelector("tbody");
  if (!body || !now) return false;
  take(entriesIn(now));
  takeBelow(page);
  return true;
}

/** @param {Map<string, Entry>} now */
function take(now) {
  const before = entries;
  /** @type {Entry[]} */
  const changed = [];
  entries = new Map();
  for (const [url, entry] of now) {
    const known = before.get(url);
    const isSame = known?.size === entry.size && known.time === entry.time;
    if (!isSame) {
      localize([entry]);
      changed.push(entry);
    }
    if (!known) {
      entries.set(url, entry);
      continue;
    }
    // The row stays, with what is focused and selected in it.
    if (!isSame) [...entry.row.cells].forEach((cell, number) => number > 0 && known.row.cells[number].replaceWith(cell));
    const { size, time, place } = entry;
    entries.set(url, Object.assign(known, { size, time, place }));
    entry.row = known.row;
  }
  sort();
  show(false);
  point(changed);
}

/**
 * Makes the eye see what has changed.
 * @param {Entry[]} changed
 */
function point(changed) {
  if (changed.length > POINTED || matchMedia("(prefers-reduced-motion)").matches) return;
  const from = { backgroundColor: "color-mix(in srgb, var(--link) 22%, transparent)" };
  for (const { row } of changed) row.animate([from, {}], { duration: POINT, easing: "ease-out" });
}

/** @param {Document} page as it is now */
function takeBelow(page) {
  const [old, now] = [document.getElementById("below"), page.getElementById("below")];
  if (!old || !now) return;
  if (old.innerHTML !== now.innerHTML) old.replaceChildren(...document.adoptNode(now).childNodes);
  followReadme();
}

/** The path of the README that is shown. */
function readme() {
  return document.getElementById("readme")?.dataset.path;
}

/** It is a part of the page, of which the client does not know. */
function followReadme() {
  const path = readme();
  if (path) use(path, document.getElementById("readme")?.dataset.version ?? null);
}

addEventListener("savecast:change", (event) => {
  const { detail } = /** @type {CustomEvent<import("../protocol.js").Update>} */ (event);
  const isOurs = detail.path === directory || detail.path === decodeURIComponent(readme() ?? "");
  // The first entry, and the last one, make another page of it.
  if (!isOurs || detail.event !== "change" || !body) return;
  event.preventDefault();
  change(detail);
});

/** @param {KeyboardEvent} event */
function press(event) {
  const { key, altKey, ctrlKey, metaKey, shiftKey, target, isComposing } = event;
  if (event.defaultPrevented || isComposing || ctrlKey || metaKey) return;
  const isTyping = target === filter;
  const isPlain = !altKey && !shiftKey;
  if (altKey ? key === "ArrowUp" : key === "Backspace" && !isTyping && !shiftKey) up();
  else if (isPlain && (key === "ArrowDown" || key === "ArrowUp")) {
    if (!move(key === "ArrowDown" ? 1 : -1)) return;
  } else if (!altKey && key === "/" && !isTyping && filter && !filter.hidden) filter.select();
  else if (isPlain && key === "Escape" && filter && (isTyping || filter.value)) {
    if (filter.value) setFilter("");
    else filter.blur();
  } else if (isPlain && key === "Enter" && isTyping && filter?.value) shown[0]?.link.click();
  else return;
  event.preventDefault();
}

/** Opens the directory in which this one is. */
function up() {
  const above = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("h1 a")]);
  above.at(-1)?.click();
}

/**
 * Goes to the next row, or to the one before.
 * @param {number} step
 * @returns {boolean} false if the key is to do what it does elsewhere
 */
function move(step) {
  const at = document.activeElement;
  const number = shown.findIndex(({ link }) => link === at);
  if (number < 0) {
    const isAbove = at === filter || at?.closest("thead") != null;
    if (step < 0 || (!isAbove && at !== document.body)) return false;
    // Who reads on below goes on reading.
    const next = isAbove ? shown[0] : shown.find(({ row }) => row.isConnected && isSeen(row));
    return go(next);
  }
  if (number === 0 && step < 0 && filter && !filter.hidden) {
    filter.select();
    return true;
  }
  return go(shown[number + step]);
}

/** @param {Element} row */
function isSeen(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}

/** @param {Entry | undefined} entry */
function go(entry) {
  if (!entry) return false;
  if (!entry.row.isConnected) extend();
  entry.link.focus({ preventScroll: true });
  entry.link.scrollIntoView({ block: "nearest" });
  return true;
}

if (body) {
  entries = entriesIn(body);
  localize(entries.values());
  headings.forEach((heading, number) => {
    const button = /** @type {HTMLButtonElement} */ (heading.firstChild);
    button.disabled = false;
    button.addEventListener("click", () => setOrder(number));
  });
  filter?.addEventListener("input", () => setFilter(filter.value));
  sort();
  if (filter) filter.value = history.state?.[FILTER] ?? "";
  show(entries.size > ROWS);
  followReadme();
}
addEventListener("keydown", press);
