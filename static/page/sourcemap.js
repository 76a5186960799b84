// The place in the source of which a place in a script was made, by its source map (ECMA-426).
// @ts-check

/** How long a script and a map may be that are read, in characters. Longer ones would hold up the page. */
const LONGEST = 5_000_000;

/** How many maps are kept. */
const KEPT = 20;

/** The digits of a number in a map, which are Base64. */
const DIGITS = new Map([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].map((digit, value) => [digit.charCodeAt(0), value]));

/** @typedef {{ sources: (string | null)[], sourceRoot?: string, mappings: string, sections?: unknown }} SourceMap */

/**
 * Where the segments of a line begin, and where they come from: column, source, line and column, all beginning with 0.
 * @typedef {number[][]} Line
 */

/** @type {Map<string, Promise<{ map: SourceMap, lines: Line[], at: string } | undefined>>} by the URL of the script */
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
  const { map, lines, at } = (await found) ?? {};
  // That of the last segment of the line that is not behind it.
  const place = lines?.[line - 1]?.findLast(([start]) => start < column);
  const source = place && map?.sources[place[1]];
  if (!map || !place || typeof source !== "string") return undefined;
  const root = map.sourceRoot ? `${map.sourceRoot.replace(/\/$/, "")}/` : "";
  return { url: URL.canParse(root + source, at) ? new URL(root + source, at).href : source, line: place[2] + 1, column: place[3] + 1 };
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
  return typeof map?.mappings === "string" && Array.isArray(map.sources) ? { map, lines: linesIn(map.mappings), at } : undefined;
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
 * The segments of each line that come from somewhere. Their numbers are Base64 VLQ: five bits in a digit, the lowest first, and a sixth
 * that says that there are more. The lowest bit of all is the sign. Each number is the difference to the one before in its place.
 * @param {string} mappings
 */
function linesIn(mappings) {
  /** @type {Line[]} */
  const lines = [[]];
  let [column, source, originalLine, originalColumn] = [0, 0, 0, 0];
  let [field, value, shift] = [0, 0, 0];
  const end = () => {
    // A segment with one number comes from nowhere.
    if (field >= 4) lines[lines.length - 1].push([column, source, originalLine, originalColumn]);
    [field, value, shift] = [0, 0, 0];
  };
  for (let at = 0; at < mappings.length; at++) {
    const letter = mappings.charCodeAt(at);
    if (letter === 44 || letter === 59) {
      end();
      if (letter === 59) {
        lines.push([]);
        column = 0;
      }
      continue;
    }
    const digit = DIGITS.get(letter) ?? 0;
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    const difference = value & 1 ? -(value >> 1) : value >> 1;
    if (field === 0) column += difference;
    else if (field === 1) source += difference;
    else if (field === 2) originalLine += difference;
    else if (field === 3) originalColumn += difference;
    field++;
    [value, shift] = [0, 0];
  }
  end();
  return lines;
}
