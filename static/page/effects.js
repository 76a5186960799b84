// What happened to a file, and how this page uses it → what to do. Pure.
// @ts-check

/**
 * @typedef {{ run: "swapStyle", path: string, version: string }
 *   | { run: "showPictures", version: string }
 *   | { run: "morph" }
 *   | { run: "reload" }
 *   | { run: "report", message: string }
 *   | { run: "nothing" }} Effect
 */

/**
 * The least disruptive thing that is right. What is unknown reloads, so that an old page works with a newer server.
 * @param {import("../protocol.js").Update} update
 * @param {{ path?: string, stylesheets: Set<string>, pictures: Set<string> }} page the paths of the file that it was made
 *   from, of its stylesheets, and of the pictures that only its markup and styles show
 * @returns {Effect}
 */
export function effectOf(update, page) {
  switch (update.event) {
    case "removed":
      // Builds remove before they write. What is shown stays until there is something else to show.
      return { run: "nothing" };
    case "problem":
      return { run: "report", message: problemText(update) };
    case "change":
      if (page.stylesheets.has(update.path)) return { run: "swapStyle", path: update.path, version: update.version };
      if (page.pictures.has(update.path)) return { run: "showPictures", version: update.version };
      if (update.path === page.path) return { run: "morph" };
      return { run: "reload" };
    default:
      return { run: "reload" };
  }
}

/**
 * @param {{ path: string, message?: string, line?: number | null, column?: number | null }} problem
 */
export function problemText({ path, message, line, column }) {
  return `${path}${line ? `:${line}:${column}` : ""}: ${message}`;
}
