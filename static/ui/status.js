// The page that people look at while they work: what is open, what is followed, what was saved. It is live by one stream.
// @ts-check

import { urlOf } from "../paths.js";
import { patched } from "../stream/patch.js";

/**
 * What `/_savecast/overview` tells. Times are in milliseconds since 1970.
 *
 * @typedef {{ page: string, since: number, browser: string, address: string | null }} Tab
 * @typedef {{ url: string, transport: string, since: number, browser: string, address: string | null }} Connection
 * @typedef {{ message: string, line: number | null, column: number | null }} Problem
 * @typedef {{ listeners: number, size: number | null, removed: boolean, problem: Problem | null, updated: number | null, ms: number | null }} File
 * @typedef {{ path: string, event: string, at: number, listeners: number, ms: number }} Update
 * @typedef {{ listeners: number, events: number, last: string | null }} Channel
 * @typedef {{ version: string, root: string, streams: number, followed: number, watched_dirs: number, updates: number, problems: number,
 *   relay: { role: string, server: string, up: boolean } | null,
 *   tabs: Record<string, Tab>, connections: Record<string, Connection>, files: Record<string, File>, events: Record<string, Update>,
 *   channels: Record<string, Channel>, network: { urls: string[], code: string[] } }} Overview
 */

/** How many latencies the small chart shows. */
const BARS = 60;

/** How many rows of a list are shown at once. The filter finds the other files. */
const SHOWN = 200;

/** From how many files on there is a filter. */
const MANY = 15;

/** @type {Overview | undefined} */
let overview;

/** @type {EventSource | undefined} */
let source;

/** @type {<E extends Element = HTMLElement>(selector: string) => E} */
const one = (selector) => /** @type {any} */ (document.querySelector(selector));

let isDue = false;

/** Draws with the next frame, however much comes until then. */
function draw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    if (overview) show(overview);
  });
}

function open() {
  source?.close();
  if (document.visibilityState === "hidden") return;
  source = new EventSource("overview");
  source.onopen = () => tell("live", "live");
  source.onmessage = ({ data }) => {
    overview = JSON.parse(data);
    draw();
  };
  source.addEventListener("patch", ({ data }) => {
    try {
      overview = patched(overview, JSON.parse(data));
      draw();
    } catch {
      open();
    }
  });
  source.onerror = () => {
    tell("lost", "The server has stopped. This page goes on when it is back.");
    // A browser gives up where the answer is no stream.
    if (source?.readyState === EventSource.CLOSED) explain();
  };
}

async function explain() {
  const response = await fetch("overview").catch(() => undefined);
  if (response?.status === 403) return tell("lost", (await response.text()).trim());
  setTimeout(open, 1000);
}

/**
 * @param {string} kind
 * @param {string} words
 */
function tell(kind, words) {
  const state = one("#state");
  state.className = kind;
  state.textContent = words;
}

