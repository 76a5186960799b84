// The live document, as far as a change in place has to do with it: which nodes matter, whether they are as they were
// written, whether a person uses them, and how they are changed.
// @ts-check

import { valueOf } from "../state.js";
import { kindOf } from "./align.js";

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
 * The live element of one that was written, where scripts have put others around it.
 * @param {ChildNode} old
 * @param {Child[]} children
 * @returns {ChildNode | null}
 */
export function counterpartOf(old, children) {
  const hasId = old instanceof Element && old.id !== "";
  const found = children.filter(({ node }) => (hasId ? kindOf(node) === kindOf(old) : areAlike(node, old)));
  return found.length === 1 ? found[0].node : null;
}

/**
 * Whether a person has done something to a node that would be lost with it.
 * @param {Node} node
 * @param {Set<string>} fields the kinds of fields that the page will have
 */
export function isInUse(node, fields) {
  const isUsed = (/** @type {Element} */ element) =>
    element.matches("iframe, dialog[open], details[open], audio, video") || element.scrollTop > 0 || element.scrollLeft > 0 ||
    // A field that is written nowhere any more is gone with what is in it.
    (valueOf(element) !== undefined && (!(element.id || element.getAttribute("name")) || fields.has(kindOf(element))));
  const { activeElement: focused } = document;
  if (!(node instanceof Element)) return false;
  return (focused !== document.body && node.contains(focused)) || [node, ...node.querySelectorAll("*")].some(isUsed);
}

/**
 * @param {(() => void)[]} steps
 * @param {(() => void)[]} last
 * @returns {boolean} false if one of them can't be done, such as an attribute that only a parser can make
 */
export function carryOut(steps, last) {
  const { activeElement: focused } = document;
  try {
    for (const step of [...steps, ...last]) step();
  } catch {
    return false;
  }
  if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus({ preventScroll: true });
  return true;
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

/**
 * Chooses what was chosen in a list whose options have changed; what its author has chosen, if that is gone or was nothing.
 * @param {HTMLSelectElement} list
 * @param {string[]} values
 */
export function choose(list, values) {
  const options = [...list.options];
  const isChosen = options.some((option) => values.includes(option.value));
  for (const option of options) option.selected = isChosen ? values.includes(option.value) : option.defaultSelected;
  // A list of which one has to be chosen begins with the first.
  if (!list.multiple && list.size < 2 && list.selectedIndex < 0) list.selectedIndex = options.findIndex((option) => !option.disabled);
}
