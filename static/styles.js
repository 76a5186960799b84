// Stylesheets: which ones the page has.
// @ts-check

import { pathIn } from "./paths.js";

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
 * A document, and all trees in it that are open to us.
 * @param {Document | ShadowRoot} tree
 * @returns {(Document | ShadowRoot)[]}
 */
export function trees(tree = document) {
  return [tree, ...[...tree.querySelectorAll("*")].flatMap(({ shadowRoot }) => (shadowRoot ? trees(shadowRoot) : []))];
}

/** @returns {Owner[]} */
export function owners() {
  const elements = trees().flatMap((tree) => [...tree.querySelectorAll('link[rel~="stylesheet" i][href], style')]);
  return elements.map((element) => /** @type {Owner} */ (element));
}

/** @param {Owner} owner */
export function pathsOf(owner) {
  const paths = new Set();
  if (owner instanceof HTMLLinkElement) addPath(paths, owner.href);
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
    if (rule instanceof CSSImportRule) {
      addPath(paths, rule.href, sheet?.href ?? undefined);
      addImports(paths, rule.styleSheet);
    } else if (!(rule instanceof CSSLayerStatementRule)) return;
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
