// What of a page changes by itself: tokens, times and numbers that are others in each answer. Pure.
//
// Our server compares other answers in the same way: `src/content/varying.rs`. Both are held by the cases in `tests/varying.json`.
// @ts-check

/** After so many differences, all that is between the first and the last counts as one. */
const MOST = 1000;

/** Words, and what is between them. */
const WORDS = /[\t\n\f\r <>"'&;,()[\]{}=:/?]|[^\t\n\f\r <>"'&;,()[\]{}=:/?]+/g;

/** What changes by itself in most of all cases: numbers, times and dates; words that nobody has chosen; and what is between them. */
const BETWEEN = /^[<>"'&;,()[\]{}=:/?]$/, NUMBER = /^(?=.*\d)[\d.\-+TZms%]+$/, RANDOM = /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+\-_.~]{16,}$/;

/** @typedef {[from: number, to: number, newFrom: number, newTo: number]} Hunk a place where two texts differ */

/**
 * What a text says, compared with what it was before: the `same`, but for what is another each time; `perhaps` something else, because
 * numbers or words that nobody has chosen differ, which may be a time that was the same by chance when it was asked again; or `changed`.
 * @param {string} before
 * @param {string} now
 * @param {string[]} again the same text as now, asked for once more, or more often
 * @returns {"same" | "perhaps" | "changed"}
 */
export function compare(before, now, again) {
  const [old, next] = [before, now].map(words);
  const varying = again.flatMap((text) => hunks(next, words(text)));
  const others = hunks(old, next).filter(([, , from, to]) => !varying.some(([start, end]) => start <= from && to <= end));
  const mayVary = (/** @type {string} */ word) => BETWEEN.test(word) || NUMBER.test(word) || RANDOM.test(word);
  if (others.length === 0) return "same";
  return others.every(([from, to, newFrom, newTo]) => [...old.slice(from, to), ...next.slice(newFrom, newTo)].every(mayVary)) ? "perhaps" : "changed";
}

/** @param {string} text */
function words(text) {
  return text.match(WORDS) ?? [];
}

/**
 * The places where they differ, by the algorithm of Myers ("An O(ND) Difference Algorithm and Its Variations", 1986).
 * @param {string[]} old
 * @param {string[]} next
 * @returns {Hunk[]}
 */
function hunks(old, next) {
  let start = 0, end = 0;
  const least = Math.min(old.length, next.length);
  while (start < least && old[start] === next[start]) start++;
  while (end < least - start && old[old.length - 1 - end] === next[next.length - 1 - end]) end++;
  const [a, b] = [old.slice(start, old.length - end), next.slice(start, next.length - end)];
  if (a.length === 0 && b.length === 0) return [];
  const found = a.length > 0 && b.length > 0 ? steps(a, b) : undefined;
  if (!found) return [[start, start + a.length, start, start + b.length]];
  /** @type {Hunk[]} */
  const hunks = [];
  for (const { x, y, isRemoval } of found) {
    const [from, newFrom] = [start + x, start + y];
    const [to, newTo] = isRemoval ? [from + 1, newFrom] : [from, newFrom + 1];
    const last = hunks.at(-1);
    if (last?.[1] === from && last[3] === newFrom) [last[1], last[3]] = [to, newTo];
    else hunks.push([from, to, newFrom, newTo]);
  }
  return hunks;
}

/**
 * The shortest way from one to the other: at which places a word is removed, or else put in. Undefined if it is too long.
 * @param {string[]} old
 * @param {string[]} next
 */
function steps(old, next) {
  // How far one gets on each diagonal (of the place in the old one minus that in the new one) with so many steps.
  const most = Math.min(MOST, old.length + next.length), middle = most + 1;
  const reach = new Int32Array(2 * most + 3);
  const trace = [];
  for (let step = 0; step <= most; step++) {
    trace.push(reach.slice());
    for (let diagonal = -step; diagonal <= step; diagonal += 2) {
      let x = isDown(reach, middle, diagonal, step) ? reach[middle + diagonal + 1] : reach[middle + diagonal - 1] + 1;
      let y = x - diagonal;
      if (y < 0) continue;
      while (x < old.length && y < next.length && old[x] === next[y]) [x, y] = [x + 1, y + 1];
      reach[middle + diagonal] = x;
      if (x >= old.length && y >= next.length) return back(trace, middle, old.length, next.length);
    }
  }
}

/**
 * Whether the way to a diagonal came from the one above it.
 * @param {Int32Array} reach
 * @param {number} middle
 * @param {number} diagonal
 * @param {number} step
 */
function isDown(reach, middle, diagonal, step) {
  return diagonal === -step || (diagonal !== step && reach[middle + diagonal - 1] < reach[middle + diagonal + 1]);
}

/**
 * The way back from the end.
 * @param {Int32Array[]} trace
 * @param {number} middle
 * @param {number} x
 * @param {number} y
 */
function back(trace, middle, x, y) {
  const found = [];
  for (let step = trace.length - 1; step > 0; step--) {
    const diagonal = x - y;
    const down = isDown(trace[step], middle, diagonal, step);
    const before = down ? diagonal + 1 : diagonal - 1;
    x = trace[step][middle + before];
    y = x - before;
    found.push({ x, y, isRemoval: !down });
  }
  return found.reverse();
}
