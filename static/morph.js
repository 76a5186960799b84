// What the author has changed in a page is changed in the open document, and nothing else is.
//
// Three trees are walked together: the page as it was written before, as it is written now, and the live document, which
// scripts and people have changed meanwhile. Where the first two say the same, the third is left alone, so what was typed,
// scrolled, opened, played, drawn or built there stays. Where they differ, the third has to be as the first says, or nobody
// knows what the author means, and the page is loaded again.
// @ts-check

import { valueOf } from "./state.js";
import { replaceOwner } from "./swap.js";

/** Elements with this attribute and the value `keep` are left alone; on `<html>`, `reload` forbids to morph. */
const OPTION = "data-savecast";

/** What decides how a document is read or run: one that has another of these has to start again. */
const FOUNDATIONS = "script, base, meta[http-equiv], template";

/** What is written for browsers without scripts. Parsers without them read it, and ours is one. */
const NOSCRIPT = /<noscript[\s>][^]*?<\/noscript\s*>/gi;

/** A script that runs. Others are data for those. */
const RUNS = 'script:not([type*="json" i]):not([type="speculationrules" i])';

/** What can't be changed, or come, without losing what is shown. */
const FRAGILE = "canvas, object, embed, audio > *, video > *", UNIQUE = "script, template[shadowrootmode]";

/** What scripts look up to do something with it, so that one that comes later would be without it. */
const LOOKED_UP = "[id], [name], button, input, select, textarea, form, dialog, canvas, audio, video, iframe, object, embed";

/** Attributes that browsers act upon by themselves, at any time. Of others, a script may have asked once. */
const PLAIN = new RegExp(`^(?:${[
  "aria-.*|on(?!load$).*|(?:fill|stroke|stop|font|text|marker)-.*|(?:cell|row|col).*|[rxydc]|[cfr][xy]|[xy][12]|align|alt|autoplay|bgcolor",
  "border|cite|class|clear|color|content|controls|coords|datetime|dir|download|fill|gradient.*|height|hidden|high|href|lang|label|loading|loop",
  "accept|autocomplete|decoding|disabled|draggable|enterkeyhint|fetchpriority|for|headers|inert|inputmode|maxlength|minlength|multiple",
  "part|popover.*|readonly|required|scope|slot|step|translate",
  "low|max|media|min|muted|offset|opacity|open|optimum|pattern.*|placeholder|points|poster|preserveAspectRatio|rel|reversed|role|size|sizes|span",
  "spellcheck|src|srcset|start|stroke|style|tabindex|target|title|transform|type|valign|value|viewBox|width|wrap",
].join("|")})$`);

/** @typedef {{ node: ChildNode, gap: string | null }} Child a node that is not blank, and the blank text before it; null where
 *   blanks are nodes like others
 */

/** @type {(() => void)[]} what is to be done; nothing is, if not all of it can be */
let steps;

/** @type {() => Promise<void>} */
let show;

/** @type {Set<string>} the kinds of fields that the page will have */
let fields = new Set();

/** Whether scripts, or a person who writes into the page, may have made something else of what was written. */
let isScripted = false;

/**
 * Changes the document from one source to another.
 * @param {string} from the HTML that it was made from
 * @param {string} to the HTML that it should be made from
 * @param {() => Promise<void>} showPictures what is to be done when a new stylesheet is there
 * @returns {boolean} false if that can't be done without starting again
 */
export function morph(from, to, showPictures) {
  show = showPictures;
  const [before, after] = [from, to].map((html) => new DOMParser().parseFromString(html.replace(NOSCRIPT, ""), "text/html"));
  if (before.compatMode !== after.compatMode || after.documentElement.getAttribute(OPTION) === "reload") return false;
  const foundations = (/** @type {Document} */ page) => [...page.querySelectorAll(FOUNDATIONS)].map((element) => `${placeOf(element)} ${wordsOf(element)}`);
  const isFounded = (/** @type {string[]} */ one, /** @type {string[]} */ other) => one.join("\n") === other.join("\n");
  if (!isFounded(foundations(before), foundations(after)) || !isFounded(from.match(NOSCRIPT) ?? [], to.match(NOSCRIPT) ?? [])) return false;
  if (!(document.body instanceof HTMLBodyElement)) return false;
  isScripted = before.querySelector(`${RUNS}, [contenteditable]`) !== null ||
    [...before.querySelectorAll("*")].some((element) => element.getAttributeNames().some((name) => name.startsWith("on")));
  steps = [];
  fields = new Set([...after.querySelectorAll("input, select, textarea")].map(kindOf));
  // What stands around head and body is nobody's.
  const isPlanned =
    planAttributes(document.documentElement, before.documentElement, after.documentElement) &&
    plan(document.head, before.head, after.head) &&
    plan(document.body, before.body, after.body);
  if (!isPlanned) return false;
  const { activeElement: focused } = document;
  try {
    for (const step of steps) step();
  } catch {
    return false; // Such as an attribute that only a parser can make.
  }
  if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus({ preventScroll: true });
  return true;
}

