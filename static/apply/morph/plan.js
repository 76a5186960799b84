// What the author has changed in a page is changed in the open document, and nothing else is.
//
// Three trees are walked together: the page as it was written before, as it is written now, and the live document, which
// scripts and people have changed meanwhile. Where the first two say the same, the third is left alone, so what was typed,
// scrolled, opened, played, drawn or built there stays. Where they differ, the third has to be as the first says, or nobody
// knows what the author means, and the page is loaded again.
// @ts-check

import { valueOf } from "../state.js";
import { replaceOwner } from "../swap.js";
import { trustedHTML } from "../trusted.js";
import { align, kindOf, numbering } from "./align.js";
import { areAlike, carryOut, childrenOf, choose, counterpartOf, isBlank, isFresh, isInUse, place, placeOf, setGap } from "./dom.js";

/**
 * On `<html>`, `morph` says that the page is right after a change in place although it has scripts, and `reload` that it
 * is always loaded again. On any other element, `keep` leaves it alone.
 */
const OPTION = "data-savecast";

/** What decides how a document is read or run: one that has another of these has to start again. */
const FOUNDATIONS = "script, base, meta[http-equiv], template";

/** What is written for browsers without scripts. Parsers without them read it, and ours is one. */
const NOSCRIPT = /<noscript[\s>][^]*?<\/noscript\s*>/gi;

/** What runs. Other scripts are data. */
const RUNS = 'script:not([type*="json" i]):not([type="speculationrules" i]), object, embed';