/** @param {Overview} now */
function show(now) {
  const { tabs, connections, files, events, channels } = now;
  document.title = `${now.root} · savecast`;
  one("#root").textContent = now.root;
  const counts = { "count-tabs": Object.keys(tabs).length, streams: now.streams, followed: now.followed, updates: now.updates, "count-problems": now.problems };
  for (const [name, count] of Object.entries(counts)) setText(one(`#${name}`), String(count));
  one("#count-problems").classList.toggle("bad", now.problems > 0);

  const updates = Object.entries(events).sort(([a], [b]) => Number(b) - Number(a));
  // Bad news waits until a second look has confirmed it.
  const good = updates.filter(([, { event }]) => event === "message");
  showLatencies(good.slice(0, BARS).map(([, { ms }]) => ms).reverse());
  rows("#events ol", updates, ([, { path, event, at, listeners, ms }]) => ({
    name: path,
    link: event === "removed" ? undefined : urlOf(path),
    kind: event === "message" ? "" : event === "removed" ? "gone" : "bad",
    cells: [event === "message" ? `to ${listeners}` : event, event === "message" ? `${ms.toFixed(2)} ms` : "", clock(at)],
  }));

  const broken = Object.entries(files).filter(([, file]) => file.problem);
  one("#problems").hidden = broken.length === 0;
  rows("#problems ul", broken, ([path, { problem }]) => ({
    name: problem?.line ? `${path}:${problem.line}:${problem.column}` : path,
    link: urlOf(path),
    kind: "bad",
    cells: [problem?.message ?? ""],
  }));

  rows("#tabs ul", newest(tabs).slice(0, SHOWN), ([, { page, since, browser, address }]) => ({ name: page, link: page, cells: [nameOf(browser), elsewhere(address), ago(since)] }));
  rows("#connections ul", newest(connections).slice(0, SHOWN), ([, { url, transport, since, browser, address }]) => ({
    name: url,
    cells: [transport === "websocket" ? "WebSocket" : nameOf(browser), elsewhere(address), ago(since)],
  }));

  const filter = one("#files input");
  const wanted = /** @type {HTMLInputElement} */ (filter).value.toLowerCase();
  filter.hidden = Object.keys(files).length <= MANY && wanted === "";
  const shown = Object.entries(files)
    .filter(([path]) => path.toLowerCase().includes(wanted))
    .sort(([a, first], [b, second]) => Number(second.problem !== null) - Number(first.problem !== null) || (second.updated ?? 0) - (first.updated ?? 0) || (a < b ? -1 : 1));
  setText(one("#more"), shown.length > SHOWN ? `and ${shown.length - SHOWN} more` : "");
  rows("#files ul", shown.slice(0, SHOWN), ([path, { listeners, size, removed, problem, updated, ms }]) => ({
    name: path,
    link: removed ? undefined : urlOf(path),
    kind: problem ? "bad" : removed ? "gone" : "",
    cells: [
      `${listeners} ${listeners === 1 ? "listener" : "listeners"}`,
      problem ? "broken" : removed ? "not there" : size === null ? "" : bytes(size),
      updated === null ? "" : problem || removed ? `${ago(updated)} ago` : `${ago(updated)} ago, in ${ms?.toFixed(2)} ms`,
    ],
  }));
  rows("#channels ul", Object.entries(channels).slice(0, SHOWN), ([name, { listeners, events }]) => ({
    name,
    cells: [`${listeners} ${listeners === 1 ? "listener" : "listeners"}`, `${events} kept`],
  }));
  showNetwork(now.network);
  const relay = now.relay ? ` · ${now.relay.role}, ${now.relay.server} is ${now.relay.up ? "up" : "away"}` : "";
  setText(one("#about"), `savecast ${now.version} · ${now.watched_dirs} ${now.watched_dirs === 1 ? "directory" : "directories"} watched${relay}`);
}

/**
 * Rows that stay the same elements, so that selections, scroll positions and focus stay, too.
 * @template T
 * @param {string} selector
 * @param {[string, T][]} entries
 * @param {(entry: [string, T]) => { name: string, link?: string, kind?: string, cells: string[] }} words
 */
function rows(selector, entries, words) {
  const list = /** @type {HTMLElement & { rows?: Map<string, HTMLLIElement> }} */ (one(selector));
  const isFirst = !list.rows;
  const known = (list.rows ??= new Map());
  const keys = new Set(entries.map(([key]) => key));
  for (const [key, row] of known) {
    if (!keys.has(key)) {
      row.remove();
      known.delete(key);
    }
  }
  let next = list.firstElementChild;
  for (const entry of entries) {
    const { name, link, kind = "", cells } = words(entry);
    let row = known.get(entry[0]);
    if (!row) {
      row = document.createElement("li");
      row.append(document.createElement(link ? "a" : "span"), ...cells.map(() => document.createElement("span")));
      if (!isFirst) row.classList.add("new");
      known.set(entry[0], row);
    }
    let [first, ...rest] = row.children;
    if ((first.localName === "a") !== (link !== undefined)) {
      const other = document.createElement(link ? "a" : "span");
      first.replaceWith(other);
      first = other;
    }
    if (link) first.setAttribute("href", link);
    setText(first, name);
    cells.forEach((cell, place) => setText(rest[place], cell));
    row.classList.toggle("bad", kind === "bad");
    row.classList.toggle("gone", kind === "gone");
    if (row === next) next = row.nextElementSibling;
    else list.insertBefore(row, next);
  }
}

