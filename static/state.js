// What a person has done to a page survives its being loaded again: scroll positions, focus, and what was typed or chosen,
// but never passwords and files.
// @ts-check

/** Where the state waits, for this tab only. */
const KEY = "savecast:state";

/** What was kept of fields that this page does not have: it may be half of what its author is writing. */
/** @type {[string, any][]} */
let missing = [];

/** Keeps the state for the next load of this page. */
export function keep() {
  /** @type {[string, any][]} */
  const fields = [...document.querySelectorAll("input, textarea, select")].map((field) => [pathOf(field), valueOf(field)]);
  const scrolled = [...document.querySelectorAll("*")].filter((element) => element.scrollTop || element.scrollLeft);
  const { activeElement: focused } = document;
  const state = {
    url: location.href,
    fields: [...missing.filter(([path]) => !find(path)), ...fields.filter(([, value]) => value !== undefined)],
    opened: [...document.querySelectorAll("details")].map((details) => [pathOf(details), details.open]),
    scroll: scrolled.map((element) => [pathOf(element), element.scrollLeft, element.scrollTop]),
    focus: focused && focused !== document.body ? [pathOf(focused), ...selectionOf(focused)] : null,
  };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // A browser that keeps nothing, or too much to keep: then the page begins anew.
  }
}

/** Brings back what was kept for this page, once. */
export function restore() {
  let state;
  try {
    state = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
  } catch {
    return;
  }
  if (state?.url !== location.href) return;
  missing = state.fields.filter((/** @type {[string, any]} */ [path]) => !find(path));
  for (const [path, open] of state.opened) attempt(() => (/** @type {HTMLDetailsElement} */ (find(path)).open = open));
  for (const [path, value] of state.fields) attempt(() => setValue(find(path), value));
  const [path, start, end] = state.focus ?? [];
  attempt(() => {
    const focused = find(path);
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    if (typeof start === "number") /** @type {HTMLInputElement} */ (focused).setSelectionRange(start, end);
  });
  const scroll = () => {
    for (const [path, left, top] of state.scroll) find(path)?.scrollTo({ left, top, behavior: "instant" });
  };
  scroll();
  // Pictures and late contents make a page longer, so it may have been too short for this.
  if (document.readyState !== "complete") addEventListener("load", scroll, { once: true });
}

/**
 * The page is another one now, and a field may be of another kind: what it can't take, it doesn't get.
 * @param {() => void} step
 */
function attempt(step) {
  try {
    step();
  } catch {
    // As said.
  }
}

/**
 * A selector that leads from the root, or the nearest element with an id or a name of its own, to this one.
 * @param {Element} element
 * @returns {string}
 */
function pathOf(element) {
  if (element.id && document.getElementById(element.id) === element) return `#${CSS.escape(element.id)}`;
  const { parentElement: parent } = element;
  if (!parent) return ":root";
  const named = `${CSS.escape(element.localName)}[name="${CSS.escape(element.getAttribute("name") ?? "")}"]`;
  if (element.getAttribute("name") && document.querySelectorAll(named).length === 1) return named;
  const alike = [...parent.children].filter((child) => child.localName === element.localName);
  return `${pathOf(parent)} > ${CSS.escape(element.localName)}:nth-of-type(${alike.indexOf(element) + 1})`;
}

/** @param {string | undefined} path */
function find(path) {
  return path ? document.querySelector(path) : null;
}

/**
 * What a person has put into a field; undefined if that is nothing, or nobody's business.
 * @param {Element} field
 */
export function valueOf(field) {
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    const chosen = options.map((option) => option.selected);
    const written = options.map((option) => option.defaultSelected);
    // A list of which one has to be chosen begins with the first.
    if (!field.multiple && !written.includes(true)) written[options.findIndex((option) => !option.disabled)] = true;
    return chosen.some((isChosen, index) => isChosen !== written[index]) ? chosen : undefined;
  }
  if (field instanceof HTMLTextAreaElement) return field.value === field.defaultValue ? undefined : field.value;
  if (!(field instanceof HTMLInputElement) || ["password", "file", "hidden"].includes(field.type)) return undefined;
  if (["checkbox", "radio"].includes(field.type)) return field.checked === field.defaultChecked ? undefined : field.checked;
  return field.value === field.defaultValue ? undefined : field.value;
}

/**
 * @param {Element | null} field
 * @param {any} value
 */
function setValue(field, value) {
  if (field instanceof HTMLSelectElement) {
    [...field.options].forEach((option, index) => (option.selected = value[index] ?? option.selected));
  } else if (field instanceof HTMLInputElement && typeof value === "boolean") {
    field.checked = value;
  } else if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
    field.value = value;
  }
}

/** @param {Element} element */
function selectionOf(element) {
  // Fields without text, such as those for numbers, have none.
  const { selectionStart, selectionEnd } = /** @type {HTMLInputElement} */ (element);
  return typeof selectionStart === "number" ? [selectionStart, selectionEnd] : [];
}
