// What the author has changed in a page is changed in the open document, and nothing else is.
//
// Three trees are walked together: the page as it was written before, as it is written now, and the live document, which
// scripts and people have changed meanwhile. Where the first two are equal, the third is left alone: what was typed,
// scrolled, opened, played, drawn or built by scripts stays.
// @ts-check

/** Elements with this attribute and the value `keep` are left alone; on `<html>`, `reload` forbids to morph. */
const OPTION = "data-savecast";

/** What decides how everything behind it is read or run: a document that has another one has to start again. */
const FOUNDATIONS = "script, base, meta[http-equiv], noscript, template[shadowrootmode]";

/**
 * Changes the document from one source to another.
 * @param {string} from the HTML that it was made from
 * @param {string} to the HTML that it should be made from
 * @returns {boolean} false if that can't be done without starting again; then nothing was changed
 */
export function morph(from, to) {
  const parse = (/** @type {string} */ html) => new DOMParser().parseFromString(html, "text/html");
  const [before, after] = [parse(from), parse(to)];
  if (before.compatMode !== after.compatMode || after.documentElement.getAttribute(OPTION) === "reload") return false;
  const foundations = (/** @type {Document} */ page) =>
    [...page.querySelectorAll(FOUNDATIONS)].map((element) => element.outerHTML).join("\n");
  if (foundations(before) !== foundations(after)) return false;
  /** @type {(() => void)[]} */
  const steps = [];
  if (!plan(document.documentElement, before.documentElement, after.documentElement, steps)) return false;
  for (const step of steps) step();
  return true;
}

/**
 * Plans what is to be done to a live element, so that nothing is done if not all of it can be.
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 * @param {(() => void)[]} steps
 * @returns {boolean}
 */
function plan(live, before, after, steps) {
  if (after.getAttribute(OPTION) === "keep" || isEqual(before, after)) return true;
  steps.push(() => setAttributes(live, before, after));
  if (before instanceof HTMLTemplateElement) {
    steps.push(() => (live.innerHTML = after.innerHTML));
    return true;
  }
  const pairs = counterparts(live, before);
  /** Where the next new node goes: before the live node of the next one that stays. */
  /** @type {Node | null} */
  let next = null;
  const places = alignment([...before.childNodes], [...after.childNodes]);
  for (const [old, now] of places.reverse()) {
    const node = old && pairs.get(old);
    if (old && now && isEqual(old, now)) {
      // Where it is by now is no matter, as nothing is done to it.
      next = node ?? next;
      continue;
    }
    // White space that scripts have swept away is no loss; without anything else we would be lost.
    if (old && !node && !(isBlank(old) && (!now || isBlank(now)))) return false;
    if (old && now && node) {
      if (old instanceof Element && now instanceof Element) {
        if (!plan(/** @type {Element} */ (node), old, now, steps)) return false;
      } else if (old.nodeValue !== now.nodeValue) {
        steps.push(() => (node.nodeValue = now.nodeValue));
      }
      next = node;
    } else if (now && !old) {
      const created = document.importNode(now, true);
      const place = next;
      steps.push(() => live.insertBefore(created, place));
      next = created;
    } else if (node) {
      steps.push(() => /** @type {ChildNode} */ (node).remove());
    }
  }
  return true;
}

/**
 * The live nodes of what was written. Scripts may have put others in between.
 * @param {Element} live
 * @param {Element} before
 * @returns {Map<Node, Node>}
 */
function counterparts(live, before) {
  const pairs = new Map();
  const nodes = [...live.childNodes];
  let at = 0;
  for (const node of before.childNodes) {
    const found = nodes.findIndex((candidate, index) => index >= at && isAlike(candidate, node) && !isOurs(candidate));
    if (found < 0) continue;
    // Text is only where it was written: behind the same neighbour.
    if (!(node instanceof Element) && nodes.slice(at, found).some((skipped) => !isOurs(skipped) && !(skipped instanceof Text))) continue;
    pairs.set(node, nodes[found]);
    at = found + 1;
  }
  return pairs;
}

/**
 * Which child has become which: those that are equal at both ends, then those that have the same id or are alike, in order.
 * @param {Node[]} before
 * @param {Node[]} after
 * @returns {[Node | undefined, Node | undefined][]} in the order of both
 */
function alignment(before, after) {
  /** @type {[Node | undefined, Node | undefined][]} */
  const start = [];
  /** @type {[Node | undefined, Node | undefined][]} */
  const end = [];
  while (before.length > 0 && after.length > 0 && isEqual(before[0], after[0])) start.push([before.shift(), after.shift()]);
  while (before.length > 0 && after.length > 0 && isEqual(before[before.length - 1], after[after.length - 1])) end.unshift([before.pop(), after.pop()]);
  for (const now of after) {
    const equal = before.findIndex((old) => isEqual(old, now));
    const found = equal >= 0 ? equal : before.findIndex((old) => isAlike(old, now));
    // One that is found again further down stays for its own turn.
    if (found < 0 || (equal < 0 && after.some((other) => other !== now && isEqual(before[found], other)))) {
      start.push([undefined, now]);
      continue;
    }
    for (const gone of before.splice(0, found)) start.push([gone, undefined]);
    start.push([before.shift(), now]);
  }
  for (const gone of before) start.push([gone, undefined]);
  return [...start, ...end];
}

/**
 * Whether one can become the other.
 * @param {Node} one
 * @param {Node} other
 */
function isAlike(one, other) {
  if (one.nodeType !== other.nodeType || one.nodeName !== other.nodeName) return false;
  return !(one instanceof Element && other instanceof Element) || one.id === other.id;
}

/** @type {WeakMap<Element, string>} sources do not change, so each part of them is put into words once */
const words = new WeakMap();

/** @param {Element} element */
function wordsOf(element) {
  let text = words.get(element);
  if (text === undefined) words.set(element, (text = element.outerHTML));
  return text;
}

/**
 * Whether two nodes of sources say the same.
 * @param {Node} one
 * @param {Node} other
 */
function isEqual(one, other) {
  // Not `isEqualNode`, which does not look into templates.
  return one instanceof Element && other instanceof Element
    ? wordsOf(one) === wordsOf(other)
    : one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.nodeValue === other.nodeValue;
}

/** @param {Node} node */
function isBlank(node) {
  return node instanceof Text && node.data.trim() === "";
}

/**
 * The script that brought us is in the live document, but in no source.
 * @param {Node} node
 */
function isOurs(node) {
  return node instanceof HTMLScriptElement && new URL(node.src, location.href).pathname === "/_savecast/client.js";
}

/**
 * Sets what the author has changed. What a person has typed, opened or chosen is a state, and no attribute.
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 */
function setAttributes(live, before, after) {
  for (const { name, namespaceURI, localName } of before.attributes) {
    if (!after.hasAttribute(name)) live.removeAttributeNS(namespaceURI, localName);
  }
  for (const { name, namespaceURI, value } of after.attributes) {
    if (before.getAttribute(name) !== value) live.setAttributeNS(namespaceURI, name, value);
  }
}