/**
 * Plans what is to be done to a live element.
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 * @returns {boolean} false if it can't be done in place
 */
function plan(live, before, after) {
  if (wordsOf(before) === wordsOf(after) || after.getAttribute(OPTION) === "keep") return true;
  if (live.matches(FRAGILE) || (live instanceof HTMLMediaElement && before.innerHTML !== after.innerHTML)) return false;
  const isStylesheet = (/** @type {Element} */ element) => element.matches('link[rel~="stylesheet" i][href]');
  if (live instanceof HTMLLinkElement && isStylesheet(live) && isStylesheet(after)) {
    if (!isSame(live, before)) return false;
    steps.push(() => replaceOwner(live, document.importNode(/** @type {HTMLLinkElement} */ (after), true), show));
    return true;
  }
  if (!planAttributes(live, before, after)) return false;
  // The contents are data, not what is written.
  const isData = (/** @type {Element} */ element) => element.matches("[data-live], [data-live-list]");
  if (isData(before) !== isData(after)) return false;
  if (isData(after) || before.innerHTML === after.innerHTML) return true;
  return planChildren(live, before, after);
}

/**
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 * @returns {boolean}
 */
function planChildren(live, before, after) {
  const { whiteSpace, display } = getComputedStyle(live);
  // Where blanks are shown, they are like any text.
  const areBlanksShown = live !== document.head && /^(?:pre|break)/.test(whiteSpace);
  if (/^(?:inline|ruby|contents|none)/.test(display) && isBlank(before.lastChild) !== isBlank(after.lastChild)) return false;
  const [all, was, is] = [live, before, after].map((parent) => childrenOf(parent, areBlanksShown));
  const kinds = new Map();
  for (const { node } of was) kinds.set(kindOf(node), (kinds.get(kindOf(node)) ?? 0) + 1);
  // What scripts have put there is not in the way if it can't be mistaken for anything that was written.
  const nodes = all.map(({ node }) => node).filter((node) => kinds.has(kindOf(node)));
  const isAsWritten = nodes.length === was.length && nodes.every((node, index) => kindOf(node) === kindOf(was[index].node));
  const { partners, stays } = align(was, is);
  const gone = new Set(was.keys());
  for (const partner of partners) gone.delete(partner);
  const isOnlyInside = gone.size === 0 && stays.size === is.length;
  // Strangers at the end are left where they are. Others belong to what is beside them, and nobody knows how.
  const strangers = all.length - nodes.length;
  const areAtEnd = nodes.length > 0 && nodes.every((node, index) => node === all[index].node) && stays.has(is.length - 1) && !gone.has(was.length - 1);
  if (!isOnlyInside && (!isAsWritten || (strangers > 0 && !areAtEnd) || live.matches("select, optgroup"))) return false;
  /** @type {Map<string, boolean>} whether scripts have left those of this name alone */
  const leftAlone = new Map();
  const isLeftAlone = (/** @type {string} */ name) => {
    if (!leftAlone.has(name)) leftAlone.set(name, nodes.every((node, index) => node.nodeName !== name || areAlike(node, was[index].node)));
    return leftAlone.get(name) === true;
  };
  /** Where the next one goes: before the one that follows it. */
  let next = nodes.at(-1)?.nextSibling ?? null;
  for (let index = is.length - 1; index >= 0; index--) {
    const { node: now, gap } = is[index];
    const partner = was[partners[index]];
    const following = next;
    if (!partner) {
      if (!canAppear(now) || (isScripted && !isLeftAlone(now.nodeName))) return false;
      const created = /** @type {ChildNode} */ (document.importNode(now, true));
      steps.push(() => place(live, created, gap, following));
      next = created;
      continue;
    }
    const old = partner.node;
    const isEqual = wordsOf(old) === wordsOf(now);
    const hasOtherGap = live !== document.head && !gap !== !partner.gap;
    const node = isAsWritten ? nodes[partners[index]] : isEqual ? null : counterpart(all, old);
    if (!node) {
      if (isEqual && !hasOtherGap) continue;
      return false;
    }
    // Of several that could be it, scripts may have changed the order.
    if (!isEqual && isAsWritten && kinds.get(kindOf(old)) > 1 && old instanceof Element && !isSame(node, old)) return false;
    if (!isEqual && !planNode(node, old, now)) return false;
    if (!stays.has(index)) {
      if (!isSame(node, old)) return false;
      steps.push(() => place(live, node, gap, following));
    } else if (hasOtherGap) {
      if (!isAsWritten) return false;
      steps.push(() => setGap(node, gap));
    }
    next = node;
  }
  for (const index of gone) {
    const node = nodes[index];
    if (!isSame(node, was[index].node) || isInUse(node) || (isScripted && node instanceof Element && isLookedUp(node, LOOKED_UP))) return false;
    const { gap } = was[index];
    steps.push(() => setGap(node, gap && ""), () => node.remove());
  }
  return true;
}

