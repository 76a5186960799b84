// Data for HTML: what `data-live` and the like show.
// @ts-check

import { readValues, sourceOf, valueAt } from "./follow.js";

/** Marks an element that shows the last good value, because the file is broken or gone; its value says why. */
const PROBLEM = "data-live-problem";

/**
 * What shows data: as text, `data-live="URL"`; as attributes, `data-live-attr="NAME=URL NAME=URL"`; as a list,
 * `data-live-list="URL"`, with a `<template>` inside that is repeated for each entry. In a list, a URL that is a fragment
 * alone is a pointer into the entry: `#/name`, or `#` for all of it.
 */
const TEXT = "data-live", ATTRIBUTES = "data-live-attr", LIST = "data-live-list";

/** Names the key of each entry of a list, as a pointer into the entry: `data-live-key="#/id"`. */
const KEY = "data-live-key";

const BOUND = `[${TEXT}], [${ATTRIBUTES}], [${LIST}]`;

/** @type {Map<Element, { words: string, stops: (() => void)[] }>} */
const bound = new Map();

/** @type {WeakMap<Element, Map<string, Element[]>>} what a list shows, for each of its entries by key */
const entries = new WeakMap();

/**
 * Shows data in every `<b data-live="/prices.json#/btc/usd">` and the like of the tree, also in those that come later.
 * @param {Element} root
 */
export function bind(root) {
  const update = () => {
    for (const [element, { words, stops }] of bound) {
      if (root.contains(element) && wordsOf(element) === words) continue;
      for (const stop of stops) stop();
      bound.delete(element);
    }
    for (const element of root.querySelectorAll(BOUND)) if (!bound.has(element)) bindElement(element);
  };
  update();
  new MutationObserver(update).observe(root, { subtree: true, childList: true, attributeFilter: [TEXT, ATTRIBUTES, LIST] });
}

/** @param {Element} element */
function bindElement(element) {
  const stops = bindingsOf(element).map(({ url, show }) => {
    // Its list fills it.
    if (url.startsWith("#") && listOf(element)) return () => {};
    try {
      const showGood = (/** @type {any} */ value) => {
        element.removeAttribute(PROBLEM);
        show(value);
      };
      return readValues(sourceOf(url), showGood, (problem) => element.setAttribute(PROBLEM, problem));
    } catch (error) {
      console.error("savecast: data-live:", error);
      return () => {};
    }
  });
  bound.set(element, { words: wordsOf(element), stops });
}

/** @param {Element} element */
function wordsOf(element) {
  return [TEXT, ATTRIBUTES, LIST].map((name) => element.getAttribute(name)).join("\n");
}

/**
 * @param {Element} element
 * @returns {{ url: string, show: (value: any) => void }[]} what it shows, and how
 */
function bindingsOf(element) {
  /** @type {ReturnType<typeof bindingsOf>} */
  const bindings = [];
  const [text, attributes, list] = [TEXT, ATTRIBUTES, LIST].map((name) => element.getAttribute(name));
  if (text !== null) bindings.push({ url: text, show: (value) => (element.textContent = textOf(value)) });
  for (const pair of attributes?.split(/\s+/).filter(Boolean) ?? []) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    // What is data is no program.
    if (at < 1 || /^on|^srcdoc$/i.test(name) || element.localName === "script") console.error(`savecast: data-live-attr: ${pair} is not NAME=URL of an attribute that may be data`);
    else bindings.push({ url: pair.slice(at + 1), show: (value) => setAttribute(element, name, value) });
  }
  if (list !== null) bindings.push({ url: list, show: (value) => showList(element, value) });
  return bindings;
}

/**
 * Null and false are no attribute, and true is one without a value, as in `disabled`.
 * @param {Element} element
 * @param {string} name
 * @param {any} value
 */
function setAttribute(element, name, value) {
  const text = value === true ? "" : textOf(value);
  if (value === undefined || value === null || value === false || isProgram(text)) element.removeAttribute(name);
  else element.setAttribute(name, text);
}

/**
 * Whether a browser would take a value for a program, as a URL or in a list of them. It passes over white space and control
 * characters, also within the name of the scheme, so its own parser is asked.
 * @param {string} text
 */
function isProgram(text) {
  const schemeOf = (/** @type {string} */ url) => (URL.canParse(url, document.baseURI) ? new URL(url, document.baseURI).protocol : "");
  return /script/i.test(text.replace(/[\0-\x20]/g, "")) && [text, ...text.split(";")].some((url) => schemeOf(url) === "javascript:");
}

/**
 * Shows each entry by the template. The elements of an entry go with its key, or with its place if there is none.
 * @param {Element} list
 * @param {any} value
 */
function showList(list, value) {
  const template = list.querySelector(":scope > template");
  if (!(template instanceof HTMLTemplateElement)) return console.error("savecast: data-live-list: there is no <template> in", list);
  const pointer = list.getAttribute(KEY)?.replace(/^#/, "");
  if (!Array.isArray(value ?? [])) console.warn(`savecast: data-live-list="${list.getAttribute(LIST)}" is no array, so it shows nothing`);
  const shown = entries.get(list) ?? new Map();
  /** @type {Map<string, Element[]>} */
  const next = new Map();
  const values = Array.isArray(value) ? value : [];
  values.forEach((value, index) => {
    let key = pointer === undefined ? `${index}` : textOf(valueAt(value, pointer));
    // Two of the same key are told apart by their order.
    while (next.has(key)) key += "\n";
    const elements = shown.get(key) ?? [.../** @type {DocumentFragment} */ (document.importNode(template.content, true)).children];
    next.set(key, elements);
    shown.delete(key);
  });
  for (const elements of shown.values()) for (const element of elements) element.remove();
  entries.set(list, next);
  const ours = new Set([...next.values()].flat());
  const nextOf = (/** @type {Element} */ element) => {
    let following = element.nextElementSibling;
    while (following && !ours.has(following)) following = following.nextElementSibling;
    return following;
  };
  // From the last one on, so that each is put before one that is in its place already.
  let after = null;
  for (const element of [...ours].reverse()) {
    if (element.parentNode !== list || nextOf(element) !== after) move(list, element, after);
    after = element;
  }
  [...next.values()].forEach((elements, index) => elements.forEach((element) => fill(list, element, values[index])));
}

/**
 * Puts an element before another one, keeping the focus and what is playing in it, where browsers can do that.
 * @param {Element} list
 * @param {Element} element
 * @param {Element | null} before
 */
function move(list, element, before) {
  if (element.isConnected && "moveBefore" in list) /** @type {any} */ (list).moveBefore(element, before);
  else list.insertBefore(element, before);
}

/**
 * @param {Element} list
 * @param {Element} root what shows the entry
 * @param {any} entry
 */
function fill(list, root, entry) {
  for (const element of [root, ...root.querySelectorAll(BOUND)]) {
    if (listOf(element) !== list) continue;
    for (const { url, show } of bindingsOf(element)) {
      if (url.startsWith("#")) show(valueAt(entry, decodeURIComponent(url.slice(1))));
    }
  }
}

/** @param {Element} element */
function listOf(element) {
  return element.parentElement?.closest(`[${LIST}]`);
}

/** @param {any} value */
function textOf(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