/** @param {number[]} latencies the newest at the end */
function showLatencies(latencies) {
  const sorted = [...latencies].sort((a, b) => a - b);
  setText(one("#latency"), sorted.length > 0 ? `median ${sorted[sorted.length >> 1].toFixed(2)} ms` : "");
  const spark = one("#spark");
  const most = Math.max(...sorted, 0.5);
  const drawn = latencies.map((ms, place) => {
    const height = Math.max(1, (ms / most) * 24);
    const x = ((BARS - latencies.length + place) * 100) / BARS;
    return `<rect x="${x.toFixed(2)}" y="${(24 - height).toFixed(2)}" width="1.2" height="${height.toFixed(2)}"/>`;
  });
  const text = drawn.join("");
  if (spark.dataset.text === text) return;
  spark.dataset.text = text;
  spark.innerHTML = text;
}

/** @param {Overview["network"]} network */
function showNetwork({ urls, code }) {
  const section = one("#network");
  section.hidden = urls.length === 0;
  if (section.hidden || section.dataset.shown === String(urls)) return;
  section.dataset.shown = String(urls);
  rows("#network ul", urls.map((url) => [url, url]), ([url]) => ({ name: url, cells: [] }));
  const squares = code.flatMap((row, y) => [...row].map((square, x) => (square === "1" ? `M${x} ${y}h1v1h-1z` : "")));
  one("#code").setAttribute("viewBox", `0 0 ${code.length} ${code.length}`);
  one("#code").innerHTML = `<path d="${squares.join("")}"/>`;
}

/**
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @template {{ since: number }} T
 * @param {Record<string, T>} entries
 * @returns {[string, T][]}
 */
function newest(entries) {
  return Object.entries(entries).sort(([, a], [, b]) => b.since - a.since);
}

/**
 * The name of a browser and its system, as people call them. What is unknown is shown as it names itself.
 * @param {string} agent
 */
function nameOf(agent) {
  const browsers = [/(Firefox)\/(\d+)/, /(Edg)\w*\/(\d+)/, /(Chrome)\/(\d+)/, /Version\/(\d+).*(Safari)/, /^([\w.-]+)\/(\d+)/];
  const systems = { iPhone: "iPhone", iPad: "iPad", Android: "Android", Windows: "Windows", "Mac OS": "macOS", CrOS: "ChromeOS", Linux: "Linux" };
  const found = browsers.map((browser) => browser.exec(agent)).find((match) => match);
  if (!found) return agent.slice(0, 30);
  const [name, version] = found[2] === "Safari" ? ["Safari", found[1]] : [found[1].replace("Edg", "Edge"), found[2]];
  const system = Object.entries(systems).find(([mark]) => agent.includes(mark))?.[1];
  return system ? `${name} ${version}, ${system}` : `${name} ${version}`;
}

/**
 * The address of another machine.
 * @param {string | null} address
 */
function elsewhere(address) {
  return address === null || address.startsWith("127.") || address === "::1" ? "" : address;
}

/** @param {number} time */
function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** @param {number} time */
function ago(time) {
  const seconds = Math.max(0, Math.round((Date.now() - time) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** @param {number} size */
function bytes(size) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; size >= 1000 && unit < 4; unit++) size /= 1000;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

one("#files input").addEventListener("input", draw);

one("#reload").addEventListener("click", async () => {
  const response = await fetch("reload", { method: "POST" }).catch(() => undefined);
  const button = one("#reload");
  button.textContent = response?.ok ? "Reloaded" : "Not allowed";
  setTimeout(() => (button.textContent = "Reload all pages"), 1500);
});

one("#channels form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const { channel, event: name, data, token } = Object.fromEntries(new FormData(form).entries());
  const url = `channels/${String(channel).split("/").map(encodeURIComponent).join("/")}${name ? `?event=${encodeURIComponent(String(name))}` : ""}`;
  const headers = token ? { authorization: `Bearer ${token}` } : undefined;
  const output = /** @type {HTMLOutputElement} */ (form.querySelector("output"));
  try {
    const response = await fetch(url, { method: "POST", body: String(data), headers });
    if (response.status === 401) form.querySelector("label[hidden]")?.removeAttribute("hidden");
    if (!response.ok) throw new Error((await response.text()).trim());
    const { listeners } = await response.json();
    output.value = listeners === 1 ? "1 listener has it" : `${listeners} listeners have it`;
  } catch (error) {
    output.value = error instanceof Error ? error.message : String(error);
  }
});

// Times grow old without anything that is sent.
setInterval(() => document.visibilityState === "visible" && draw(), 1000);
document.addEventListener("visibilitychange", open);
open();
