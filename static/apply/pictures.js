// Pictures and other media: every place of the page that shows one, and how it comes to show the new one.
// @ts-check

import { fresh, pathIn, urlOf } from "../paths.js";
import { allTrees, isImport, rulesOf } from "./styles.js";

/** Attributes with one URL, and those with a list of candidates. */
const SINGLE = [
  ["img", "src"], ["input[type=image]", "src"], ["video", "poster"], ["link[rel~=icon]", "href"], ["image", "href"], ["use", "href"],
  ["image", "xlink:href"], ["use", "xlink:href"],
];
const LISTS = [["img", "srcset"], ["source", "srcset"], ["link[rel=preload]", "imagesrcset"]];

/** A URL in a value of CSS. */
const CSS_URL = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]*))\s*\)/g;

/** @typedef {{ path: string, show: (version: string) => void }} Reference a place that shows the file of this path */

/** @type {Map<string, string>} the pictures that were replaced, each with its version */
const shown = new Map();

/** @returns {Set<string>} the paths of all pictures of this site that the page shows */
export function pictures() {
  return new Set(references().map(({ path }) => path));
}

/** @returns {Reference[]} all places of the page that show files of this site */
function references() {
  /** @type {Reference[]} */
  const found = [];
  for (const tree of allTrees()) {
    for (const [selector, name] of SINGLE) {
      for (const element of tree.querySelectorAll(`${selector}[${name.replace(":", "\\:")}]`)) {
        const value = element.getAttribute(name) ?? "";
        // Unless the page shows another file there by now.
        const isStillIt = () => pathAt(element.getAttribute(name)) === pathAt(value);
        add(found, value, document.baseURI, (url) => isStillIt() && setAttribute(element, name, url));
      }
    }
    for (const [selector, name] of LISTS) {
      for (const element of tree.querySelectorAll(`${selector}[${name}]`)) {
        for (const { url: written } of candidates(element.getAttribute(name) ?? "")) {
          add(found, written, document.baseURI, (url) => {
            const list = element.getAttribute(name) ?? "";
            // From the last one on, so that places before it stay where they are.
            const same = candidates(list).filter((candidate) => candidate.url === written).reverse();
            const next = same.reduce((list, { at }) => list.slice(0, at) + url + list.slice(at + written.length), list);
            element.setAttribute(name, next);
          });
        }
      }
    }
    for (const element of tree.querySelectorAll('[style*="url("]')) {
      addStyle(found, /** @type {HTMLElement} */ (element).style, document.baseURI);
    }
    for (const sheet of [...tree.styleSheets, ...tree.adoptedStyleSheets]) addSheet(found, sheet);
  }
  return found;
}

/** @param {string | null} text a URL as it is written */
function pathAt(text) {
  return text !== null && URL.canParse(text, document.baseURI) ? pathIn(new URL(text, document.baseURI)) : undefined;
}

/**
 * The candidates of a `srcset` (WHATWG HTML, section 4.8.4.2.2): a URL up to white space, and its descriptors up to a comma.
 * @param {string} list
 * @returns {{ url: string, at: number }[]}
 */
function candidates(list) {
  const found = [];
  const candidate = /[\s,]*(\S+)(?:\s+(?:[^,(]|\([^)]*\))*)?/y;
  for (let match; (match = candidate.exec(list)); ) {
    const url = match[1].replace(/,+$/, "");
    const at = match.index + match[0].indexOf(match[1]);
    // A comma at its end ends it, and what follows is the next one.
    if (url !== match[1]) candidate.lastIndex = at + match[1].length;
    found.push({ url, at });
  }
  return found;
}

/**
 * Shows the new version of a picture.
 * @param {string} path
 * @param {string} version
 */
export async function showPicture(path, version) {
  shown.set(path, version);
  await show(path, version);
}

/** What is written anew, or comes with a new stylesheet, shows pictures as they were when the browser saw them first. */
export async function showAgain() {
  for (const [path, version] of shown) await show(path, version);
}

/**
 * Shows this version wherever the page has the picture, when it is there: until then the old one stays.
 * @param {string} path
 * @param {string} version
 */
async function show(path, version) {
  const places = references().filter((place) => place.path === path);
  if (places.length === 0) return;
  const image = new Image();
  image.src = fresh(new URL(urlOf(path), location.origin), version);
  // What is no picture, or a broken one, is shown as it is.
  await image.decode().catch(() => {});
  for (const place of places) place.show(version);
}

/**
 * @param {Reference[]} found
 * @param {CSSStyleSheet | null} sheet
 */
function addSheet(found, sheet) {
  for (const rule of rulesOf(sheet)) addRule(found, rule, sheet?.href ?? document.baseURI);
}

/**
 * @param {Reference[]} found
 * @param {CSSRule} rule
 * @param {string} base
 */
function addRule(found, rule, base) {
  if (isImport(rule)) return addSheet(found, rule.styleSheet);
  if ("style" in rule) addStyle(found, /** @type {CSSStyleRule} */ (rule).style, base);
  if ("cssRules" in rule) for (const inner of /** @type {CSSGroupingRule} */ (rule).cssRules) addRule(found, inner, base);
}

/**
 * @param {Reference[]} found
 * @param {CSSStyleDeclaration} style
 * @param {string} base
 */
function addStyle(found, style, base) {
  if (!style.cssText.includes("url(")) return;
  for (const name of style) {
    for (const [whole, double, single, bare] of style.getPropertyValue(name).matchAll(CSS_URL)) {
      add(found, double ?? single ?? bare, base, (url) => {
        const value = style.getPropertyValue(name).replace(whole, () => `url("${url}")`);
        style.setProperty(name, value, style.getPropertyPriority(name));
      });
    }
  }
}

/**
 * @param {Reference[]} found
 * @param {string} text a URL as it is written
 * @param {string} base
 * @param {(url: string) => unknown} set
 */
function add(found, text, base, set) {
  let url;
  try {
    url = new URL(text, base);
  } catch {
    return;
  }
  if (url.origin !== location.origin) return;
  found.push({ path: pathIn(url), show: (version) => set(fresh(url, version)) });
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} url
 */
function setAttribute(element, name, url) {
  element.setAttribute(name, url);
  // Browsers look at the icon of a page when its element comes.
  if (element.localName === "link") element.replaceWith(element.cloneNode());
}
