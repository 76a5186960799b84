// The script that is put into every page, before everything else in it. It runs at once, so it sees every file that the
// page loads, and can bring back what was typed and scrolled before the first frame is painted. Then it loads the rest of
// the client, which is made of modules.
//
// It is a classic script because some browsers refuse import maps that come after the first module.
// @ts-check
"use strict";
{
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const { path, version, also, loaded: load, ask } = script.dataset;
  // A proxy may have put the server somewhere else than at the root.
  const ours = script.src;
  // Scripts of the page look for "the first script", and mean their own.
  script.remove();

  /** @typedef {import("./apply/state.js").State} State */
  /** @typedef {import("./apply/state.js").Place} Place */

  /** @type {PerformanceEntry[]} the resources that were loaded before anybody asked for them */
  const loaded = [];
  /** @type {(entries: PerformanceEntry[]) => void} */
  let note = (entries) => void loaded.push(...entries);
  // The list that the browser keeps ends at 250 entries. An observer is told of all of them.
  new PerformanceObserver((list) => note(list.getEntries())).observe({ type: "resource", buffered: true });

  /** What the modules have kept of the page before it was loaded again. See `apply/state.js`. */
  const KEY = "savecast:state";

  /** How much of its console a page tells: `errors`, `all` or `off`. Our server writes it. */
  const CONSOLE = "errors";

  /** How many messages are kept until they can be told. */
  const HEARD = 100;

  /** How long after loading a page may take to build the fields that were typed into, in milliseconds. */
  const BUILD = 1000;

  /** How long the first frame may take, until the client doesn't wait for it, in milliseconds. */
  const FRAME = 100;

  /** How much of the text around a field tells it from others. */
  const LABEL = 80;

  // A library may have its own setters on a field, which would take this for its own doing.
  const setText = [HTMLInputElement, HTMLTextAreaElement].map(({ prototype }) => Object.getOwnPropertyDescriptor(prototype, "value")?.set);

  /** @type {WeakMap<EventTarget, boolean>} what was done something to since loading, or before it, and whether it was typed into */
  const touched = new WeakMap();
  for (const name of ["input", "change"]) {
    addEventListener(name, (event) => void touched.set(event.composedPath()[0], true), { capture: true, passive: true });
  }

  // @ts-expect-error our server writes another word
  if (CONSOLE !== "off") hear(CONSOLE === "all" ? ["error", "warn", "info", "log", "debug"] : ["error"]);

  /** @type {State | undefined} */
  let state;
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
    if (kept?.url === location.href) state = kept;
  } catch {
    // A browser that keeps nothing.
  }
  if (state) restore(state);

  /** The directory of the modules, which is called as their version: browsers need not ask for them again. Our server writes it. */
  const MODULES = "";

  const start = () =>
    import(new URL("page/start.js", new URL(MODULES, ours)).href)
      .then((/** @type {typeof import("./page/start.js")} */ page) =>
        page.start({
          path,
          version,
          also,
          loaded: load,
          ask,
          describe: (/** @type {Element} */ field) => ({ ...describe(field), isTyped: touched.get(field) === true }),
          isTouched: (/** @type {Element} */ element) => touched.has(element),
          /** @param {typeof note} handler */
          resources(handler) {
            note = handler;
            handler(loaded.splice(0));
          },
          missing: () => state?.fields.filter((field) => !isThere(field)) ?? [],
        }),
      )
      .catch((error) => console.error("savecast: this page is not live:", error));
  onParsed(() => afterFrame(start));

  /**
   * Hears what goes wrong in the page, and what is written into its console. How it is told is loaded with the first message.
   * @param {("error" | "warn" | "info" | "log" | "debug")[]} levels
   */
  function hear(levels) {
    /** @typedef {import("./page/console.js").Heard} Heard */
    /** @type {Heard[]} */
    const heard = [];
    /** @type {(what: Heard) => void} */
    let tell = (what) => {
      if (heard.length === 0) {
        import(new URL("page/console.js", new URL(MODULES, ours)).href)
          .then((/** @type {typeof import("./page/console.js")} */ module) => {
            tell = module.tell;
            tellAll();
          })
          .catch(() => {});
      }
      const last = heard[heard.length - 1];
      const isSame = last?.kind === what.kind && last.stack === what.stack && last.url === what.url && last.values.every((value, at) => value === what.values[at]);
      if (isSame && last.values.length === what.values.length) last.count = (last.count ?? 1) + 1;
      else if (heard.length < HEARD) heard.push(what);
    };
    const tellAll = () => heard.splice(0).forEach((what) => quietly(() => what));
    let isTelling = false;
    // What the page says may run its own code, which may say something more. None of it may bring harm to the page.
    const quietly = (/** @type {() => Heard | undefined} */ say) => {
      if (isTelling) return;
      isTelling = true;
      try {
        const what = say();
        if (what) tell(what);
      } catch {
        // It can't be told.
      }
      isTelling = false;
    };
    // The page may have its own way to write stacks.
    const stackOf = (/** @type {() => any} */ error) => {
      try {
        return error()?.stack;
      } catch {
        return undefined;
      }
    };
    // A listener of the page that comes later may say that it has dealt with it.
    const unlessHandled = (/** @type {Event} */ event, /** @type {() => Heard | undefined} */ say) => void setTimeout(() => event.defaultPrevented || quietly(say));
    addEventListener(
      "error",
      (/** @type {Event} */ event) => {
        if (event instanceof ErrorEvent) {
          const { message, filename, lineno, colno } = event;
          unlessHandled(event, () => ({ kind: "uncaught", values: [message], url: filename, line: lineno, column: colno }));
        } else if (event.target instanceof Element) {
          const element = /** @type {any} */ (event.target);
          quietly(() => {
            const url = [element.src, element.href, element.data].find((url) => typeof url === "string" && url !== "");
            return url && { kind: "failed", values: [], url };
          });
        }
      },
      { capture: true },
    );
    addEventListener("unhandledrejection", (event) => unlessHandled(event, () => ({ kind: "rejected", values: [event.reason], stack: stackOf(() => event.reason) })));
    // What the policy of the page keeps us from, it need not know.
    const isOurs = (/** @type {string} */ url) => url.startsWith(new URL(".", ours).href);
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, lineNumber, columnNumber, disposition }) => {
      if (disposition !== "enforce" || isOurs(blockedURI) || isOurs(sourceFile ?? "")) return;
      quietly(() => ({ kind: "forbidden", values: [`${effectiveDirective} does not allow ${blockedURI}`], url: sourceFile, line: lineNumber, column: columnNumber }));
    });
    for (const level of levels) {
      const write = console[level];
      const wrapped = {
        [level](/** @type {unknown[]} */ ...values) {
          quietly(() => ({ kind: level, values, stack: stackOf(() => new Error()) }));
          return Reflect.apply(write, this, values);
        },
      };
      console[level] = wrapped[level];
    }
  }

  /**
   * What need not be there before the page is seen should not keep it from being seen.
   * @param {() => void} act what to do after the next frame
   */
  function afterFrame(act) {
    // A page that nobody sees has no frames.
    if (document.visibilityState === "hidden") return act();
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const frame = requestAnimationFrame(() => {
      clearTimeout(timer);
      setTimeout(act);
    });
    timer = setTimeout(() => {
      cancelAnimationFrame(frame);
      act();
    }, FRAME);
  }

  /** @param {() => void} act what to do when the page is parsed, and before its deferred scripts run */
  function onParsed(act) {
    if (document.readyState !== "loading") return act();
    document.addEventListener("readystatechange", act, { once: true });
  }

  /**
   * Brings back what was kept: what is in the page when it is parsed, before anybody sees it; and the rest when it comes.
   * @param {State} state
   */
  function restore(state) {
    let mayScroll = true, end = Infinity;
    const over = new AbortController();
    for (const name of ["wheel", "touchstart", "keydown", "pointerdown"]) {
      // From here on, the person decides where to look.
      addEventListener(name, ({ isTrusted }) => isTrusted && (mayScroll = false), { capture: true, passive: true, signal: over.signal });
    }
    const step = () => {
      for (const place of state.opened) once(place, (element) => open(element, place.how), true);
      for (const field of state.fields) once(field, (element) => setValue(element, field));
      for (const media of state.media) once(media, (element) => play(element, media), true);
      if (!mayScroll) return;
      for (const place of state.focus) once(place, (element) => focus(element, place));
      for (const range of state.selection) once(range, (element) => select(element, range));
      for (const place of state.scroll) once(place, (element) => scroll(element, place));
    };
    // Before each frame is painted, also before the first one.
    const frame = () => {
      step();
      if (performance.now() < end) requestAnimationFrame(frame);
      else over.abort();
    };
    requestAnimationFrame(frame);
    holdFrame();
    onParsed(step);
    const onLoad = () => {
      // Scripts of the page may have filled its fields meanwhile. What was typed counts more.
      for (const field of state.fields) {
        if (field.isTyped && field.element && !hasValue(field.element, field.value)) field.element = undefined;
      }
      step();
      end = performance.now() + BUILD;
    };
    addEventListener("load", onLoad, { once: true });
  }

  /** Paints nothing until the page is parsed, where browsers can do that: the page before stays visible until then. */
  function holdFrame() {
    const link = document.createElement("link");
    link.rel = "expect";
    link.setAttribute("blocking", "render");
    link.href = `${location.href.split("#")[0]}#savecast-end`;
    document.head?.append(link);
    onParsed(() => link.remove());
  }

  /**
   * Does something to an element once: as soon as it is there, and to another one that takes its place.
   * @param {Place} place
   * @param {(element: any) => boolean | void} act false if it is too early
   * @param {boolean} [isTouch] whether a person had done this
   */
  function once(place, act, isTouch) {
    if (isThere(place)) return;
    const element = find(place);
    if (!element) return;
    try {
      if (act(element) === false) return;
      place.element = element;
      if (isTouch) touched.set(element, false);
    } catch {
      // The page is another one now, and the element may be of another kind: what it can't take, it doesn't get.
      place.element = element;
    }
  }

  /** @param {Place} place */
  function isThere({ element }) {
    return element?.isConnected === true;
  }

  /**
   * The element that stands there. A field has to look the same, too; or else it is the only one that does.
   * @param {Place} place
   * @returns {Element | null}
   */
  function find({ path, kind, label }) {
    /** @type {Document | ShadowRoot} */
    let tree = document;
    for (const selector of path.slice(0, -1)) {
      const root = /** @type {ShadowRoot | null | undefined} */ (tree.querySelector(selector)?.shadowRoot);
      if (!root) return null;
      tree = root;
    }
    const element = tree.querySelector(path[path.length - 1]);
    if (kind === undefined) return element;
    const isAlike = (/** @type {Element} */ other) => describe(other).kind === kind;
    const isLabelled = (/** @type {Element} */ other) => isAlike(other) && describe(other).label === label;
    if (element && isLabelled(element)) return element;
    const labelled = [...tree.querySelectorAll("input, textarea, select")].filter(isLabelled);
    if (labelled.length === 1) return labelled[0];
    // The text around it may be another one now.
    return labelled.length === 0 && element && isAlike(element) ? element : null;
  }

  /**
   * What tells a field from others.
   * @param {Element} field
   */
  function describe(field) {
    const attributes = ["type", "id", "name", "placeholder", "aria-label"].map((name) => field.getAttribute(name) ?? "");
    const around = /** @type {HTMLInputElement} */ (field).labels?.[0] ?? field.parentNode ?? field;
    const texts = document.createTreeWalker(around, NodeFilter.SHOW_TEXT, (text) => (field.contains(text) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
    let label = "";
    while (label.length < LABEL && texts.nextNode()) label += texts.currentNode.nodeValue?.trim().slice(0, LABEL);
    return { kind: [field.localName, ...attributes].join("\n"), label };
  }

  /**
   * @param {any} element
   * @param {string} how
   */
  function open(element, how) {
    if (how === "popover") return element.showPopover();
    if (how === "closed") return element instanceof HTMLDialogElement ? element.close() : void (element.open = false);
    if (element instanceof HTMLDialogElement) {
      if (how === "modal") {
        element.close();
        element.showModal();
      } else element.show();
    } else element.open = true;
  }

  /**
   * @param {Element} field
   * @param {State["fields"][0]["value"]} value
   */
  function hasValue(field, value) {
    if (field instanceof HTMLSelectElement && Array.isArray(value)) {
      const options = [...field.options];
      // Where a choice is gone, there is nothing to bring back.
      if (!options.some((option) => value.includes(option.value))) return value.length > 0 || field.selectedOptions.length === 0;
      return options.every((option) => option.selected === value.includes(option.value));
    }
    return value === (typeof value === "boolean" ? /** @type {HTMLInputElement} */ (field).checked : /** @type {HTMLInputElement} */ (field).value);
  }

  /**
   * Whether a field has the value with which it was written.
   * @param {any} field
   */
  function isUntouched(field) {
    if (["checkbox", "radio"].includes(field.type)) return field.checked === field.defaultChecked;
    if (!(field instanceof HTMLSelectElement)) return field.value === field.defaultValue;
    const options = [...field.options];
    const isWritten = options.some((option) => option.defaultSelected) || field.multiple;
    return isWritten ? options.every((option) => option.selected === option.defaultSelected) : field.selectedIndex === options.findIndex((option) => !option.disabled);
  }

  /**
   * @param {Element} field
   * @param {State["fields"][0]} kept
   */
  function setValue(field, { value, isTyped }) {
    // What scripts have filled in, they fill in again, and it may be something else now.
    if (!isTyped && !isUntouched(field) && !hasValue(field, value)) return;
    touched.set(field, isTyped);
    if (hasValue(field, value)) return;
    if (field instanceof HTMLSelectElement && Array.isArray(value)) {
      for (const option of field.options) option.selected = value.includes(option.value);
    } else if (field instanceof HTMLInputElement && typeof value === "boolean") {
      field.checked = value;
    } else if (typeof value === "string") {
      setText[field instanceof HTMLTextAreaElement ? 1 : 0]?.call(field, value);
      // For scripts that have looked at the field before. Others of the events of fields may send a form.
      if (isTyped) field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    }
  }

  /**
   * @param {HTMLMediaElement} element
   * @param {State["media"][0]} media
   */
  function play(element, { source, time, volume, muted, rate, isPlaying }) {
    if (!element.currentSrc) return false;
    // Another film begins where it begins.
    if (element.currentSrc.split("?")[0] !== source) return;
    element.currentTime = time;
    if (volume !== undefined) element.volume = volume;
    if (muted !== undefined) element.muted = muted;
    if (rate !== undefined) element.playbackRate = rate;
    // A browser may want a click first.
    if (isPlaying) element.play().catch(() => {});
    else if (isPlaying === false) element.pause();
  }

  /**
   * @param {HTMLElement} element
   * @param {State["focus"][0]} focus
   */
  function focus(element, { start, end }) {
    element.focus({ preventScroll: true });
    if (typeof start === "number") /** @type {HTMLInputElement} */ (element).setSelectionRange(start, end ?? start);
  }

  /**
   * @param {Element} element
   * @param {State["selection"][0]} selection
   */
  function select(element, { node, offset, to }) {
    const other = find(to);
    const [from, until] = [element.childNodes[node], other?.childNodes[to.node]];
    if (!from || !until) return false;
    getSelection()?.setBaseAndExtent(from, offset, until, to.offset);
  }

  /**
   * @param {Element} element
   * @param {State["scroll"][0]} scroll
   */
  function scroll(element, { left, top }) {
    element.scrollTo({ left, top, behavior: "instant" });
    // Pictures and late contents make a page longer, so it may be too short yet.
    return Math.abs(element.scrollLeft - left) < 1.5 && Math.abs(element.scrollTop - top) < 1.5;
  }
}
//# sourceMappingURL=client.js.map
