// What a person has done to a page is kept while it is loaded again: scroll positions, focus, selection, what was typed or
// chosen, opened and played, but never passwords and files. `client.js` brings it back.
// @ts-check

import { trees } from "./styles.js";

/** Where the state waits, for this tab only. */
const KEY = "savecast:state";

/**
 * Where an element stands: a selector for each tree on the way, from the document down into shadow roots. A field is also
 * known by its kind and the text around it. `element` is the one that was found there.
 * @typedef {{ path: string[], kind?: string, label?: string, element?: Element }} Place
 *
 * @typedef {{ url: string,
 *   opened: (Place & { how: string })[],
 *   fields: (Place & { value: string | boolean | string[], isTyped: boolean })[],
 *   media: (Place & { source: string, time: number, volume?: number, muted?: boolean, rate?: number, isPlaying?: boolean })[],
 *   focus: (Place & { start?: number | null, end?: number | null })[],
 *   selection: (Place & { node: number, offset: number, to: Place & { node: number, offset: number } })[],
 *   scroll: (Place & { left: number, top: number })[] }} State
 */

/**
 * What a person has done is what is unlike the page as it was when it was loaded. What scripts do on loading, they do again.
 * @type {WeakMap<Element, ReturnType<typeof stateOf>>}
 */
const loaded = new WeakMap();

/** Remembers how the page is now that it is loaded. */
export function remember() {
  for (const element of allElements()) {
    if (element.matches("details, dialog, [popover], input, textarea, select, audio, video")) loaded.set(element, stateOf(element));
  }
}

/**
 * Keeps the state for the next load of this page.
 * @param {(field: Element) => { kind: string, label: string, isTyped: boolean }} describe what tells a field from others, and
 *   whether it was typed into
 * @param {(element: Element) => boolean} isTouched whether a person has surely done something to an element
 * @param {State["fields"]} missing what was kept before, of fields that this page does not have: it may be half of what its
 *   author is writing
 */
export function keep(describe, isTouched, missing) {
  const all = allElements();
  const at = (/** @type {Element} */ element) => ({ path: pathOf(element) });
  /** @type {State} */
  const state = { url: location.href, opened: [], fields: [], media: [], focus: [], selection: selected(), scroll: [] };
  for (const element of all) {
    const [before, now] = [loaded.get(element), stateOf(element)];
    const isOther = (/** @type {keyof typeof now} */ name) => isTouched(element) || JSON.stringify(now[name]) !== JSON.stringify(before?.[name]);
    if (now.how !== undefined && (before || now.how !== "closed") && isOther("how")) state.opened.push({ ...at(element), how: now.how });
    if (now.value !== undefined && isOther("value")) {
      state.fields.push({ ...at(element), ...describe(element), value: now.value });
    }
    if (element instanceof HTMLMediaElement && element.currentSrc !== "" && (element.currentTime > 0 || isTouched(element))) {
      const { currentSrc, currentTime: time } = element;
      const { volume, muted, rate, isPlaying } = now;
      const others = Object.entries({ volume, muted, rate, isPlaying }).filter(([name]) => isOther(/** @type {keyof typeof now} */ (name)));
      state.media.push({ ...at(element), source: currentSrc.split("?")[0], time, ...Object.fromEntries(others) });
    }
    if (element.scrollTop || element.scrollLeft) state.scroll.push({ ...at(element), left: element.scrollLeft, top: element.scrollTop });
  }
  for (const element of focused()) state.focus.push({ ...at(element), ...selectionOf(element) });
  state.fields.push(...missing.map((field) => ({ ...field, element: undefined })));
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
    addEventListener("pagehide", () => all.forEach(forget), { once: true });
  } catch {
    // A browser that keeps nothing, or too much to keep: then the page begins anew.
  }
}

/**
 * Firefox brings fields back, too, by their number in the page, whatever has come before them by then, and whoever has
 * filled them. It does not, if there is nothing in them when the page goes.
 * @param {Element} field
 */
function forget(field) {
  if (field instanceof HTMLSelectElement) for (const option of field.options) option.selected = option.defaultSelected;
  else if (field instanceof HTMLTextAreaElement || (field instanceof HTMLInputElement && field.type !== "file")) {
    field.value = field.defaultValue;
    if (field instanceof HTMLInputElement) field.checked = field.defaultChecked;
  }
}

function allElements() {
  return trees().flatMap((tree) => [...tree.querySelectorAll("*")]);
}

