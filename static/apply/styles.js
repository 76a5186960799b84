// Stylesheets: which ones the page has.
// @ts-check

import { pathIn } from "../paths.js";

/** @typedef {HTMLLinkElement | HTMLStyleElement} Owner an element that brings a stylesheet */

/** @type {WeakMap<Owner, Owner>} the stylesheet that is loading → the one that it replaces */
export const replaces = new WeakMap();

/** @returns {Set<string>} the paths of all stylesheets of this site, those too that others import */
export function stylesheets() {
  return new Set(owners().flatMap((owner) => [...pathsOf(owner)]));
}

/**
 * @param {CSSStyleSheet | null} sheet
 * @returns {ArrayLike<CSSRule> & Iterable<CSSRule>} none of a stylesheet of another site
 */
export function rulesOf(sheet) {
  try {
    return sheet?.cssRules ?? [];
  } catch {
    return [];
  }
}

/**
 * A document, and all shadow trees in it that are open to us.
 * @param {Document | ShadowRoot} tree
 * @returns {(Document | ShadowRoot)[]}
 */
export function trees(tree = document) {
  const found = [tree];
  const elements = tree.querySelectorAll("*");
  // There may be thousands of them, and each is seen for every save: an iterator takes three times as long.
  for (let index = 0; index < elements.length; index++) {
    const { shadowRoot } = elements[index];
    if (shadowRoot) found.push(...trees(shadowRoot));
  }
  return found;
}

/** All trees that this page is responsible for: its own, and those of frames that are written in it. */
export function allTrees() {
  const own = trees();
  const frames = own.flatMap((tree) => [...tree.querySelectorAll("iframe[srcdoc]")]);
  // One in a sandbox is not open to us.
  const documents = frames.map((frame) => /** @type {HTMLIFrameElement} */ (frame).contentDocument).filter((document) => document !== null);
  return [...own, ...documents.flatMap((document) => trees(document))];
}

/** @returns {Owner[]} */
export function owners() {
  const elements = allTrees().flatMap((tree) => [...tree.querySelectorAll('link[rel~="stylesheet" i][href], style')]);
  return elements.map((element) => /** @type {Owner} */ (element));
}

// A rule of a frame is no instance of the classes of this window.

/**
 * @param {CSSRule} rule
 * @returns {rule is CSSImportRule}
 */
export function isImport(rule) {
  return "styleSheet" in rule;
}

/** @param {CSSRule} rule Whether it only says the order of layers. */
export function isLayers(rule) {
  return "nameList" in rule;
}

/** @param {Owner} owner */
export function pathsOf(owner) {
  const paths = new Set();
  if ("href" in owner) addPath(paths, owner.href);
  // What one that is loading will import is not known yet.
  addImports(paths, owner.sheet ?? replaces.get(owner)?.sheet ?? null);
  return paths;
}

/**
 * @param {Set<string>} paths
 * @param {CSSStyleSheet | null} sheet
 */
function addImports(paths, sheet) {
  for (const rule of rulesOf(sheet)) {
    // Imports stand before everything but layers.
    if (isImport(rule)) {
      addPath(paths, rule.href, sheet?.href ?? undefined);
      addImports(paths, rule.styleSheet);
    } else if (!isLayers(rule)) return;
  }
}

/**
 * @param {Set<string>} paths
 * @param {string} href
 * @param {string} [base]
 */
function addPath(paths, href, base = document.baseURI) {
  if (!URL.canParse(href, base)) return;
  const url = new URL(href, base);
  if (url.origin === location.origin) paths.add(pathIn(url));
}