/**
 * @param {ChildNode} live
 * @param {ChildNode} before
 * @param {ChildNode} after of the same kind
 */
function planNode(live, before, after) {
  if (live instanceof Element) return plan(live, /** @type {Element} */ (before), /** @type {Element} */ (after));
  if (live.nodeValue !== before.nodeValue) return false;
  steps.push(() => (live.nodeValue = after.nodeValue));
  return true;
}

/**
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 * @returns {boolean}
 */
function planAttributes(live, before, after) {
  const names = new Set([...before.attributes, ...after.attributes].map(({ name }) => name));
  for (const name of names) {
    const [old, now] = [before.getAttribute(name), after.getAttribute(name)];
    if (old === now || name === OPTION) continue;
    if (isScripted && !PLAIN.test(name) && !name.startsWith("data-live") && !live.localName.includes("-")) return false;
    const { namespaceURI } = /** @type {Attr} */ ((after.getAttributeNode(name) ?? before.getAttributeNode(name)));
    if (name === "class") {
      const [gone, come] = [without(before.classList, after.classList), without(after.classList, before.classList)];
      // A script has taken it away or put another one in its place.
      if (gone.some((token) => !live.classList.contains(token))) return false;
      steps.push(() => live.classList.remove(...gone), () => live.classList.add(...come));
      if (now === null) steps.push(() => void (live.className || live.removeAttribute(name)));
    } else if (live.getAttribute(name) === old || isFresh(live.getAttribute(name), old)) {
      if (isScripted && !isSame(live, before) && live !== document.documentElement && live !== document.body) return false;
      steps.push(() => {
        if (now === null) live.removeAttribute(name);
        else live.setAttributeNS(namespaceURI, name, now);
      });
      // What a person has opened or closed is for them to close or open.
    } else if (name !== "open") return false;
  }
  return true;
}

/**
 * @param {DOMTokenList} tokens
 * @param {DOMTokenList} others
 */
function without(tokens, others) {
  return [...tokens].filter((token) => !others.contains(token));
}

/**
 * Whether a URL is that of the same file, which we have loaded again.
 * @param {string | null} live
 * @param {string | null} written
 */
