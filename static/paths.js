// Paths as people write them, `/a b.css`, as the server knows them, `/a%20b.css`, and URLs of this browser, which may begin with
// the path at which a proxy has put the server: `/app/a%20b.css`. What another server answers is known by its URL, with the query
// and as it is: `/api/prices?of=a%20b`.
// @ts-check

/** Where everything of ours is. The modules are in a directory of it that is called as their version. */
export const OURS = new URL("..", import.meta.url);

/** Where the server is; empty if it is at the root. */
export const BASE = new URL("..", OURS).pathname.slice(0, -1);

/**
 * @type {string} at which directories of the site other servers are, the longest first, as they stand in a URL, separated by spaces.
 * One with a `!` is ours. Our server writes it.
 */
export let servers = "";

/** @param {string} directories as a tab knows them that is newer than this worker */
export function setServers(directories) {
  servers = directories;
}

/**
 * Whether another server answers there.
 * @param {string} url without the base
 */
export function isAnswer(url) {
  if (!servers) return false;
  const [path] = url.split("?");
  const isIn = (/** @type {string} */ directory) => path.startsWith(directory) || `${path}/` === directory;
  return servers.split(" ").find((directory) => isIn(directory.replace("!", "")))?.startsWith("/") ?? false;
}

/**
 * What is at a URL, as events call it: the path of a file, not percent-encoded, or the URL of an answer.
 * @param {URL} url
 */
export function pathIn(url) {
  return pathOf(withoutBase(url.pathname) + url.search);
}

/** @param {string} url percent-encoded, without the base */
export function pathOf(url) {
  const [path] = url.split("?");
  const query = url.slice(path.length + 1);
  if (!isAnswer(path)) return decoded(path);
  // Ours never reaches the other server.
  const isOurs = (/** @type {string} */ part) => /^savecast(-source)?(=|$)/.test(part);
  const kept = url.endsWith(PAGES) || !query.includes("savecast") ? query : query.split("&").filter((part) => !isOurs(part)).join("&");
  return kept ? `${path}?${kept}` : path;
}

/** What stands for all pages of another server: its directory, with this query. */
const PAGES = "/?savecast";

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

/** @param {string} path as events call it */
export function encoded(path) {
  return isAnswer(path) ? path : path.split("/").map(encodeURIComponent).join("/");
}

/** @param {string} path as events call it */
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
