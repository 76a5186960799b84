// The place in the source of which a place in a script was made, by its source map (ECMA-426).
// @ts-check

/** How long a script and a map may be that are read, in characters. */
const LONGEST = 20_000_000;

/** How many maps are kept. */
const KEPT = 20;

/** The digits of a number in a map, which are Base64. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** @typedef {{ sources: (string | null)[], sourceRoot?: string, mappings: string, sections?: unknown }} SourceMap */

/** @type {Map<string, Promise<{ map: SourceMap, at: string } | undefined>>} by the URL of the script */
const maps = new Map();

/**
 * @param {{ url: string, line?: number, column?: number }} place lines and columns begin with 1
 * @returns {Promise<{ url: string, line: number, column: number } | undefined>} undefined if there is no map, or the place is not in it
 */
export async function originalPlace({ url, line, column }) {
  // A page has no map. Scripts of others are not ours to ask for.
  if (!line || !column || !URL.canParse(url) || new URL(url).origin !== location.origin || url.split("#")[0] === location.href.split("#")[0]) return undefined;
  let found = maps.get(url);
  if (!found) {
    if (maps.size >= KEPT) maps.delete(maps.keys().next().value ?? "");
    maps.set(url, (found = mapOf(url)));
  }
  const { map, at } = (await found) ?? {};
  const place = map && placeIn(map, line - 1, column - 1);
  const source = place && map.sources[place.source];
  if (!source) return undefined;
  const root = map.sourceRoot ? `${map.sourceRoot.replace(/\/$/, "")}/` : "";
  return { url: URL.canParse(root + source, at) ? new URL(root + source, at).href : source, line: place.line + 1, column: place.column + 1 };
}

/**
 * The map of a script, and the URL from which its sources are named.
 * @param {string} url
 */
async function mapOf(url) {
  const text = await textOf(url);
  const named = text?.slice(text.lastIndexOf("//# sourceMappingURL=")).match(/^\/\/# sourceMappingURL=(\S+)\s*$/)?.[1];
  if (!named) return undefined;
  const at = named.startsWith("data:") ? url : new URL(named, url).href;
  if (new URL(at).origin !== location.origin) return undefined;
  const map = /** @type {SourceMap} */ (JSON.parse((await textOf(named.startsWith("data:") ? named : at)) ?? "null"));
  return typeof map?.mappings === "string" && Array.isArray(map.sources) ? { map, at } : undefined;
}

/**
 * @param {string} url
 * @returns {Promise<string | undefined>}
 */
async function textOf(url) {
  if (url.startsWith("data:")) {
    const [kind, data] = [url.slice(0, url.indexOf(",")), url.slice(url.indexOf(",") + 1)];
    if (!kind.endsWith(";base64")) return decodeURIComponent(data);
    return new TextDecoder().decode(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)));
  }
  const asked = new URL(url);
  // So that the page is not taken for one that uses it.
  asked.searchParams.set("savecast-source", "");
  const response = await fetch(asked, { cache: "no-cache" });
  if (!response.ok || Number(response.headers.get("content-length") ?? 0) > LONGEST) return undefined;
  const text = await response.text();
  return text.length > LONGEST ? undefined : text;
}

/**
 * Where a place comes from: that of the last segment of its line that is not behind it.
 * @param {SourceMap} map
 * @param {number} line
 * @param {number} column
 */
function placeIn({ mappings }, line, column) {
  let [source, originalLine, originalColumn] = [0, 0, 0];
  /** @type {{ source: number, line: number, column: number } | undefined} */
  let found;
  const lines = mappings.split(";", line + 1);
  if (lines.length <= line) return undefined;
  for (const [number, segments] of lines.entries()) {
    let at = 0;
    for (const segment of segments.split(",")) {
      const fields = numbersIn(segment);
      if (fields.length === 0) continue;
      at += fields[0];
      if (fields.length >= 4) {
        source += fields[1];
        originalLine += fields[2];
        originalColumn += fields[3];
        if (number === line && at <= column) found = { source, line: originalLine, column: originalColumn };
      }
    }
  }
  return found;
}

/**
 * Numbers in Base64 VLQ: five bits in a digit, the lowest first, and a sixth that says that there are more. The lowest bit of all is the sign.
 * @param {string} text
 */
function numbersIn(text) {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const letter of text) {
    const digit = DIGITS.indexOf(letter);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