/**
 * What can be done to an element.
 * @param {Element} element
 * @returns {{ how?: string, value?: string | boolean | string[], volume?: number, muted?: boolean, rate?: number, isPlaying?: boolean }}
 */
function stateOf(element) {
  if (!(element instanceof HTMLMediaElement)) return { how: howOpen(element), value: valueOf(element) };
  const { volume, muted, playbackRate: rate, paused } = element;
  return { volume, muted, rate, isPlaying: !paused };
}

/**
 * @param {Element} element
 * @returns {string | undefined} undefined if it is nothing that opens
 */
function howOpen(element) {
  if (element instanceof HTMLDetailsElement) return element.open ? "open" : "closed";
  if (element instanceof HTMLDialogElement) return !element.open ? "closed" : element.matches(":modal") ? "modal" : "open";
  return element.hasAttribute("popover") && element.matches(":popover-open") ? "popover" : undefined;
}

/** The focused element, also in shadow roots; none if that is the page. */
function focused() {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element && element !== document.body ? [element] : [];
}

/** @returns {State["selection"]} the selected text outside of fields */
function selected() {
  const selection = getSelection();
  if (!selection || selection.isCollapsed) return [];
  const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
  const end = (/** @type {Node | null} */ node, /** @type {number} */ offset) => {
    const { parentElement: parent } = node ?? {};
    return node instanceof Text && parent ? [{ path: pathOf(parent), node: [...parent.childNodes].indexOf(node), offset }] : [];
  };
  const [[from], [to]] = [end(anchorNode, anchorOffset), end(focusNode, focusOffset)];
  return from && to ? [{ ...from, to }] : [];
}

/**
 * @param {Element} element
 * @returns {string[]}
 */
function pathOf(element) {
  const tree = element.getRootNode();
  const before = tree instanceof ShadowRoot ? pathOf(tree.host) : [];
  return [...before, selectorOf(element, /** @type {Document | ShadowRoot} */ (tree))];
}

/**
 * A selector that leads from the root of its tree, or the nearest element with an id or a name of its own, to this one.
 * @param {Element} element
 * @param {Document | ShadowRoot} tree
 * @returns {string}
 */
function selectorOf(element, tree) {
  if (element.id && tree.getElementById(element.id) === element) return `#${CSS.escape(element.id)}`;
  const { parentElement: parent } = element;
  const named = `${CSS.escape(element.localName)}[name="${CSS.escape(element.getAttribute("name") ?? "")}"]`;
  if (element.getAttribute("name") && tree.querySelectorAll(named).length === 1) return named;
  if (!parent && tree instanceof Document) return ":root";
  let number = 1;
  for (let before = element.previousElementSibling; before; before = before.previousElementSibling) {
    if (before.localName === element.localName) number++;
  }
  // In a shadow root, several elements may stand at the top; `:not(* > *)` is one of those.
  const above = parent ? `${selectorOf(parent, tree)} > ` : "";
  return `${above}${CSS.escape(element.localName)}${parent ? "" : ":not(* > *)"}:nth-of-type(${number})`;
}

/**
 * What a person has put into a field; undefined if that is nothing, or nobody's business. Of a list, the values that are
 * chosen.
 * @param {Element} field
 */
export function valueOf(field) {
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    const written = options.map((option) => option.defaultSelected);
    // A list of which one has to be chosen begins with the first.
    if (!field.multiple && !written.includes(true)) written[options.findIndex((option) => !option.disabled)] = true;
    const isChanged = options.some((option, index) => option.selected !== (written[index] ?? false));
    return isChanged ? options.filter((option) => option.selected).map((option) => option.value) : undefined;
  }
  if (field instanceof HTMLTextAreaElement) return field.value === field.defaultValue ? undefined : field.value;
  if (!(field instanceof HTMLInputElement) || ["password", "file", "hidden"].includes(field.type)) return undefined;
  if (["checkbox", "radio"].includes(field.type)) return field.checked === field.defaultChecked ? undefined : field.checked;
  return field.value === field.defaultValue ? undefined : field.value;
}

/** @param {Element} element */
function selectionOf(element) {
  // Fields without text, such as those for numbers, have none.
  const { selectionStart, selectionEnd } = /** @type {HTMLInputElement} */ (element);
  return typeof selectionStart === "number" ? { start: selectionStart, end: selectionEnd } : {};
}
