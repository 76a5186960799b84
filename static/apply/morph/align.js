// Two ways in which a page is written: which parts are equal, and which element of one has become which of the other.
// @ts-check

/** @typedef {{ node: ChildNode, gap: string | null }} Child a node that is not blank, and the blank text before it; null where
 *   blanks are nodes like others
 */

/**
 * Numbers what is written: equal parts have the same number. Each part is looked at once, however deep it is. Not by
 * `isEqualNode`, which looks at them again on each level, and not into templates.
 * @returns {(node: Node) => number}
 */
export function numbering() {
  /** @type {WeakMap<Node, number>} sources do not change */
  const numbers = new WeakMap();
  /** @type {Map<string, number>} */
  const known = new Map();
  return function numberOf(node) {
    let number = numbers.get(node);
    if (number === undefined) {
      const text = textOf(node, numberOf);
      number = known.get(text) ?? known.size;
      known.set(text, number);
      numbers.set(node, number);
    }
    return number;
  };
}

/**
 * @param {Node} node
 * @param {(node: Node) => number} numberOf
 */
function textOf(node, numberOf) {
  if (!(node instanceof Element)) return `${node.nodeName} ${node.nodeValue}`;
  const attributes = [...node.attributes].map(({ name, value }) => `${name}=${JSON.stringify(value)}`);
  const content = node instanceof HTMLTemplateElement ? node.content : node;
  return `<${node.namespaceURI} ${node.localName} ${attributes.join(" ")}>${[...content.childNodes].map(numberOf).join()}`;
}

/**
 * What a node has to have in common with one that it becomes.
 * @param {Node} node
 */
export function kindOf(node) {
  if (!(node instanceof Element)) return node.nodeName;
  const [type, name] = ["type", "name"].map((attribute) => (node.matches("input, button, select, textarea") ? node.getAttribute(attribute) : ""));
  return `${node.nodeName} ${node.id} ${type} ${name}`;
}

/**
 * Which child was which: equal ones, then those with the same id, then those of one kind between the same neighbours.
 * @param {Child[]} was
 * @param {Child[]} is
 * @param {(node: Node) => number} numberOf
 * @returns {{ partners: number[], stays: Set<number> }} for each of `is` the index in `was` or -1; and who of them stay where
 *   they are while others move around them
 */
export function align(was, is, numberOf) {
  const partners = Array(is.length).fill(-1);
  const areEqual = (/** @type {number} */ old, /** @type {number} */ now) => numberOf(was[old].node) === numberOf(is[now].node);
  let start = 0, end = 0;
  while (start < Math.min(was.length, is.length) && areEqual(start, start)) partners[start] = start++;
  while (start + end < Math.min(was.length, is.length) && areEqual(was.length - 1 - end, is.length - 1 - end)) {
    end++;
    partners[is.length - end] = was.length - end;
  }
  const [oldEnd, nowEnd] = [was.length - end, is.length - end];
  const taken = new Set();
  /** @param {(node: Node) => string | number | null} keyOf */
  const queues = (keyOf) => {
    /** @type {Map<string | number, number[]>} */
    const map = new Map();
    // From the last one on, so that the first one is at the end, where it is taken from.
    for (let old = oldEnd - 1; old >= start; old--) {
      const key = taken.has(old) ? null : keyOf(was[old].node);
      if (key !== null) map.set(key, map.get(key) ?? []).get(key)?.push(old);
    }
    return map;
  };
  const idOf = (/** @type {Node} */ node) => (node instanceof Element && node.id ? kindOf(node) : null);
  for (const keyOf of [(/** @type {Node} */ node) => (node instanceof Element ? numberOf(node) : null), idOf]) {
    const olds = queues(keyOf);
    for (let now = start; now < nowEnd; now++) {
      const key = partners[now] < 0 ? keyOf(is[now].node) : null;
      const old = key === null ? undefined : olds.get(key)?.pop();
      if (old !== undefined) taken.add((partners[now] = old));
    }
  }
  const stays = increasing(partners);
  /** For each place, the partner of the next one that stays. */
  const limits = Array(nowEnd).fill(oldEnd);
  for (let now = nowEnd - 1; now > start; now--) limits[now - 1] = stays.has(now) ? partners[now] : limits[now];
  const olds = queues((node) => kindOf(node));
  let last = start - 1;
  for (let now = start; now < nowEnd; now++) {
    if (stays.has(now)) last = partners[now];
    if (partners[now] >= 0) continue;
    const queue = olds.get(kindOf(is[now].node)) ?? [];
    while (queue.length > 0 && queue[queue.length - 1] <= last) queue.pop();
    if (queue.length === 0 || queue[queue.length - 1] >= limits[now]) continue;
    last = partners[now] = /** @type {number} */ (queue.pop());
    stays.add(now);
  }
  return { partners, stays };
}

/**
 * The places of a longest increasing subsequence, passing over what is negative.
 * @param {number[]} numbers
 * @returns {Set<number>}
 */
function increasing(numbers) {
  /** Of the sequences of each length, the place where the one ends that ends lowest. */
  /** @type {number[]} */
  const ends = [];
  const previous = Array(numbers.length);
  numbers.forEach((number, place) => {
    if (number < 0) return;
    let low = 0, high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[ends[middle]] < number) low = middle + 1;
      else high = middle;
    }
    previous[place] = ends[low - 1];
    ends[low] = place;
  });
  const found = new Set();
  for (let place = ends.at(-1); place !== undefined; place = previous[place]) found.add(place);
  return found;
}
