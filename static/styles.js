// Stylesheets: which ones the page has, and how a new one takes the place of an old one without a flash.
// @ts-check

import { fresh, pathIn } from "./paths.js";

/** @typedef {HTMLLinkElement | HTMLStyleElement} Owner an element that brings a stylesheet */

/** @type {WeakMap<Owner, Owner>} the stylesheet that is loading → the one that it replaces */
const replaces = new WeakMap();

/** @returns {Set<string>} the paths of all stylesheets of this site, those too that others import */
export function stylesheets() {
  return new Set(owners().flatMap((owner) => [...pathsOf(owner)]));
}

/**
 * The new stylesheet is loaded beside the old one, which goes when the new one is there: nothing flashes.
 * @param {string} path
 * @param {string} version
 */
export function swapStyle(path, version) {
  const concerned = owners().filter((owner) => pathsOf(owner).has(path));
  // One that is still loading is out of date already.
  for (const owner of concerned.filter((owner) => replaces.has(owner))) owner.remove();
  for (const old of concerned.filter((owner) => !replaces.has(owner))) {
    const next = /** @type {Owner} */ (old.cloneNode(true));
    if (next instanceof HTMLLinkElement) {
      next.href = fresh(new URL(next.href), version);
      // It was that of the content before.
      next.removeAttribute("integrity");
    } else {
      // Another text, or else the browser takes what it has.
      next.textContent += `\n/* ${version} */`;
    }
    replaceOwner(old, next);
  }
}

/**
 * @param {Owner} old
 * @param {Owner} next
 */
export function replaceOwner(old, next) {
  // One that is switched off is not loaded, so there is nothing to wait for.
  if (old.disabled || next.hasAttribute("disabled")) {
    old.replaceWith(next);
    next.disabled = true;
    return;
  }
  replaces.set(next, old);
  next.addEventListener("load", () => {
    // Taken out by a newer one, whose turn it is to replace the old one.
    if (!next.isConnected) return;
    // Taken out by the page, so there is nothing to replace.
    if (!old.isConnected) return next.remove();
    // An alternate one that somebody has switched on, or off.
    next.disabled = old.disabled;
    replaces.delete(next);
    old.remove();
  }, { once: true });
  next.addEventListener("error", () => next.remove(), { once: true });
  old.after(next);
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
function owners() {
  const elements = trees().flatMap((tree) => [...tree.querySelectorAll('link[rel~="stylesheet" i][href], style')]);
  return elements.map((element) => /** @type {Owner} */ (element));
}

/** @param {Owner} owner */
function pathsOf(owner) {
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
  let rules;
  try {
    rules = sheet?.cssRules ?? [];
  } catch {
    return; // Of another site.
  }
  for (const rule of rules) {
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