function isFresh(live, written) {
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
function childrenOf(parent, areBlanksShown) {
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
function isBlank(node) {
  return node instanceof Text && !/[^\t\n\f\r ]/.test(node.data);
}

/**
 * The script that brought us is in the live document, but in no source; and so is what we show, and what we do not read.
 * @param {Node} node
 */
function isOurs(node) {
  return node instanceof Element && node.matches('savecast-problems, noscript, script[src="/_savecast/client.js"]');
}

/**
 * Which child was which: equal ones, then those with the same id, then those of one kind between the same neighbours.
 * @param {Child[]} was
 * @param {Child[]} is
 * @returns {{ partners: number[], stays: Set<number> }} for each of `is` the index in `was` or -1; and who of them stay where
 *   they are while others move around them
 */
function align(was, is) {
  const partners = Array(is.length).fill(-1);
  const areEqual = (/** @type {number} */ old, /** @type {number} */ now) => wordsOf(was[old].node) === wordsOf(is[now].node);
  let start = 0, end = 0;
  while (start < Math.min(was.length, is.length) && areEqual(start, start)) partners[start] = start++;
  while (start + end < Math.min(was.length, is.length) && areEqual(was.length - 1 - end, is.length - 1 - end)) {
    end++;
    partners[is.length - end] = was.length - end;
  }
  const [oldEnd, nowEnd] = [was.length - end, is.length - end];
  const taken = new Set();
  /** @param {(node: Node) => string | null} keyOf */
  const queues = (keyOf) => {
    /** @type {Map<string, number[]>} */
    const map = new Map();
    // From the last one on, so that the first one is at the end, where it is taken from.
    for (let old = oldEnd - 1; old >= start; old--) {
      const key = taken.has(old) ? null : keyOf(was[old].node);
      if (key !== null) map.set(key, map.get(key) ?? []).get(key)?.push(old);
    }
    return map;
  };
  const idOf = (/** @type {Node} */ node) => (node instanceof Element && node.id ? kindOf(node) : null);
  for (const keyOf of [(/** @type {Node} */ node) => (node instanceof Element ? wordsOf(node) : null), idOf]) {
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

/**
 * Where an element stands, because scripts and templates act where they are.
 * @param {Element} element
 * @returns {string}
 */
function placeOf({ parentElement: parent }) {
  return parent ? `${placeOf(parent)}/${parent.localName}` : "";
}

/** @type {WeakMap<Node, string>} sources do not change, so each part of them is put into words once */
const words = new WeakMap();

/**
 * What is written of a node. Not for `isEqualNode`, which does not look into templates.
 * @param {Node} node of a source
 */
function wordsOf(node) {
  let text = words.get(node);
  if (text === undefined) {
    text = node instanceof Element ? node.outerHTML : `${node.nodeName}${node.nodeValue}`;
    words.set(node, text);
  }
  return text;
}

/**
 * What a node has to have in common with one that it becomes.
 * @param {Node} node
 */
function kindOf(node) {
  if (!(node instanceof Element)) return node.nodeName;
  const [type, name] = ["type", "name"].map((attribute) => (node.matches("input, button, select, textarea") ? node.getAttribute(attribute) : ""));
  return `${node.nodeName} ${node.id} ${type} ${name}`;
}

/**
 * The live element of one that was written, where scripts have put others around it.
 * @param {Child[]} children
 * @param {ChildNode} old
 * @returns {ChildNode | null}
 */
function counterpart(children, old) {
  const hasId = old instanceof Element && old.id !== "";
  const found = children.filter(({ node }) => (hasId ? kindOf(node) === kindOf(old) : areAlike(node, old)));
  return found.length === 1 ? found[0].node : null;
}

/**
 * Whether a live node is surely the one that was written, and no script has made it another.
 * @param {Node} live
 * @param {Node} old
 */
function isSame(live, old) {
  if (!isScripted || areAlike(live, old)) return true;
  if (!(live instanceof Element && old instanceof Element)) return false;
  // Where elements move, their ids do, too.
  const idsOf = (/** @type {Element} */ element) => [element, ...element.querySelectorAll("[id]")].map(({ id }) => id).join(" ").trim();
  return idsOf(live) !== "" && idsOf(live) === idsOf(old);
}

/**
 * Whether a live node says what was written, but for what we or a person have done to it.
 * @param {Node} live
 * @param {Node} old
 * @returns {boolean}
 */
function areAlike(live, old) {
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
 * @param {Element} element
 * @param {string} selector
 */
function isLookedUp(element, selector) {
  return [element, ...element.querySelectorAll("*")].some(
    (element) => element.matches(selector) || element.getAttributeNames().some((name) => !PLAIN.test(name) && !/^data-(?:live|savecast)/.test(name)),
  );
}

/**
 * Whether a new node would be as if it had been there from the start.
 * @param {Node} node
 */
function canAppear(node) {
  if (!(node instanceof Element)) return true;
  if (node.matches(UNIQUE) || node.querySelector(UNIQUE)) return false;
  return !isScripted || !isLookedUp(node, `${LOOKED_UP}, [class]`);
}

/**
 * Whether a person has done something to a node that would be lost with it.
 * @param {Node} node
 */
function isInUse(node) {
  const isUsed = (/** @type {Element} */ element) =>
    element.matches("iframe, dialog[open], details[open], audio, video") || element.scrollTop > 0 || element.scrollLeft > 0 ||
    // A field that is written nowhere any more is gone with what is in it.
    (valueOf(element) !== undefined && (!(element.id || element.getAttribute("name")) || fields.has(kindOf(element))));
  const { activeElement: focused } = document;
  if (!(node instanceof Element)) return false;
  return (focused !== document.body && node.contains(focused)) || [node, ...node.querySelectorAll("*")].some(isUsed);
}

/**
 * Puts a node before another one, and before the blank text that this one has before it.
 * @param {Element} parent
 * @param {ChildNode} node
 * @param {string | null} gap
 * @param {ChildNode | null} next
 */
function place(parent, node, gap, next) {
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
function setGap(node, gap) {
  if (gap === null) return;
  const { previousSibling } = node;
  if (isBlank(previousSibling)) previousSibling?.remove();
  if (gap) node.before(gap);
}