/** The start tags of scripts in a text, and one of a script that is data. */
const SCRIPTS = /<script\b(?:"[^"]*"|'[^']*'|[^>"'])*/gi;
const DATA = /^<script(?:\s+(?!type\b)[\w-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)*\s+type\s*=\s*["']?(?:[\w/.+-]*json|speculationrules)\b/i;

/** What else runs in a text: plugins, event handlers and `javascript:` URLs. */
const HANDLERS = /<object\b|<embed\b|javascript:|["'\s/]on[a-z]+\s*=/i;

/** What can't be changed, or come, without losing what is shown. */
const FRAGILE = "canvas, object, embed, audio > *, video > *", UNIQUE = "script, template[shadowrootmode]";

/**
 * One change of the document, while it is planned. `numberOf` says which parts of both sources are equal; `mayDiffer`, that
 * scripts, or a person who writes into the page, may have made something else of what was written; `fields` are the kinds of
 * fields that the page will have. The `steps`, and then the `last` ones, are done when it is sure that all of them can be.
 * @typedef {{ numberOf: (node: Node) => number, mayDiffer: boolean, fields: Set<string>, steps: (() => void)[],
 *   last: (() => void)[] }} Plan
 */

/**
 * Whether changes of a page can be made in place. A script has seen the page as it was when it was loaded, and nobody
 * knows what it has made of that: where one ran, the page is only right when it is loaded again.
 * @param {string} html as it was written
 */
export function canMorph(html) {
  if (!(document.body instanceof HTMLBodyElement)) return false;
  const option = document.documentElement.getAttribute(OPTION);
  return option === "morph" || (option !== "reload" && !mayRun(html) && !framesRun());
}

/**
 * Whether something may run in a page. It is looked for in the text, because a page that wants trusted types forbids to
 * parse it. What stands in a comment is found, too.
 * @param {string} html
 */
function mayRun(html) {
  return HANDLERS.test(html) || (html.match(SCRIPTS) ?? []).some((tag) => !DATA.test(tag));
}

/** Whether a script runs in a frame that can reach this page. */
function framesRun() {
  const frames = [...document.querySelectorAll("iframe, frame")].map((frame) => /** @type {HTMLIFrameElement} */ (frame).contentDocument);
  return frames.some((inside) => inside !== null && inside.querySelector(`${RUNS}, iframe, frame`) !== null);
}

/**
 * Changes the document from one source to another.
 * @param {string} from the HTML that it was made from
 * @param {string} to the HTML that it should be made from
 * @returns {boolean} false if that can't be done without starting again
 */
export function morph(from, to) {
  const plan = planOf(from, to);
  return plan !== undefined && carryOut(plan.steps, plan.last);
}

/**
 * @param {string} from
 * @param {string} to
 * @returns {Plan | undefined}
 */
function planOf(from, to) {
  const isVouchedFor = document.documentElement.getAttribute(OPTION) === "morph";
  // The parser would be refused where a page wants trusted types, and a page that gets its first script has to start.
  if (!isVouchedFor && mayRun(to)) return undefined;
  const [before, after] = [from, to].map((html) => new DOMParser().parseFromString(trustedHTML(html.replace(NOSCRIPT, "")), "text/html"));
  if (before.compatMode !== after.compatMode || after.documentElement.getAttribute(OPTION) === "reload") return undefined;
  if (foundationsOf(before, from) !== foundationsOf(after, to)) return undefined;
  /** @type {Plan} */
  const plan = {
    numberOf: numbering(),
    mayDiffer: isVouchedFor || before.querySelector("[contenteditable]") !== null,
    fields: new Set([...after.querySelectorAll("input, select, textarea")].map(kindOf)),
    steps: [],
    last: [],
  };
  // What stands around head and body is nobody's.
  const isPlanned =
    planAttributes(plan, document.documentElement, before.documentElement, after.documentElement) &&
    planElement(plan, document.head, before.head, after.head) &&
    planElement(plan, document.body, before.body, after.body);
  return isPlanned ? plan : undefined;
}

/**
 * What decides how a page is read or run.
 * @param {Document} page
 * @param {string} html
 */
function foundationsOf(page, html) {
  const elements = [...page.querySelectorAll(FOUNDATIONS)].map((element) => `${placeOf(element)} ${element.outerHTML}`);
  return [...elements, ...(html.match(NOSCRIPT) ?? [])].join("\n");
}

/**
 * Plans what is to be done to a live element.
 * @param {Plan} plan
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 * @returns {boolean} false if it can't be done in place
 */
function planElement(plan, live, before, after) {
  if (plan.numberOf(before) === plan.numberOf(after) || after.getAttribute(OPTION) === "keep") return true;
  if (live.matches(FRAGILE) || (live instanceof HTMLMediaElement && before.innerHTML !== after.innerHTML)) return false;
  const isStylesheet = (/** @type {Element} */ element) => element.matches('link[rel~="stylesheet" i][href]');
  if (live instanceof HTMLLinkElement && isStylesheet(live) && isStylesheet(after)) {
    if (!isSame(plan, live, before)) return false;
    plan.steps.push(() => replaceOwner(live, document.importNode(/** @type {HTMLLinkElement} */ (after), true)));
    return true;
  }
  if (!planAttributes(plan, live, before, after)) return false;
  // The contents are data, not what is written.
  const isData = (/** @type {Element} */ element) => element.matches("[data-live], [data-live-list]");
  if (isData(before) !== isData(after)) return false;
  if (live instanceof HTMLSelectElement) {
    const chosen = valueOf(live);
    plan.last.push(() => choose(live, Array.isArray(chosen) ? chosen : []));
  }
  const contentOf = (/** @type {Element} */ element) => [...element.childNodes].map(plan.numberOf).join();
  return isData(after) || contentOf(before) === contentOf(after) || planChildren(plan, live, before, after);
}

/**
 * @param {Plan} plan
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 * @returns {boolean}
 */
function planChildren(plan, live, before, after) {
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
  const { partners, stays } = align(was, is, plan.numberOf);
  const gone = new Set(was.keys());
  for (const partner of partners) gone.delete(partner);
  const isOnlyInside = gone.size === 0 && stays.size === is.length;
  // Strangers at the end are left where they are. Others belong to what is beside them, and nobody knows how.
  const strangers = all.length - nodes.length;
  const areAtEnd = nodes.length > 0 && nodes.every((node, index) => node === all[index].node) && stays.has(is.length - 1) && !gone.has(was.length - 1);
  if (!isOnlyInside && (!isAsWritten || (strangers > 0 && !areAtEnd))) return false;
  /** Where the next one goes: before the one that follows it. */
  let next = nodes.at(-1)?.nextSibling ?? null;
  for (let index = is.length - 1; index >= 0; index--) {
    const { node: now, gap } = is[index];
    const partner = was[partners[index]];
    const following = next;
    if (!partner) {
      if (!canAppear(now)) return false;
      const created = /** @type {ChildNode} */ (document.importNode(now, true));
      plan.steps.push(() => place(live, created, gap, following));
      next = created;
      continue;
    }
    const old = partner.node;
    const isEqual = plan.numberOf(old) === plan.numberOf(now);
    const hasOtherGap = live !== document.head && !gap !== !partner.gap;
    const node = isAsWritten ? nodes[partners[index]] : isEqual ? null : counterpartOf(old, all);
    if (!node) {
      if (isEqual && !hasOtherGap) continue;
      return false;
    }
    // Of several that could be it, scripts may have changed the order.
    if (!isEqual && isAsWritten && kinds.get(kindOf(old)) > 1 && old instanceof Element && !isSame(plan, node, old)) return false;
    if (!isEqual && !planNode(plan, node, old, now)) return false;
    if (!stays.has(index)) {
      if (!isSame(plan, node, old)) return false;
      plan.steps.push(() => place(live, node, gap, following));
    } else if (hasOtherGap) {
      if (!isAsWritten) return false;
      plan.steps.push(() => setGap(node, gap));
    }
    next = node;
  }
  for (const index of gone) {
    const node = nodes[index];
    if (!isSame(plan, node, was[index].node) || isInUse(node, plan.fields)) return false;
    const { gap } = was[index];
    plan.steps.push(() => setGap(node, gap && ""), () => node.remove());
  }
  return true;
}

/**
 * @param {Plan} plan
 * @param {ChildNode} live
 * @param {ChildNode} before
 * @param {ChildNode} after of the same kind
 */
function planNode(plan, live, before, after) {
  if (live instanceof Element) return planElement(plan, live, /** @type {Element} */ (before), /** @type {Element} */ (after));
  if (live.nodeValue !== before.nodeValue) return false;
  plan.steps.push(() => (live.nodeValue = after.nodeValue));
  return true;
}

/**
 * @param {Plan} plan
 * @param {Element} live
 * @param {Element} before
 * @param {Element} after
 * @returns {boolean}
 */
function planAttributes(plan, live, before, after) {
  const names = new Set([...before.attributes, ...after.attributes].map(({ name }) => name));
  for (const name of names) {
    const [old, now] = [before.getAttribute(name), after.getAttribute(name)];
    if (old === now || name === OPTION) continue;
    const { namespaceURI } = /** @type {Attr} */ ((after.getAttributeNode(name) ?? before.getAttributeNode(name)));
    if (name === "class") {
      const [gone, come] = [without(before.classList, after.classList), without(after.classList, before.classList)];
      // A script has taken it away or put another one in its place.
      if (gone.some((token) => !live.classList.contains(token))) return false;
      plan.steps.push(() => live.classList.remove(...gone), () => live.classList.add(...come));
      if (now === null) plan.steps.push(() => void (live.className || live.removeAttribute(name)));
    } else if (live.getAttribute(name) === old || isFresh(live.getAttribute(name), old)) {
      if (!isSame(plan, live, before) && live !== document.documentElement && live !== document.body) return false;
      plan.steps.push(() => {
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
 * Whether a live node is surely the one that was written, and no script has made it another.
 * @param {Plan} plan
 * @param {Node} live
 * @param {Node} old
 */
function isSame({ mayDiffer }, live, old) {
  if (!mayDiffer || areAlike(live, old)) return true;
  if (!(live instanceof Element && old instanceof Element)) return false;
  // Where elements move, their ids do, too.
  const idsOf = (/** @type {Element} */ element) => [element, ...element.querySelectorAll("[id]")].map(({ id }) => id).join(" ").trim();
  return idsOf(live) !== "" && idsOf(live) === idsOf(old);
}

/**
 * Whether a new node would be as if it had been there from the start.
 * @param {Node} node
 */
function canAppear(node) {
  if (!(node instanceof Element)) return true;
  return !node.matches(UNIQUE) && node.querySelector(UNIQUE) === null;
}
