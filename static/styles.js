// Stylesheets: which ones the page has, and how a new one takes the place of an old one without a flash.
// @ts-check

import { fresh, pathIn } from "./paths.js";

/** @typedef {HTMLLinkElement | HTMLStyleElement} Owner an element that brings a stylesheet */

/** @type {WeakMap<Owner, Owner>} the stylesheet that is loading → the one that it replaces */
const replaces = new WeakMap();

/** @type {Map<string, string>} the newest version of each stylesheet that has changed */
const versions = new Map();

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
  versions.set(path, version);
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
  next.addEventListener("load", async () => {
    await renewImports(next, next.sheet);
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
 * Gives imports that have changed a URL of their own: Firefox loads a stylesheet once in the life of a page.
 * @param {Owner} owner
 * @param {CSSStyleSheet | null} sheet
 */
async function renewImports(owner, sheet) {
  const rules = rulesOf(sheet);
  for (let index = 0; sheet && index < rules.length; index++) {
    const rule = rules[index];
    if (rule instanceof CSSLayerStatementRule) continue;
    // Imports stand before everything but layers.
    if (!(rule instanceof CSSImportRule) || !URL.canParse(rule.href, sheet.href ?? document.baseURI)) return;
    const url = new URL(rule.href, sheet.href ?? document.baseURI);
    const version = url.origin === location.origin ? versions.get(pathIn(url)) : undefined;
    if (version && url.searchParams.get("savecast") !== version) {
      // Beside the old one, and after it, so that it wins when it is there. No event tells when.
      sheet.insertRule(rule.cssText.replace(/url\("(?:[^"\\]|\\.)*"\)/, () => `url("${fresh(url, version)}")`), index + 1);
      while (owner.isConnected && !isLoaded(sheet.cssRules[index + 1])) await new Promise((resolve) => setTimeout(resolve, 10));
      if (!owner.isConnected) return;
      sheet.deleteRule(index);
    }
    const { styleSheet } = /** @type {CSSImportRule} */ (sheet.cssRules[index]);
    await renewImports(owner, styleSheet);
  }
}

/** @param {CSSRule} rule an import, of which Firefox throws and Chromium knows nothing until it is there */
function isLoaded(rule) {
  try {
    return /** @type {CSSImportRule} */ (rule).styleSheet?.cssRules !== undefined;
  } catch {
    return false;
  }
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
