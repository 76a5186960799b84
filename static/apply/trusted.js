// What a page that wants trusted types is given: the URL of our own worker, and its own source. (W3C Trusted Types)
// @ts-check

/** @typedef {{ createHTML(html: string): string, createScriptURL(url: string): string }} Policy a browser's are no strings, but go where strings go */

/** @type {Policy | undefined} */
let policy;

/** @returns {Policy} one that changes nothing */
function own() {
  const asItIs = (/** @type {string} */ text) => text;
  const rules = { createHTML: asItIs, createScriptURL: asItIs };
  if (!("trustedTypes" in globalThis)) return rules;
  try {
    // Whether the page wants it can stand in a header, which no script sees. Where it does not, it is of no harm.
    return /** @type {any} */ (globalThis).trustedTypes.createPolicy("savecast", rules);
  } catch {
    // The page names the policies that it allows, and ours is none of them, as the browser says.
    return rules;
  }
}

/** @param {string} html the source of a page */
export function trustedHTML(html) {
  return (policy ??= own()).createHTML(html);
}

/** @param {URL} url of a script of ours */
export function trustedURL(url) {
  return (policy ??= own()).createScriptURL(url.href);
}
