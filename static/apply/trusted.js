// What a page that wants trusted types is given: the URL of our own worker, and its own source. (W3C Trusted Types)
// @ts-check

/** @typedef {{ createHTML(html: string): string, createScriptURL(url: string): string }} Policy a browser's are no strings, but go where strings go */

/** @type {Policy | undefined} */
let policy;

/** @returns {Policy} one that does nothing where nothing is wanted */
function own() {
  const asItIs = (/** @type {string} */ text) => text;
  const rules = { createHTML: asItIs, createScriptURL: asItIs };
  const declared = [...document.querySelectorAll('meta[http-equiv="Content-Security-Policy" i]')].map((meta) => meta.getAttribute("content") ?? "");
  const isWanted = declared.some((text) => /require-trusted-types-for/i.test(text));
  // A page may name the policies that it allows. Then the browser says that ours is none of them, and its name.
  return isWanted && "trustedTypes" in globalThis ? /** @type {any} */ (globalThis).trustedTypes.createPolicy("savecast", rules) : rules;
}

/** @param {string} html the source of a page */
export function trustedHTML(html) {
  return (policy ??= own()).createHTML(html);
}

/** @param {URL} url of a script of ours */
export function trustedURL(url) {
  return (policy ??= own()).createScriptURL(url.href);
}
