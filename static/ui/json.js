// JSON as it is written: where the values are in the text, found when somebody looks at them. Nothing is parsed into
// numbers, so nothing is rounded. The text is known to be JSON.
// @ts-check

/** @typedef {{ key: string | null, from: number, to: number }} Value `key` is a name as it is written, with its quotes */

/** What opens, closes or hides others. */
const SIGNS = /["[\]{}]/g;

/** What ends a number or a word. */
const END = /[\s,\]}]|$/g;

/** What stands between values. */
const GAP = /[\s,:]*/y;

/**
 * The first place from here on that a pattern finds, and what is there.
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} from
 */
function next(pattern, text, from) {
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  return { at: match?.index ?? text.length, sign: match?.[0] ?? "", end: pattern.lastIndex };
}

/**
 * Where the value ends that begins here.
 * @param {string} text
 * @param {number} from
 */
export function endOf(text, from) {
  if (text[from] === '"') return endOfString(text, from);
  if (!isContainer(text, from)) return next(END, text, from).at;
  let depth = 0, at = from;
  for (;;) {
    const { at: place, sign } = next(SIGNS, text, at);
    if (sign === '"') at = endOfString(text, place);
    else {
      at = place + 1;
      depth += sign === "{" || sign === "[" ? 1 : -1;
      if (depth === 0 || sign === "") return at;
    }
  }
}

/**
 * @param {string} text
 * @param {number} from
 */
function endOfString(text, from) {
  for (let at = from + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return at + 1;
  }
}

/**
 * Whether an object or an array begins here.
 * @param {string} text
 * @param {number} at
 */
export function isContainer(text, at) {
  return text[at] === "{" || text[at] === "[";
}

/**
 * The document itself.
 * @param {string} text
 * @returns {Value}
 */
export function documentOf(text) {
  const from = next(GAP, text, 0).end;
  return { key: null, from, to: endOf(text, from) };
}

/**
 * What is in an object or an array, one after the other.
 * @param {string} text
 * @param {Value} container
 * @returns {Generator<Value>}
 */
export function* valuesIn(text, { from, to }) {
  const isObject = text[from] === "{";
  let at = next(GAP, text, from + 1).end;
  while (at < to - 1) {
    let key = null;
    if (isObject) {
      const end = endOfString(text, at);
      key = text.slice(at, end);
      at = next(GAP, text, end).end;
    }
    const end = endOf(text, at);
    yield { key, from: at, to: end };
    at = next(GAP, text, end).end;
  }
}
