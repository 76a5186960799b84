// Paths as people write them, `/a b.css`, and URLs, `/a%20b.css`.
// @ts-check

/**
 * The path in a URL, not percent-encoded.
 * @param {URL} url
 */
export function pathIn(url) {
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    return url.pathname;
  }
}

/** @param {string} path not percent-encoded */
export function urlOf(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/**
 * The URL with which a browser loads a file again, because it has no other file of that name.
 * @param {URL} url
 * @param {string} version
 */
export function fresh(url, version) {
  const next = new URL(url);
  next.searchParams.set("savecast", version);
  return next.href;
}
