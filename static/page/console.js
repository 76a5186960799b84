// Tells the person at the terminal what goes wrong in this page, and what is written into its console.
// @ts-check

import { OURS, withoutBase } from "../paths.js";
import { originalPlace } from "./sourcemap.js";

/** How long messages are collected, in milliseconds: the first ones, and those that come after others were sent. */
const COLLECT = 100, PAUSE = 500;

/** How many messages one report has, and how many a page tells until it is loaded again. */
const MESSAGES = 20, MOST = 500;

/** How long a message is told, in characters. */
const LENGTH = 1000;

/** How long a URL is told, in characters, and how large a report is, in bytes. */
const URL_LENGTH = 300, LARGEST = 60_000;

/** How deep a value is shown, and how many parts of each. */
const DEPTH = 2, PARTS = 20;

/**
 * What has happened, as the page says it.
 * @typedef {{ kind: string, values: unknown[], url?: string, line?: number, column?: number, stack?: string, count?: number }} Heard
 *
 * @typedef {{ kind: string, message: string, url: string, line?: number, column?: number, count: number }} Message
 */

/** @type {Map<string, Message>} what is still to be told, by what it is */
const waiting = new Map();

let told = 0;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {Heard} heard */
export function tell({ kind, values, stack, count = 1, ...place }) {
  if (told > MOST) return;
  const words = wellFormed(wordsOf(values).slice(0, LENGTH));
  const message = words === "Script error." ? "a script of another origin has failed; with the attribute crossorigin, browsers say more" : words;
  // What we say ourselves, the terminal knows.
  if (message.startsWith("savecast: ")) return;
  const { url = "", line = 0, column = 0 } = typeof stack === "string" ? placeIn(stack) : place;
  const key = [kind, message, url, line, column].join("\n");
  const known = waiting.get(key);
  if (known) return void (known.count += count);
  const isLast = ++told > MOST;
  waiting.set(key, { kind, message: isLast ? "there are too many messages; no more are told until the page is loaded again" : message, url, line, column, count });
  timer ??= setTimeout(send, COLLECT);
}

async function send() {
  timer = undefined;
  const messages = take();
  const read = messages.map(async (message) => ({ ...message, ...(await originalPlace(message).catch(() => undefined)) }));
  post(await Promise.all(read));
  timer ??= setTimeout(() => {
    timer = undefined;
    if (waiting.size > 0) send();
  }, PAUSE);
}

/** The first of what is waiting. */
function take() {
  const messages = [...waiting].slice(0, MESSAGES);
  for (const [key] of messages) waiting.delete(key);
  return messages.map(([, message]) => message);
}

/** @param {Message[]} messages */
function post(messages) {
  if (messages.length === 0) return;
  const page = withoutBase(location.pathname);
  const body = JSON.stringify({ page, messages: messages.map((message) => ({ ...message, url: wellFormed(shortened(message.url).slice(0, URL_LENGTH)) })) });
  // Browsers send at most 64 KiB on the way out.
  if (messages.length > 1 && new Blob([body]).size > LARGEST) {
    post(messages.splice(0, messages.length >> 1));
    return post(messages);
  }
  // Nobody waits for an answer, and the page may be on its way out.
  navigator.sendBeacon(new URL("console", OURS), body);
}

/**
 * Half of a letter, which a cut may leave, can't be sent.
 * @param {string} text
 */
function wellFormed(text) {
  return text.toWellFormed?.() ?? text;
}

addEventListener("pagehide", () => {
  while (waiting.size > 0) post(take());
});

/**
 * A file of the site by its path.
 * @param {string} url
 */
function shortened(url) {
  if (!URL.canParse(url)) return url;
  const { origin, pathname, search } = new URL(url);
  if (origin !== location.origin) return url.startsWith("data:") ? "data:" : url;
  try {
    return decodeURI(withoutBase(pathname)) + search;
  } catch {
    return pathname;
  }
}

/**
 * The place that the page itself has in a stack: `at name (URL:LINE:COLUMN)` in Chromium, `name@URL:LINE:COLUMN` in others.
 * @param {string} stack
 */
function placeIn(stack) {
  for (const frame of stack.split("\n")) {
    const [, url, line, column] = /([a-z][a-z+.-]*:\/\/[^\s()@]+):(\d+):(\d+)\)?$/.exec(frame.trim()) ?? [];
    if (url && !url.startsWith(OURS.href)) return { url, line: Number(line), column: Number(column) };
  }
  return {};
}

/**
 * As a console writes it: the first text may have places for the others (Console Standard, section 2.2.1).
 * @param {unknown[]} values
 */
function wordsOf(values) {
  const [first, ...rest] = values;
  if (typeof first !== "string") return values.map((value) => shown(value)).join(" ");
  const text = first.replace(/%([sdifoOc%])/g, (mark, letter) => {
    if (letter === "%") return "%";
    if (rest.length === 0) return mark;
    const value = rest.shift();
    if (letter === "c") return "";
    return letter === "d" || letter === "i" ? String(parseInt(String(value), 10)) : letter === "f" ? String(parseFloat(String(value))) : shown(value);
  });
  return [text, ...rest.map((value) => shown(value))].join(" ");
}

/**
 * A value in words. No getter of the page is called for it.
 * @param {any} value
 * @param {number} [depth]
 * @returns {string}
 */
function shown(value, depth = 0) {
  try {
    if (typeof value === "string") return depth > 0 ? JSON.stringify(value.slice(0, LENGTH)) : value.slice(0, LENGTH);
    if (typeof value === "bigint") return `${value}n`;
    if (Object.is(value, -0)) return "-0";
    if (typeof value === "function") return `function ${value.name}`;
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error || value instanceof RegExp) return String(value);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof Element) return `<${value.localName}${value.id && `#${value.id}`}>`;
    if (value instanceof Node || value instanceof Window) return Object.prototype.toString.call(value);
    const name = Object.getPrototypeOf(value)?.constructor?.name;
    if (value instanceof Map || value instanceof Set) return `${name}(${value.size})`;
    const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    if (depth > DEPTH) return isList ? "[…]" : "{…}";
    const parts = [];
    let more = "";
    for (const key in value) {
      const own = Object.getOwnPropertyDescriptor(value, key);
      if (!own) continue;
      if (parts.length === PARTS) {
        more = ", …";
        break;
      }
      const words = own.get ? "(…)" : shown(own.value, depth + 1);
      parts.push(isList ? words : `${key}: ${words}`);
    }
    const isPlain = !name || name === "Object" || name === "Array";
    return `${isPlain ? "" : `${name} `}${isList ? "[" : "{"}${parts.join(", ")}${more}${isList ? "]" : "}"}`;
  } catch {
    return "something that can't be shown";
  }
}
