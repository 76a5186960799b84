// Paths as people write them, `/a b.css`, as the server knows them, `/a%20b.css`, and URLs of this browser, which may begin with
// the path at which a proxy has put the server: `/app/a%20b.css`.
// @ts-check

/** Where the server is; empty if it is at the root. */
export const BASE = new URL("..", import.meta.url).pathname.slice(0, -1);

/**
 * The path of the file at a URL, not percent-encoded.
 * @param {URL} url
 */
export function pathIn(url) {
  return decoded(withoutBase(url.pathname));
}

/** @param {string} pathname of a URL, percent-encoded */
export function withoutBase(pathname) {
  return BASE && pathname.startsWith(`${BASE}/`) ? pathname.slice(BASE.length) : pathname;
}

/** @param {string} path percent-encoded */
export function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** @param {string} path not percent-encoded */
export function encoded(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** @param {string} path not percent-encoded */
export function urlOf(path) {
  return BASE + encoded(path);
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
