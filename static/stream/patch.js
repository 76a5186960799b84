// JSON Patch (RFC 6902), as our server makes it: `add`, `remove` and `replace`.
// @ts-check

/**
 * @param {any} document is changed
 * @param {{ op: string, path: string, value?: unknown }[]} patch
 * @returns {any} the new one, which may be another
 * @throws {Error} if it is not the document that the patch is for
 */
export function patched(document, patch) {
  for (const { op, path, value } of patch) {
    const tokens = path.split("/").slice(1).map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = tokens.pop();
    if (last === undefined) {
      document = value;
      continue;
    }
    const parent = tokens.reduce(inside, document);
    if (op !== "add") inside(parent, last);
    if (Array.isArray(parent)) parent.splice(Number(last), op === "add" ? 0 : 1, ...(op === "remove" ? [] : [value]));
    else if (op === "remove") delete parent[last];
    // Not by an assignment, which means something else for `__proto__`.
    else Object.defineProperty(parent, last, { value, writable: true, enumerable: true, configurable: true });
  }
  return document;
}

/**
 * @param {any} container
 * @param {string} key
 */
function inside(container, key) {
  if (container === null || typeof container !== "object" || !Object.hasOwn(container, key)) throw new Error(`there is no ${key}`);
  return container[key];
}
