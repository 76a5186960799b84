// How a new stylesheet takes the place of an old one without a flash.
// @ts-check

import { fresh, pathIn } from "../paths.js";
import { showAgain } from "./pictures.js";
import { isImport, isLayers, owners, pathsOf, replaces, rulesOf } from "./styles.js";

/** @typedef {import("./styles.js").Owner} Owner */

/** @type {Map<string, string>} the newest version of each stylesheet that has changed */
const versions = new Map();

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
    if ("href" in next) {
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
  const loading = new AbortController();
  const take = async () => {
    loading.abort();
    await renewImports(next, next.sheet);
    await showAgain();
    // Taken out by a newer one, whose turn it is to replace the old one.
    if (!next.isConnected) return;
    // Taken out by the page, so there is nothing to replace.
    if (!old.isConnected) return next.remove();
    // An alternate one that somebody has switched on, or off.
    next.disabled = old.disabled;
    replaces.delete(next);
    old.remove();
  };
  replaces.set(next, old);
  next.addEventListener("load", take, loading);
  // Also told where only something is missing that it imports.
  next.addEventListener("error", () => (rulesOf(next.sheet).length > 0 ? take() : next.remove()), loading);
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
    if (isLayers(rule)) continue;
    // Imports stand before everything but layers.
    if (!isImport(rule) || !URL.canParse(rule.href, sheet.href ?? document.baseURI)) return;
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
