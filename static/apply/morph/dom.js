// The nodes of a document, as far as a change in place has to do with them: which ones matter, whether they are as they were
// written, and how they come to stand elsewhere.
// @ts-check

/** @typedef {import("./align.js").Child} Child */

/**
 * Whether a URL is that of the same file, which we have loaded again.
 * @param {string | null} live
 * @param {string | null} written
 */
export function isFresh(live, written) {
  if (!live?.includes("savecast=") || !written || !URL.canParse(written, document.baseURI)) return false;
  const url = new URL(live, document.baseURI);
  url.searchParams.delete("savecast");
  return url.href === new URL(written, document.baseURI).href;
}

/**
 * The children that matter.
 * @param {Element} parent
 * @param {boolean} areBlanksShown
 * @returns {Child[]}
 */
export function childrenOf(parent, areBlanksShown) {
  const children = [];
  let gap = "";
  for (const node of parent.childNodes) {
    if (!areBlanksShown && isBlank(node)) gap += node.nodeValue;
    else if (!isOurs(node)) {
      children.push({ node, gap: areBlanksShown ? null : gap });
      gap = "";
    }
  }
  return children;
}

/** @param {Node | null} node */
export function isBlank(node) {
  return node instanceof Text && !/[^\t\n\f\r ]/.test(node.data);
}

/**
 * What we show is in the live document, but in no source; and so is what we do not read.
 * @param {Node} node
 */
function isOurs(node) {
  return node instanceof Element && node.matches("savecast-problems, noscript");
}

/**
 * Where an element stands, because scripts and templates act where they are.
 * @param {Element} element
 * @returns {string}
 */
export function placeOf({ parentElement: parent }) {
  return parent ? `${placeOf(parent)}/${parent.localName}` : "";
}

/**
 * Whether a live node says what was written, but for what we or a person have done to it.
 * @param {Node} live
 * @param {Node} old
 * @returns {boolean}
 */
export function areAlike(live, old) {
  if (!(live instanceof Element && old instanceof Element)) return live.nodeName === old.nodeName && live.nodeValue === old.nodeValue;
  const names = new Set([...live.getAttributeNames(), ...old.getAttributeNames()]);
  const isData = old.matches("[data-live], [data-live-list], [data-live-attr], [data-savecast=keep]");
  for (const name of names) {
    const value = live.getAttribute(name);
    if (value !== old.getAttribute(name) && name !== "open" && !isData && !isFresh(value, old.getAttribute(name))) return false;
  }
  if (live.nodeName !== old.nodeName) return false;
  if (isData) return true;
  const [nodes, was] = [childrenOf(live, false), childrenOf(old, false)];
  return nodes.length === was.length && nodes.every(({ node }, index) => areAlike(node, was[index].node));
}

/**
 * Puts a node before another one, and before the blank text that this one has before it.
 * @param {Element} parent
 * @param {ChildNode} node
 * @param {string | null} gap
 * @param {ChildNode | null} next
 */
export function place(parent, node, gap, next) {
  setGap(node, gap && "");
  const blank = next?.previousSibling ?? null;
  const before = gap !== null && isBlank(blank) ? blank : next;
  // Keeps what would be lost on the way: the focus, frames, what is playing.
  if (node.isConnected && "moveBefore" in parent) /** @type {any} */ (parent).moveBefore(node, before);
  else parent.insertBefore(node, before);
  setGap(node, gap);
}

/**
 * Sets the blank text before a node.
 * @param {ChildNode} node
 * @param {string | null} gap null where blanks are nodes like others
 */
export function setGap(node, gap) {
  if (gap === null) return;
  const { previousSibling } = node;
  if (isBlank(previousSibling)) previousSibling?.remove();
  if (gap) node.before(gap);
}
